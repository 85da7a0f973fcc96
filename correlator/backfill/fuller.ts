// fuller.ts — which of the findings that were found anew are to be told, beside those that are kept.
//
// In:    findings of correlations, found in kept events; the findings that are kept of the same rules and groups.
// Out:   those that are new, and those that are fuller than what is kept, naming what they supersede.
// Holds: nothing that is fuller is replaced; told again, the same finding has the same revision, so that it is not doubled.
import type { Finding } from "../../core/records.ts";
import { allOf, type KeptWorld } from "./kept-world.ts";

/** Above every revision that live gives; of backfilled ones the fuller is the higher. */
export const BACKFILLED_FROM = 2 ** 32;

export type KeptFindings = {
  readonly byId: ReadonlyMap<string, Finding>;
  readonly byFingerprint: ReadonlyMap<string, readonly Finding[]>;
  readonly superseded: ReadonlySet<string>;
};

export const NOTHING_KEPT: KeptFindings = {
  ...{ byId: new Map(), byFingerprint: new Map(), superseded: new Set() },
};

/** How much of an episode is known: events, further episodes, how an absence ended. */
export const fullnessOf = ({ count, suppressed = 0, absence }: Finding): number =>
  count + suppressed + (absence?.endedMs === undefined ? 0 : 1);

/** The kept findings of these rules and groups that end at `sinceMs` or later. */
export async function keptFindings(
  world: Pick<KeptWorld, "findings">,
  {
    fingerprints,
    sinceMs,
  }: { readonly fingerprints: ReadonlySet<string>; readonly sinceMs: number },
): Promise<KeptFindings> {
  const byId = new Map<string, Finding>();
  const byFingerprint = new Map<string, Finding[]>();
  const superseded = new Set<string>();
  for await (const finding of allOf(world.findings)) {
    if (finding.lastMs < sinceMs) break;
    if (!fingerprints.has(finding.fingerprint)) continue;
    byId.set(finding.id, finding);
    const others = byFingerprint.get(finding.fingerprint) ?? [];
    byFingerprint.set(finding.fingerprint, [...others, finding]);
    for (const id of finding.supersedes ?? []) superseded.add(id);
  }
  return { byId, byFingerprint, superseded };
}

/** The ids of all kept findings that end at `sinceMs` or later. */
export async function keptIds(
  world: Pick<KeptWorld, "findings">,
  sinceMs: number,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { id, lastMs } of allOf(world.findings)) {
    if (lastMs < sinceMs) break;
    ids.add(id);
  }
  return ids;
}

/** As it is to be told; undefined where what is kept says as much. */
export function toTell(
  finding: Finding,
  { byId, byFingerprint, superseded }: KeptFindings,
  page: (finding: Finding) => boolean,
): Finding | undefined {
  if (superseded.has(finding.id)) return undefined;
  const same = byId.get(finding.id);
  if (same && (same.withdrawn || fullnessOf(same) >= fullnessOf(finding))) return undefined;
  const others = (byFingerprint.get(finding.fingerprint) ?? []).filter(
    (other) => other.id !== finding.id && !superseded.has(other.id) && isOfEpisode(other, finding),
  );
  if (!others.every((other) => isWithin(other, finding))) return undefined;
  const named = [...(same?.supersedes ?? []), ...others.map(({ id }) => id)];
  const supersedes = [...new Set(named)].sort();
  const { revision: _, supersedes: __, page: asked, ...content } = finding;
  return {
    ...content,
    revision: BACKFILLED_FROM + fullnessOf(finding),
    backfilled: true,
    ...(supersedes.length > 0 && { supersedes }),
    ...((asked || page(finding)) && { page: true as const }),
  };
}

/** Gaps in what is awaited lie side by side, episodes that share a moment are one. */
function isOfEpisode(other: Finding, { ruleVersion, firstMs, lastMs, absence }: Finding): boolean {
  if (other.ruleVersion !== ruleVersion || other.withdrawn || absence) return false;
  return other.firstMs <= lastMs && other.lastMs >= firstMs;
}

const isWithin = (other: Finding, finding: Finding): boolean =>
  other.firstMs >= finding.firstMs &&
  other.lastMs <= finding.lastMs &&
  fullnessOf(other) <= fullnessOf(finding);

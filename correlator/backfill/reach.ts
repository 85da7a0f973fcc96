// reach.ts — how far the events of a finding can lie from it: the timespans of its correlation and of all that feed it.
import type { CorrelationRule, Finding } from "../../core/records.ts";
import type { DetectionRule, RuleSet } from "../sigma/rule.ts";

export type Reach = ReadonlyMap<string, number>; // ms, by the correlation's version

/** Whoever reads events as far before a finding's beginning knows that it is its beginning. */
export function reachOf({ correlations }: RuleSet): Reach {
  const reach = new Map<string, number>();
  for (const rule of correlations) {
    const below = correlations.filter(({ feeds }) => feeds.some(isOf(rule)));
    const most = Math.max(0, ...below.map(({ version }) => reach.get(version) ?? 0));
    reach.set(rule.version, ownMs(rule) + most);
  }
  return reach;
}

export const mostOf = (reach: Reach): number => Math.max(0, ...reach.values());

/** The correlations to which a match of these rules means something: those that it feeds, and those fed by them. */
export function touchedBy(set: RuleSet, rules: readonly DetectionRule[]): ReadonlySet<string> {
  const touched = new Set(rules.flatMap(({ feeds }) => feeds.map(({ version }) => version)));
  for (const { version, feeds } of set.correlations)
    if (touched.has(version)) for (const feed of feeds) touched.add(feed.version);
  const kinds = new Map(set.correlations.map(({ version, type }) => [version, type]));
  // Silence is judged by what came in time: what is late says nothing against it.
  return new Set([...touched].filter((version) => (kinds.get(version) ?? "absence") !== "absence"));
}

/** The rules without the correlations that these findings do not need. */
export function narrowed(set: RuleSet, wanted: ReadonlySet<string>): RuleSet {
  const needed = new Set(wanted);
  for (const { version, feeds } of set.correlations.toReversed())
    if (feeds.some((feed) => needed.has(feed.version))) needed.add(version);
  return { ...set, correlations: set.correlations.filter(({ version }) => needed.has(version)) };
}

/** Of live: whether an event that is still to come may change the finding. */
export const mayGrow = (
  { ruleVersion, lastMs }: Pick<Finding, "ruleVersion" | "lastMs">,
  { reach, settledMs }: { readonly reach: Reach; readonly settledMs: number },
): boolean => lastMs + (reach.get(ruleVersion) ?? 0) >= settledMs;

function ownMs({ spanMs, suppressMs = 0, absence }: CorrelationRule): number {
  return Math.max(spanMs, absence?.rememberMs ?? 0) + suppressMs;
}

const isOf =
  (rule: CorrelationRule) =>
  ({ version }: { readonly version: string }): boolean =>
    version === rule.version;

// findings.ts — what is told of a group's episodes: findings whose id follows from the group and the episode's first
// time, revisions as it grows, the names of findings that it replaces.
import { idOf } from "../../core/event.ts";
import type { CorrelationRule, Finding } from "../../core/records.ts";
import type { Episode } from "./episodes.ts";
import { samplePlaces } from "./evidence.ts";
import { carriedBy, type Group } from "./group.ts";

export type Context = {
  readonly stream: string;
  readonly rule: CorrelationRule;
  readonly evidenceMax: number;
};

const PAUSE_MS_MAX = 60_000;
const NONE: readonly string[] = [];

/** The findings of episodes that are new, joined or begin elsewhere; those that only grew wait for a tick. */
export function fresh(context: Context, group: Group, watermarkMs: number): Finding[] {
  const findings: Finding[] = [];
  for (const episode of group.episodes)
    if (episode.id === undefined) findings.push(tell(context, group, episode, watermarkMs));
  return findings;
}

/** The next revision of each of the group's findings that grew, where it is due or the last. */
export function grown(context: Context, group: Group, watermarkMs: number): Finding[] {
  return group.episodes
    .filter((episode) => episode.isDirty && dueMs(context, episode) <= watermarkMs)
    .map((episode) => tell(context, group, episode, watermarkMs));
}

/** The watermark with which one of the group's findings is told next; infinite where none is to be. */
export function tellDueMs(context: Context, { episodes }: Group): number {
  let leastMs = Number.POSITIVE_INFINITY;
  for (const episode of episodes)
    if (episode.isDirty) leastMs = Math.min(leastMs, dueMs(context, episode));
  return leastMs;
}

/** When its pause is over, or nothing can be added to it any more. */
function dueMs({ rule }: Context, { id, lastMs, dueMs: toldMs }: Episode): number {
  if (id === undefined || toldMs === null) return Number.NEGATIVE_INFINITY;
  return Math.min(toldMs, lastMs + rule.spanMs + 1);
}

/** A long attack is told less and less often while it only grows: after 1 s, 2 s, 4 s and so on. */
const pauseMs = (revision: number): number => Math.min(PAUSE_MS_MAX, 1000 * 2 ** (revision - 1));

function tell(
  { stream, rule, evidenceMax }: Context,
  group: Group,
  episode: Episode,
  watermarkMs: number,
): Finding {
  const { firstMs, lastMs } = episode;
  episode.id ??= idOf(stream, rule.version, ...group.values, firstMs);
  group.fingerprint ??= idOf("fingerprint", stream, rule.about.id, ...group.values);
  episode.revision += 1;
  episode.isDirty = false;
  episode.dueMs = Number.isFinite(watermarkMs) ? watermarkMs + pauseMs(episode.revision) : null;
  const { count, evidence } = membersOf(group, episode, evidenceMax);
  const supersedes = episode.replaces.length === 0 ? NONE : [...new Set(episode.replaces)].sort();
  return {
    kind: "finding",
    id: episode.id,
    revision: episode.revision,
    fingerprint: group.fingerprint,
    stream,
    rule: rule.about,
    ruleVersion: rule.version,
    group: namedValues(rule.groupBy, group.values),
    firstMs,
    lastMs,
    count,
    evidence,
    ...(supersedes.length > 0 && { supersedes }),
    ...(group.bounded && { bounded: true as const }),
    ...(group.page && { page: true as const }),
  };
}

/** How many members an episode has, and the ids of at most `evidenceMax` of their events, by time. */
function membersOf(
  group: Group,
  { firstMs, lastMs }: Episode,
  evidenceMax: number,
): Pick<Finding, "count" | "evidence"> {
  const { members } = group;
  const carry = carriedBy(group, firstMs);
  const from = members.lowerBound(firstMs);
  const to = members.lowerBound(lastMs + 1);
  const count = to - from + (carry?.count ?? 0);
  let ids = members.ids.slice(from, to);
  let froms = members.froms?.slice(from, to);
  if (carry) {
    froms = [...carry.kept.map((member) => member.from), ...(froms ?? ids.map(() => 0))];
    ids = [...carry.kept.map(({ id }) => id), ...ids];
  }
  if (ids.length > evidenceMax)
    ids = samplePlaces(ids, { max: evidenceMax, froms }).map((place) => ids[place] ?? "");
  return { count, evidence: froms ? [...new Set(ids)] : ids };
}

function namedValues(names: readonly string[], values: readonly string[]): Finding["group"] {
  const named: Record<string, string> = {};
  for (const [index, name] of names.entries()) named[name] = values[index] ?? "";
  return named;
}

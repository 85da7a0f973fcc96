// findings.ts — what is told of a group's episodes: findings whose id follows from the group and the episode's first
// time, revisions as it grows, the names of findings that it replaces.
import { idOf } from "../../core/event.ts";
import type { CorrelationRule, Finding } from "../../core/records.ts";
import type { Episode } from "./episodes.ts";
import { samplePlaces } from "./evidence.ts";
import { carriedBy, countOf, type Group } from "./group.ts";
import { aboutOf } from "./severity.ts";

export type Context = {
  readonly stream: string;
  readonly rule: CorrelationRule;
  readonly evidenceMax: number;
  readonly onlyLast: boolean; // an episode is told once, when nothing can be added to it any more
  readonly lost: LostGroups;
};
/** Of the rule's groups that had to give way, the time of the latest event. */
export type LostGroups = { untilMs: number };

const PAUSE_MS_MAX = 60_000;
const NONE: readonly string[] = [];

/** Tells the episodes that are new, joined or begin elsewhere; those that only grew wait for a tick. */
export function tellFresh(
  context: Context,
  group: Group,
  to: { readonly watermarkMs: number; readonly findings: Finding[] },
): void {
  if (context.onlyLast) return;
  for (const episode of group.episodes)
    if (episode.id === undefined) to.findings.push(tell(context, group, episode, to.watermarkMs));
}

/** The next revision of each of the group's findings that grew, where it is due or the last. */
export function grown(context: Context, group: Group, watermarkMs: number): Finding[] {
  return group.episodes
    .filter((episode) => episode.isDirty && dueMsIn(context, group, episode) <= watermarkMs)
    .map((episode) => tell(context, group, episode, watermarkMs));
}

/** The watermark with which one of the group's findings is told next; infinite where none is to be. */
export function tellDueMs(context: Context, group: Group): number {
  let leastMs = Number.POSITIVE_INFINITY;
  for (const episode of group.episodes)
    if (episode.isDirty) leastMs = Math.min(leastMs, dueMsIn(context, group, episode));
  return leastMs;
}

/** At once where it became graver. */
function dueMsIn(context: Context, group: Group, episode: Episode): number {
  const { rule, onlyLast } = context;
  if (rule.escalate && !onlyLast) {
    const now = aboutOf(rule, { values: group.values, count: countOf(group, episode) });
    if (now.level !== episode.level) return Number.NEGATIVE_INFINITY;
  }
  return dueMs(context, episode);
}

/** When an episode's pause is over, or nothing can be added to it any more. */
export function dueMs({ rule, onlyLast }: Context, episode: Episode): number {
  const { id, lastMs, toldLastMs } = episode;
  if (onlyLast) return lastMs + rule.spanMs + 1;
  if (id === undefined || episode.dueMs === null) return Number.NEGATIVE_INFINITY;
  // Suppression takes an episode to be over when its end, as told, is a span below the watermark.
  const endMs = rule.suppressMs === undefined ? lastMs : (toldLastMs ?? 0);
  return Math.min(episode.dueMs, endMs + rule.spanMs + 1);
}

/** A long attack is told less and less often while it only grows: after 1 s, 2 s, 4 s and so on. */
const pauseMs = (revision: number): number => Math.min(PAUSE_MS_MAX, 1000 * 2 ** (revision - 1));

/** Whether a bound may have taken something of the group from then on. */
export const mayLack = (
  { lost }: Pick<Context, "lost">,
  { bounded, lacking }: Group,
  sinceMs: number,
): boolean => bounded || lacking || sinceMs <= lost.untilMs;

function tell(context: Context, group: Group, episode: Episode, watermarkMs: number): Finding {
  const { stream, rule, evidenceMax } = context;
  const { firstMs, lastMs } = episode;
  episode.id ??= idOf(stream, rule.version, ...group.values, firstMs);
  group.fingerprint ??= idOf("fingerprint", stream, rule.about.id, ...group.values);
  episode.revision += 1;
  episode.isDirty = false;
  episode.dueMs = Number.isFinite(watermarkMs) ? watermarkMs + pauseMs(episode.revision) : null;
  const count = countOf(group, episode);
  const supersedes = episode.replaces.length === 0 ? NONE : [...new Set(episode.replaces)].sort();
  if (rule.suppressMs !== undefined) episode.toldLastMs = lastMs;
  const about = aboutOf(rule, { values: group.values, count });
  if (rule.escalate) episode.level = about.level;
  return {
    kind: "finding",
    id: episode.id,
    revision: episode.revision,
    fingerprint: group.fingerprint,
    stream,
    rule: about,
    ruleVersion: rule.version,
    group: namedValues(rule.groupBy, group.values),
    firstMs,
    lastMs,
    count,
    evidence: evidenceOf(group, episode, evidenceMax),
    ...(supersedes.length > 0 && { supersedes }),
    ...(mayLack(context, group, firstMs - rule.spanMs) && { bounded: true as const }),
    ...(group.page && { page: true as const }),
  };
}

/** Ids of at most `max` of an episode's events, by time. */
function evidenceOf(group: Group, { firstMs, lastMs }: Episode, max: number): readonly string[] {
  const { members } = group;
  const carry = carriedBy(group, firstMs);
  const from = members.lowerBound(firstMs);
  const to = members.lowerBound(lastMs + 1);
  let ids = members.ids.slice(from, to);
  let froms = members.froms?.slice(from, to);
  if (carry) {
    froms = [...carry.kept.map((member) => member.from), ...(froms ?? ids.map(() => 0))];
    ids = [...carry.kept.map(({ id }) => id), ...ids];
  }
  if (ids.length > max) ids = samplePlaces(ids, { max, froms }).map((place) => ids[place] ?? "");
  return froms ? [...new Set(ids)] : ids;
}

function namedValues(names: readonly string[], values: readonly string[]): Finding["group"] {
  const named: Record<string, string> = {};
  for (const [index, name] of names.entries()) named[name] = values[index] ?? "";
  return named;
}

// findings.ts — what is told of a group's episodes: findings whose id follows from the group and the episode's first
// time, revisions as it grows, the names of findings that it replaces.
import { idOf } from "../../core/event.ts";
import type { CorrelationRule, Finding } from "../../core/records.ts";
import type { Episode } from "./episodes.ts";
import { countOf, evidenceOf, type Group } from "./group.ts";
import { aboutOf } from "./severity.ts";

export type Context = {
  readonly stream: string;
  readonly rule: CorrelationRule;
  readonly evidenceMax: number;
};

const PAUSE_MS_MAX = 15_000;

/** The findings of episodes that are new, joined or begin elsewhere; those that only grew wait for a tick. */
export function fresh(context: Context, group: Group, watermarkMs: number): Finding[] {
  const findings: Finding[] = [];
  for (const episode of group.episodes)
    if (episode.id === undefined) findings.push(tell(context, group, episode, watermarkMs));
  return findings;
}

/** The next revision of each of the group's findings that grew, where it is due or the last. */
export function grown(context: Context, group: Group, watermarkMs: number): Finding[] {
  const { rule } = context;
  const isGraver = (episode: Episode): boolean =>
    rule.escalate !== undefined && aboutOf(rule, countOf(group, episode)).level !== episode.level;
  // Suppression takes an episode to be over when its end, as told, is a span below the watermark.
  const seemsOver = ({ toldLastMs }: Episode): boolean =>
    rule.suppressMs !== undefined && (toldLastMs ?? 0) + rule.spanMs < watermarkMs;
  const isDue = (episode: Episode): boolean =>
    episode.id === undefined ||
    (episode.dueMs ?? watermarkMs) <= watermarkMs ||
    episode.lastMs + rule.spanMs < watermarkMs ||
    isGraver(episode) ||
    seemsOver(episode);
  return group.episodes
    .filter((episode) => episode.isDirty && isDue(episode))
    .map((episode) => tell(context, group, episode, watermarkMs));
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
  episode.id = idOf(stream, rule.version, ...group.values, firstMs);
  episode.revision += 1;
  episode.isDirty = false;
  episode.dueMs = Number.isFinite(watermarkMs) ? watermarkMs + pauseMs(episode.revision) : null;
  const count = countOf(group, episode);
  if (rule.suppressMs !== undefined) episode.toldLastMs = lastMs;
  if (rule.escalate) episode.level = aboutOf(rule, count).level;
  const supersedes = [...new Set(episode.replaces)].sort();
  return {
    kind: "finding",
    id: episode.id,
    revision: episode.revision,
    fingerprint: idOf("fingerprint", stream, rule.about.id, ...group.values),
    stream,
    rule: aboutOf(rule, count),
    ruleVersion: rule.version,
    group: Object.fromEntries(rule.groupBy.map((name, index) => [name, group.values[index] ?? ""])),
    firstMs,
    lastMs,
    count,
    evidence: evidenceOf(group, episode, evidenceMax),
    ...(supersedes.length > 0 && { supersedes }),
    ...(group.bounded && { bounded: true as const }),
    ...(group.page && { page: true as const }),
  };
}

// episodes.ts — a group's episodes as they grow and join, and what is told of them: findings whose id follows from the
// group and the episode's first time, revisions as it grows, the names of findings that it replaces.
import { idOf } from "../../core/event.ts";
import type { CorrelationRule, Finding } from "../../core/records.ts";
import { countOf, evidenceOf, type Group } from "./group.ts";
import type { Member, Members } from "./members.ts";

export type Span = { readonly firstMs: number; readonly lastMs: number };

export type Episode = {
  firstMs: number;
  lastMs: number;
  id?: string; // under which it was told
  revision: number; // told last
  replaces: readonly string[]; // ids of findings that it took in
  isDirty: boolean; // not told as it is
  dueMs: number | null; // told again when the watermark has come so far; null: with the next tick
};

export type Context = {
  readonly stream: string;
  readonly rule: CorrelationRule;
  readonly evidenceMax: number;
};

const PAUSE_MS_MAX = 15_000;

/** Marks the members that end a window in which the condition holds; tells those that were not marked. */
export function holding(members: Members, endMs: number, held: (member: Member) => void): void {
  for (let at = members.lowerBound(endMs); members.times[at] === endMs; at++) {
    if (members.held[at] === 1) continue;
    members.held[at] = 1;
    held(members.at(at));
  }
}

/** Adds a window in which the condition holds to the union of those before it. */
export function cover(group: Group, { firstMs, lastMs }: Span): void {
  const { episodes } = group;
  let to = episodes.length;
  for (let one = episodes[to - 1]; one && one.firstMs > lastMs; one = episodes[to - 1]) to -= 1;
  let from = to;
  for (let one = episodes[from - 1]; one && one.lastMs >= firstMs; one = episodes[from - 1])
    from -= 1;
  const [first, ...others] = episodes.slice(from, to);
  if (!first) {
    episodes.splice(from, 0, {
      firstMs,
      lastMs,
      revision: 0,
      replaces: [],
      isDirty: true,
      dueMs: null,
    });
    return;
  }
  if (firstMs < first.firstMs) {
    if (first.id !== undefined) first.replaces = [...first.replaces, first.id];
    delete first.id;
    first.revision = 0;
    first.firstMs = firstMs;
    first.isDirty = true;
  }
  if (lastMs > first.lastMs) {
    first.lastMs = lastMs;
    first.isDirty = true;
  }
  for (const other of others) {
    first.lastMs = Math.max(first.lastMs, other.lastMs);
    const ids = [...other.replaces, ...(other.id === undefined ? [] : [other.id])];
    if (ids.length > 0) first.replaces = [...first.replaces, ...ids];
    if (ids.length > 0 || first.id !== undefined) delete first.id; // told at once
    first.isDirty = true;
  }
  episodes.splice(from + 1, others.length);
}

/** The findings of episodes that are new, joined or begin elsewhere; those that only grew wait for a tick. */
export function fresh(context: Context, group: Group, watermarkMs: number): Finding[] {
  const findings: Finding[] = [];
  for (const episode of group.episodes)
    if (episode.id === undefined) findings.push(tell(context, group, episode, watermarkMs));
  return findings;
}

/** The next revision of each of the group's findings that grew, where it is due or the last. */
export function grown(context: Context, group: Group, watermarkMs: number): Finding[] {
  const isDue = ({ id, lastMs, dueMs }: Episode): boolean =>
    id === undefined ||
    (dueMs ?? watermarkMs) <= watermarkMs ||
    lastMs + context.rule.spanMs < watermarkMs;
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
  const supersedes = [...new Set(episode.replaces)].sort();
  return {
    kind: "finding",
    id: episode.id,
    revision: episode.revision,
    fingerprint: idOf("fingerprint", stream, rule.about.id, ...group.values),
    stream,
    rule: rule.about,
    ruleVersion: rule.version,
    group: Object.fromEntries(rule.groupBy.map((name, index) => [name, group.values[index] ?? ""])),
    firstMs,
    lastMs,
    count: countOf(group, episode),
    evidence: evidenceOf(group, episode, evidenceMax),
    ...(supersedes.length > 0 && { supersedes }),
    ...(group.bounded && { bounded: true as const }),
    ...(group.page && { page: true as const }),
  };
}

// episodes.ts — turns a group's episodes into findings: an id that follows from the group and its first time, revisions
// as it grows, the names of findings that it replaces.
import { idOf } from "../../core/event.ts";
import type { CorrelationRule, Finding } from "../../core/records.ts";
import { countOf, type Episode, evidenceOf, type Group, type Published } from "./group.ts";

export type Context = {
  readonly stream: string;
  readonly rule: CorrelationRule;
  readonly evidenceMax: number;
};

/**
 * Compares the group's episodes with what was published. New, joined and vanished episodes give findings at once;
 * one that only grew is marked dirty and told with the next tick.
 */
export function reconcile(context: Context, group: Group): Finding[] {
  const firsts = new Set(group.episodes.map(({ firstMs }) => firstMs));
  const gone = group.published.filter(({ firstMs }) => !firsts.has(firstMs));
  group.published = group.published.filter(({ firstMs }) => firsts.has(firstMs));
  const findings: Finding[] = [];
  for (const episode of group.episodes) {
    const replaced = gone.filter(
      ({ firstMs, lastMs }) => firstMs <= episode.lastMs && lastMs >= episode.firstMs,
    );
    const known = group.published.find(({ firstMs }) => firstMs === episode.firstMs);
    const published = known ?? newlyPublished(context, group, episode);
    if (!known) group.published.push(published);
    const count = countOf(group, episode);
    if (known && known.lastMs === episode.lastMs && known.count === count && replaced.length === 0)
      continue;
    published.lastMs = episode.lastMs;
    published.count = count;
    published.supersedes = [
      ...new Set([
        ...published.supersedes,
        ...replaced.flatMap(({ id, supersedes }) => [id, ...supersedes]),
      ]),
    ].sort();
    published.dirty = true;
    if (!known || replaced.length > 0) findings.push(findingOf(context, group, published));
    for (const one of replaced) gone.splice(gone.indexOf(one), 1);
  }
  for (const published of gone)
    findings.push({ ...findingOf(context, group, published), withdrawn: true });
  return findings;
}

/** The next revision of each of the group's findings that grew. */
export function grown(context: Context, group: Group): Finding[] {
  return group.published
    .filter(({ dirty }) => dirty)
    .map((published) => findingOf(context, group, published));
}

function newlyPublished(
  { stream, rule }: Context,
  group: Group,
  { firstMs, lastMs }: Episode,
): Published {
  const id = idOf(stream, rule.version, ...group.values, firstMs);
  return { id, firstMs, lastMs, count: 0, revision: 0, supersedes: [], dirty: true };
}

function findingOf(
  { stream, rule, evidenceMax }: Context,
  group: Group,
  published: Published,
): Finding {
  published.revision += 1;
  published.dirty = false;
  return {
    kind: "finding",
    id: published.id,
    revision: published.revision,
    fingerprint: idOf("fingerprint", stream, rule.about.id, ...group.values),
    stream,
    rule: rule.about,
    ruleVersion: rule.version,
    group: Object.fromEntries(rule.groupBy.map((name, index) => [name, group.values[index] ?? ""])),
    firstMs: published.firstMs,
    lastMs: published.lastMs,
    count: published.count,
    evidence: evidenceOf(group, published, evidenceMax),
    ...(published.supersedes.length > 0 && { supersedes: published.supersedes }),
    ...(group.bounded && { bounded: true as const }),
    ...(group.page && { page: true as const }),
  };
}

// group.ts — one group's members over event time, and the episodes in which its condition holds.
//
// In:    members in any order, each perhaps more than once.
// Out:   episodes: the maximal unions of overlapping closed windows [f, t] in which the condition holds (DESIGN.md, "Findings").
// Holds: the same set of members gives the same episodes, whatever their order; members are forgotten only where no
//        window that may still change can reach them.
import type { CorrelationRule } from "../../core/records.ts";
import { type Gauge, gaugeOf, type Member } from "./condition.ts";

export type Episode = { readonly firstMs: number; readonly lastMs: number };

/** The part of an episode whose members are forgotten. */
export type Carry = Episode & {
  readonly count: number;
  readonly kept: readonly Member[]; // for evidence
};

/** What people were told of an episode. */
export type Published = {
  readonly id: string;
  readonly firstMs: number;
  lastMs: number;
  count: number;
  revision: number;
  supersedes: readonly string[];
  dirty: boolean; // grew since the last revision
};

export type Group = {
  readonly values: readonly string[];
  members: Member[]; // by time, then id, then rule
  episodes: Episode[];
  published: Published[];
  forgottenBeforeMs: number; // members below are gone
  carry?: Carry;
  bounded: boolean;
  page: boolean;
  slide?: { readonly gauge: Gauge; start: number }; // the window that ends at the last member; derived
  ids?: Set<string>; // of a large group's members; derived
};

const SMALL = 32;
const CARRIED_MAX = 200; // twice the most evidence, so that the sample stays the same whatever was forgotten

export const emptyGroup = (values: readonly string[]): Group => ({
  values,
  members: [],
  episodes: [],
  published: [],
  forgottenBeforeMs: Number.NEGATIVE_INFINITY,
  bounded: false,
  page: false,
});

export const lastMsOf = (group: Group): number =>
  group.members.at(-1)?.timeMs ?? Number.NEGATIVE_INFINITY;

/** Adds a member unless it is there; says whether it was added. Brings the episodes up to date where they fire at once. */
export function addMember(
  rule: CorrelationRule,
  group: Group,
  member: Member,
  atOnce: boolean,
): boolean {
  if (member.timeMs < group.forgottenBeforeMs || isKnown(group, member)) return false;
  const { members } = group;
  const at = placeOf(members, member);
  const last = members.at(-1);
  const append = last === undefined || member.timeMs >= last.timeMs;
  members.splice(at, 0, member);
  group.ids?.add(nameOf(member));
  if (!atOnce) return true;
  if (append && (group.slide || members.length > SMALL)) appendTo(rule, group, member);
  else recompute(rule, group, Number.POSITIVE_INFINITY);
  return true;
}

/** Computes the episodes anew from windows that end before `untilMs`. */
export function recompute(rule: CorrelationRule, group: Group, untilMs: number): void {
  delete group.slide;
  group.episodes = episodesOf(rule, group, untilMs);
}

/** The members with which the condition held, of windows that end in [fromMs, toMs]. */
export function pointsOf(
  rule: CorrelationRule,
  group: Group,
  fromMs: number,
  toMs: number,
): Member[] {
  const points: Member[] = [];
  for (const { lastMs, from, to, holds } of windowsOf(rule, group))
    if (holds && lastMs >= fromMs && lastMs <= toMs) points.push(...group.members.slice(from, to));
  return points;
}

/** Forgets members before `cutMs`; exact when no window that ends before cutMs + timespan can still change. */
export function forget(rule: CorrelationRule, group: Group, cutMs: number): void {
  if (cutMs <= group.forgottenBeforeMs) return;
  const reaching = episodesOf(rule, group, cutMs + rule.spanMs).at(-1);
  const keep = group.members.findIndex(({ timeMs }) => timeMs >= cutMs);
  const gone = keep < 0 ? group.members : group.members.slice(0, keep);
  if (reaching && reaching.lastMs >= cutMs) {
    const inside = gone.filter(({ timeMs }) => timeMs >= reaching.firstMs);
    const before = group.carry && group.carry.firstMs >= reaching.firstMs ? group.carry : undefined;
    group.carry = {
      ...reaching,
      count: (before?.count ?? 0) + inside.length,
      kept: choose([...(before?.kept ?? []), ...inside], CARRIED_MAX),
    };
  } else delete group.carry;
  group.members = keep < 0 ? [] : group.members.slice(keep);
  group.forgottenBeforeMs = cutMs;
  group.published = group.published.filter(({ lastMs }) => lastMs >= cutMs);
  group.episodes = group.episodes.filter(({ lastMs }) => lastMs >= cutMs);
  delete group.slide;
  delete group.ids;
}

export function countOf(group: Group, { firstMs, lastMs }: Episode): number {
  const inside = lowerBound(group.members, lastMs + 1) - lowerBound(group.members, firstMs);
  return inside + (carried(group, firstMs)?.count ?? 0);
}

/** Ids of at most `max` events of an episode, by time: each rule's first and last, and a sample that no order of arrival changes. */
export function evidenceOf(group: Group, { firstMs, lastMs }: Episode, max: number): string[] {
  const inside = group.members.slice(
    lowerBound(group.members, firstMs),
    lowerBound(group.members, lastMs + 1),
  );
  const chosen = choose([...(carried(group, firstMs)?.kept ?? []), ...inside], max);
  return [...new Set(chosen.map(({ id }) => id))].slice(0, max);
}

const carried = (group: Group, firstMs: number): Carry | undefined =>
  group.carry && group.carry.firstMs >= firstMs ? group.carry : undefined;

function choose(members: readonly Member[], max: number): Member[] {
  if (members.length <= max) return [...members];
  const ends = new Map<string, Member>();
  for (const member of members) {
    if (!ends.has(`first ${member.from}`)) ends.set(`first ${member.from}`, member);
    ends.set(`last ${member.from}`, member);
  }
  const first = members[0];
  const last = members.at(-1);
  const chosen = new Set<Member>();
  for (const member of [first, last, ...ends.values()])
    if (member && chosen.size < max) chosen.add(member);
  const rest = members
    .filter((member) => !chosen.has(member))
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  for (const member of rest.slice(0, max - chosen.size)) chosen.add(member);
  return [...chosen].sort(byTime);
}

function appendTo(rule: CorrelationRule, group: Group, member: Member): void {
  group.slide ??= { gauge: gaugeOf(rule), start: group.members.length };
  const { slide, members } = group;
  if (slide.start === members.length) {
    slide.start = lowerBound(members, member.timeMs - rule.spanMs);
    for (const one of members.slice(slide.start)) slide.gauge.add(one);
  } else slide.gauge.add(member);
  for (
    let oldest = members[slide.start];
    oldest && oldest.timeMs < member.timeMs - rule.spanMs;
    oldest = members[slide.start]
  ) {
    slide.gauge.remove(oldest);
    slide.start += 1;
  }
  const first = members[slide.start];
  if (first && member.timeMs >= group.forgottenBeforeMs + rule.spanMs && slide.gauge.holds())
    extend(group.episodes, { firstMs: first.timeMs, lastMs: member.timeMs });
}

type Window = Episode & { readonly from: number; readonly to: number; readonly holds: boolean };

/** Every window [f, t] in order; `from` and `to` are the places of the members at t. */
function* windowsOf(rule: CorrelationRule, group: Group): Generator<Window> {
  const { members } = group;
  const gauge = gaugeOf(rule);
  let start = 0;
  for (let end = 0; end < members.length; ) {
    const from = end;
    const lastMs = members[end]?.timeMs ?? 0;
    for (let next = members[end]; next && next.timeMs === lastMs; next = members[++end])
      gauge.add(next);
    for (
      let oldest = members[start];
      oldest && oldest.timeMs < lastMs - rule.spanMs;
      oldest = members[start]
    ) {
      gauge.remove(oldest);
      start += 1;
    }
    const whole = lastMs >= group.forgottenBeforeMs + rule.spanMs;
    yield {
      firstMs: members[start]?.timeMs ?? lastMs,
      lastMs,
      from,
      to: end,
      holds: whole && gauge.holds(),
    };
  }
}

function episodesOf(rule: CorrelationRule, group: Group, untilMs: number): Episode[] {
  const episodes: Episode[] = group.carry
    ? [{ firstMs: group.carry.firstMs, lastMs: group.carry.lastMs }]
    : [];
  for (const window of windowsOf(rule, group)) {
    if (window.lastMs >= untilMs) break;
    if (window.holds) extend(episodes, window);
  }
  return episodes;
}

/** Windows come by their ends, so one either overlaps the last episode or begins the next. */
function extend(episodes: Episode[], { firstMs, lastMs }: Episode): void {
  const last = episodes.at(-1);
  if (last && firstMs <= last.lastMs)
    episodes[episodes.length - 1] = {
      firstMs: Math.min(last.firstMs, firstMs),
      lastMs: Math.max(last.lastMs, lastMs),
    };
  else episodes.push({ firstMs, lastMs });
}

const nameOf = (member: Member): string => `${member.from} ${member.id}`;

function isKnown(group: Group, member: Member): boolean {
  if (group.members.length <= SMALL)
    return group.members.some(({ id, from }) => id === member.id && from === member.from);
  group.ids ??= new Set(group.members.map(nameOf));
  return group.ids.has(nameOf(member));
}

const byTime = (a: Member, b: Member): number =>
  a.timeMs - b.timeMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : a.from - b.from);

function placeOf(members: readonly Member[], member: Member): number {
  let at = lowerBound(members, member.timeMs);
  for (let next = members[at]; next && byTime(next, member) < 0; next = members[++at]);
  return at;
}

/** The place of the first member at `timeMs` or later. */
function lowerBound(members: readonly Member[], timeMs: number): number {
  let low = 0;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((members[middle]?.timeMs ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

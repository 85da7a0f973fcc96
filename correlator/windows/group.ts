// group.ts — one group's members over event time, and the episodes in which its condition holds.
//
// In:    members in any order, each perhaps more than once.
// Out:   episodes: the maximal unions of overlapping closed windows [f, t] in which the condition holds (DESIGN.md, "Findings").
// Holds: the same set of members gives the same episodes, whatever their order; members are forgotten only where no
//        window that may still change can reach them.
// Why:   the window that ends at the last member is kept while members come in order. What a late member means for the
//        windows before that one is worked out once, with the next tick, for all late members together.
import type { CorrelationRule } from "../../core/records.ts";
import { type Gauge, gaugeOf, membersAtLeast } from "./condition.ts";
import { cover, type Episode, type Span } from "./episodes.ts";
import { sampleOf } from "./evidence.ts";
import { type Member, Members, memberOf, type Widened } from "./members.ts";

/** The part of an episode whose members are forgotten. */
export type Carry = {
  readonly firstMs: number;
  readonly count: number;
  readonly kept: readonly Member[]; // for evidence
};

export type Group = {
  readonly values: readonly string[];
  readonly members: Members;
  episodes: Episode[];
  forgottenBeforeMs: number | undefined; // members below are gone
  settledMs: number | undefined; // a rule that waits for the watermark: windows that end below are decided
  late: Span | undefined; // windows that end in it are to be decided anew
  carry: Carry | undefined;
  bounded: boolean;
  lacking: boolean; // a bound below took something of a member
  page: boolean;
  slide: Slide | undefined; // derived
  fingerprint: string | undefined; // derived
  plannedMs: number | undefined; // derived: for when it is noted that the watermark will concern it, where that is known
  usedInTurn: number | undefined; // derived: of the store that keeps it as an object; undefined where it keeps a copy
};
/** Told of each member that ends a window in which the condition holds, once; undefined where nobody wants to know. */
export type Held = ((member: Member) => void) | undefined;

/** The window that ends with the member before `end`: members from `start` on are in the gauge. */
type Slide = { readonly gauge: Gauge; start: number; end: number };

/** Members of a group of which a copy in bytes is kept, where they fit: its window is not. */
export const RESTING_MEMBERS_MAX = 12;
const SMALL = 4; // members of another group whose window is not kept between two members
const CARRIED_MAX = 200; // twice the most evidence, so that the sample stays the same whatever was forgotten

/** All fields from the start: an object that gains and loses fields is slow. */
export const emptyGroup = (values: readonly string[]): Group => ({
  values,
  members: new Members(),
  episodes: [],
  forgottenBeforeMs: undefined,
  settledMs: undefined,
  late: undefined,
  carry: undefined,
  bounded: false,
  lacking: false,
  page: false,
  slide: undefined,
  fingerprint: undefined,
  plannedMs: undefined,
  usedInTurn: undefined,
});

const forgottenMs = (group: Group): number => group.forgottenBeforeMs ?? Number.NEGATIVE_INFINITY;

/** A window from there has lost members. Where a bound took them, what is left decides, and the finding says so. */
const isCut = (group: Group, fromMs: number): boolean =>
  fromMs < forgottenMs(group) && !group.bounded;

/**
 * Adds a member; false when it is known or forgotten. The last window of a rule that fires at once is decided, that of a
 * small group with a gauge that has nothing in it before and after.
 */
export function addMember(
  rule: CorrelationRule,
  group: Group,
  member: Member,
  on: { readonly atOnce: boolean; readonly held: Held; readonly spare: Gauge },
): boolean {
  const { members } = group;
  const { timeMs } = member;
  if (timeMs < forgottenMs(group)) return false;
  const lastMs = members.lastMs;
  const place = members.add(member);
  const widened = place === undefined ? members.widen(member) : undefined;
  const carriesMore = place === undefined ? members.carryMore(member) : undefined;
  if (carriesMore !== undefined && members.held?.[carriesMore] === 1)
    on.held?.(members.at(carriesMore)); // its point was told without that
  if (place === undefined && widened === undefined) return carriesMore !== undefined;
  for (const episode of group.episodes)
    if (timeMs >= episode.firstMs && timeMs <= episode.lastMs) episode.isDirty = true;
  if (!on.atOnce) return true;
  if (widened) widenSlide(group, member, widened);
  else if (place !== undefined && place < members.length - 1) keepSlide(rule, group, place, member);
  if (timeMs < lastMs) {
    const toMs = timeMs + rule.spanMs;
    group.late = group.late
      ? { firstMs: Math.min(group.late.firstMs, timeMs), lastMs: Math.max(group.late.lastMs, toMs) }
      : { firstMs: timeMs, lastMs: toMs };
    if (toMs < lastMs) return true;
  }
  decideLast(rule, group, on);
  return true;
}

/** Decides the windows that late members touched. */
export function settleLate(rule: CorrelationRule, group: Group, held: Held): void {
  if (!group.late) return;
  const { firstMs, lastMs } = group.late;
  group.late = undefined;
  const slide = slideFrom(rule, group, firstMs);
  decide(rule, group, { slide, untilMs: lastMs + 1, held });
}

/** A rule that waits for the watermark: decides the windows that end before it. */
export function settleUntil(
  rule: CorrelationRule,
  group: Group,
  on: { readonly untilMs: number; readonly held: Held },
): void {
  const slide = group.slide ?? slideFrom(rule, group, group.settledMs ?? Number.NEGATIVE_INFINITY);
  decide(rule, group, { slide, ...on });
  group.settledMs = on.untilMs;
  if (group.members.length > SMALL) group.slide = slide;
  else group.slide = undefined;
}

/** Forgets members before `cutMs`; exact when no window that ends before cutMs + timespan can still change. */
export function forget(group: Group, cutMs: number): void {
  if (cutMs <= forgottenMs(group)) return;
  const { members } = group;
  const gone = members.lowerBound(cutMs);
  const reaching = group.episodes.findLast(({ firstMs }) => firstMs < cutMs);
  if (reaching && reaching.lastMs >= cutMs) {
    const before = carriedBy(group, reaching.firstMs);
    const first = members.lowerBound(reaching.firstMs);
    const inside = members.range(first, gone).map((one) => memberOf(one)); // evidence reads no more
    group.carry = {
      firstMs: reaching.firstMs,
      count: (before?.count ?? 0) + members.eventsIn(first, gone),
      kept: sampleOf([...(before?.kept ?? []), ...inside], CARRIED_MAX),
    };
  } else group.carry = undefined;
  members.drop(gone);
  group.forgottenBeforeMs = cutMs;
  group.episodes = group.episodes.filter(({ lastMs, isDirty }) => lastMs >= cutMs || isDirty);
  group.slide = undefined;
}

/** From now on matches may be missing: what is told of each episode that they could have changed is no longer the last word. */
export function reopen({ episodes }: Group, reachedMs: number): void {
  for (const episode of episodes) if (episode.lastMs >= reachedMs) episode.isDirty = true;
}

export function countOf(group: Group, { firstMs, lastMs }: Span): number {
  const { members } = group;
  const inside = members.eventsIn(members.lowerBound(firstMs), members.lowerBound(lastMs + 1));
  return inside + (carriedBy(group, firstMs)?.count ?? 0);
}

export const carriedBy = (group: Group, firstMs: number): Carry | undefined =>
  group.carry && group.carry.firstMs >= firstMs ? group.carry : undefined;

/** The window that ends at the last member; of a rule that fires at once. */
function decideLast(
  rule: CorrelationRule,
  group: Group,
  { held, spare }: { readonly held: Held; readonly spare: Gauge },
): void {
  const { members } = group;
  const { lastMs } = members;
  const fromMs = lastMs - rule.spanMs;
  if (isCut(group, fromMs)) return;
  if (rule.type === "event_count") {
    const oldest = members.times[members.length - membersAtLeast(rule)];
    if (oldest === undefined || oldest < fromMs) return;
    const firstMs = members.times[members.lowerBound(fromMs)] ?? lastMs;
    hold(group, { firstMs, lastMs }, held);
    return;
  }
  const isCopy = group.usedInTurn === undefined && members.length <= RESTING_MEMBERS_MAX;
  if (members.length > SMALL && !isCopy) {
    group.slide ??= slideFrom(rule, group, lastMs);
    decideWith(rule, group, group.slide, held);
    return;
  }
  const slide = slideFrom(rule, group, lastMs, spare);
  decideWith(rule, group, slide, held);
  for (; slide.start < slide.end; slide.start++) remove(spare, members, slide.start);
}

function decideWith(rule: CorrelationRule, group: Group, slide: Slide, held: Held): void {
  const { members } = group;
  const { lastMs } = members;
  slideTo(rule, group, slide, members.length);
  if (slide.gauge.holds())
    hold(group, { firstMs: members.times[slide.start] ?? lastMs, lastMs }, held);
}

/** The condition holds in a window: tells the members that end it, each once. */
function hold(group: Group, span: Span, held: Held): void {
  const { members } = group;
  if (held)
    for (let at = members.lowerBound(span.lastMs); members.times[at] === span.lastMs; at++)
      if (members.hold(at)) held(members.at(at));
  cover(group.episodes, span);
}

/** Every window from where the slide stands that ends before `untilMs`. */
function decide(
  rule: CorrelationRule,
  group: Group,
  to: {
    readonly slide: Slide;
    readonly untilMs: number;
    readonly held: Held;
  },
): void {
  const { members } = group;
  const { slide } = to;
  const { times } = members;
  while (slide.end < times.length) {
    const lastMs = times[slide.end] ?? 0;
    if (lastMs >= to.untilMs) return;
    let end = slide.end + 1;
    while (times[end] === lastMs) end += 1;
    slideTo(rule, group, slide, end);
    if (!isCut(group, lastMs - rule.spanMs) && slide.gauge.holds())
      hold(group, { firstMs: times[slide.start] ?? lastMs, lastMs }, to.held);
  }
}

/** A slide that has in it what a window that ends at `endMs` reaches back to, and ends before `endMs`. */
function slideFrom(
  rule: CorrelationRule,
  { members }: Group,
  endMs: number,
  gauge = gaugeOf(rule),
): Slide {
  const start = members.lowerBound(endMs - rule.spanMs);
  const end = members.lowerBound(endMs);
  for (let index = start; index < end; index++) add(gauge, members, index);
  return { gauge, start, end };
}

/** Takes members in up to `end`, and lets go of those that a window from there does not reach. */
function slideTo(rule: CorrelationRule, { members }: Group, slide: Slide, end: number): void {
  for (; slide.end < end; slide.end++) add(slide.gauge, members, slide.end);
  const fromMs = (members.times[end - 1] ?? 0) - rule.spanMs;
  for (; (members.times[slide.start] ?? fromMs) < fromMs; slide.start++)
    remove(slide.gauge, members, slide.start);
}

function add(gauge: Gauge, { times, froms, values }: Members, index: number): void {
  gauge.add(times[index] as number, froms?.[index] ?? 0, values?.[index]);
}

function remove(gauge: Gauge, { times, froms, values }: Members, index: number): void {
  gauge.remove(times[index] as number, froms?.[index] ?? 0, values?.[index]);
}

/** An event that several groups of a correlation below tell of is one member, with the values of all. */
function widenSlide({ slide }: Group, member: Member, { place, added }: Widened): void {
  if (slide && place >= slide.start && place < slide.end)
    slide.gauge.add(member.timeMs, member.from, added);
}

/** A member came in at `place`, before the end: inside the kept window, or before it. */
function keepSlide(rule: CorrelationRule, group: Group, place: number, member: Member): void {
  const { slide, members } = group;
  if (!slide) return;
  slide.end += 1;
  if (member.timeMs >= members.lastMs - rule.spanMs)
    slide.gauge.add(member.timeMs, member.from, member.values);
  else if (place <= slide.start) slide.start += 1;
}

// rule-windows.ts — all groups of one correlation rule in one stream.
//
// In:    signals, and the watermark as it goes on.
// Out:   findings, and the points that feed other correlations.
// Holds: a group is forgotten only when no event that may still come can reach it, or when there are too many: then the
//        one whose last event is the oldest goes first, and it is counted.
import type { CorrelationRule, Finding } from "../../core/records.ts";
import { ENDED_MS } from "./clocks.ts";
import { firesAtOnce, firstsAtLeast, type Gauge, gaugeOf } from "./condition.ts";
import { DueNames } from "./due-names.ts";
import { Expiry } from "./expiry.ts";
import {
  type Context,
  dueMs,
  grown,
  type LostGroups,
  mayLack,
  tellDueMs,
  tellFresh,
} from "./findings.ts";
import {
  addMember,
  emptyGroup,
  forget,
  type Group,
  type Held,
  RESTING_MEMBERS_MAX,
  reopen,
  settleLate,
  settleUntil,
} from "./group.ts";
import { nameOf } from "./group-name.ts";
import { GroupStore } from "./group-store.ts";
import type { Member } from "./members.ts";
import type { Point } from "./points.ts";
import { type AtRest, fitsMember } from "./shelf.ts";

export type Bounds = {
  readonly matchesMax: number; // of a group
  readonly valuesMax: number; // of a group, of all its matches together
  readonly groupsMax: number;
  readonly evidenceMax: number;
};
/** How many groups all windows of a partition have together, and who goes when there are too many. */
export type Room = { groups: number; readonly make: () => void };
export type Caused = {
  readonly findings: Finding[];
  readonly points: Point[];
};
export type Match = {
  readonly group: readonly string[];
  readonly member: Member;
  readonly page: boolean;
  readonly bounded: boolean; // it may lack something itself
};
export type Taken = "added" | "known" | "overdue" | "forgotten";
/** What gave way because a bound was reached. */
export type Lost = {
  evicted: number; // groups
  forgotten: number; // matches
  readonly evictedOf: Set<string>; // ids of the rules that lost groups
  readonly forgottenOf: Set<string>;
};

const BUCKETS_A_SPAN = 64;
const FORGET_OVER = 64;
export const KEPT = 0.75; // of what a group may have, once it had more

export class RuleWindows {
  rule: CorrelationRule;
  readonly groups = new GroupStore();
  readonly lost: LostGroups = { untilMs: Number.NEGATIVE_INFINITY };
  watermarkMs = Number.NEGATIVE_INFINITY;
  #context: Context;
  readonly #bounds: Bounds;
  readonly #counts: Lost;
  readonly #room: Room;
  readonly #atOnce: boolean;
  readonly #spare: Gauge; // with nothing in it
  #rest: AtRest;
  readonly #due = new DueNames(); // groups that the watermark will concern
  readonly #expiry: Expiry;

  constructor(
    context: Omit<Context, "lost">,
    parts: { readonly bounds: Bounds; readonly counts: Lost; readonly room: Room },
  ) {
    const { bounds, counts, room } = parts;
    this.#counts = counts;
    this.#room = room;
    this.rule = context.rule;
    this.#context = { ...context, lost: this.lost };
    this.#bounds = bounds;
    this.#atOnce = firesAtOnce(context.rule);
    this.#spare = gaugeOf(context.rule);
    this.#rest = this.#atRest();
    this.#expiry = new Expiry(Math.max(1000, Math.ceil(context.rule.spanMs / BUCKETS_A_SPAN)));
  }

  /** The same version came again: whom it feeds, and how it is called, may be new. */
  announced(rule: CorrelationRule): void {
    this.rule = rule;
    this.#context = { ...this.#context, rule };
    this.#rest = this.#atRest();
  }

  #atRest(): AtRest {
    const { rule, onlyLast } = this.#context;
    const isPlain = rule.feeds.length === 0 && rule.suppressMs === undefined;
    const isSimple = isPlain && (onlyLast || !rule.escalate); // no more than its episode and when that is told
    const holds = rule.type === "event_count" ? true : this.#spare;
    return {
      max: Math.min(RESTING_MEMBERS_MAX, this.#bounds.matchesMax),
      count: this.#atOnce ? firstsAtLeast(rule) : 1,
      spanMs: rule.spanMs,
      holds: isSimple ? holds : undefined,
      mayBegin: onlyLast,
    };
  }

  /** Nothing is left that a finding may depend on. */
  isIdle(): boolean {
    return this.groups.size === 0 && this.lost.untilMs < this.watermarkMs - this.rule.spanMs;
  }

  take(match: Match, caused: Caused): Taken {
    const { member } = match;
    if (member.timeMs < this.watermarkMs) return "overdue";
    const name = nameOf(match.group);
    const mayRest = this.#mayRest(match);
    const found = mayRest ? this.groups.append(name, member, this.#rest) : this.groups.get(name);
    if (found === "rests") {
      const { news } = this.groups;
      if (news) this.#due.put(name, dueMs(this.#context, news));
      return "added";
    }
    if (!found && mayRest && this.#begins(name, member)) return "added";
    const group = found ?? this.#newGroup(name, match);
    if (this.#isRefused(group, member)) {
      this.#giveUp(group, caused);
      this.groups.keep(name, group);
      return "forgotten";
    }
    const on = { atOnce: this.#atOnce, spare: this.#spare, held: this.#points(group, caused) };
    if (!addMember(this.rule, group, member, on)) return "known";
    if (match.page) group.page = true;
    if (match.bounded) group.lacking = true;
    this.#bound(group, caused);
    if (this.#atOnce)
      tellFresh(this.#context, group, {
        watermarkMs: this.watermarkMs,
        findings: caused.findings,
      });
    this.#plan(name, group);
    this.groups.keep(name, group);
    return "added";
  }

  /** The watermark went on: tells what grew, decides what had to wait, forgets what no event can reach any more. */
  advance(watermarkMs: number, caused: Caused): void {
    this.watermarkMs = watermarkMs;
    const isEnd = watermarkMs === ENDED_MS;
    for (const name of isEnd ? this.#due.takeAll() : this.#due.take(watermarkMs)) {
      const group = isEnd ? this.groups.look(name) : this.groups.get(name);
      if (!group) continue;
      group.plannedMs = undefined;
      const held = this.#points(group, caused);
      if (this.#atOnce) settleLate(this.rule, group, held);
      else settleUntil(this.rule, group, { untilMs: watermarkMs, held });
      caused.findings.push(...grown(this.#context, group, watermarkMs));
      if (isEnd) continue;
      this.#plan(name, group);
      this.groups.keep(name, group);
    }
    if (isEnd) this.#forgetAll();
    else this.#expire();
  }

  /** Puts back a group from a snapshot. */
  restore(name: string, text: string): void {
    const group = this.groups.restore(name, text);
    this.#room.groups += 1;
    this.#expiry.put(name, group.members.lastMs);
    this.#plan(name, group);
  }

  /** Nothing can come of one such member: most groups never get far, and are never made an object. */
  #mayRest({ member: { values, carried }, page, bounded }: Match): boolean {
    const isPlain = values === undefined && carried === undefined && !page && !bounded;
    return isPlain && this.#rest.count >= 2;
  }

  #begins(name: string, member: Member): boolean {
    if (!fitsMember(member)) return false;
    this.#makeRoom(name, member);
    this.groups.begin(name, member);
    return true;
  }

  #newGroup(name: string, { group: values, member }: Match): Group {
    this.#makeRoom(name, member);
    return emptyGroup(values);
  }

  /** For a new group. */
  #makeRoom(name: string, { timeMs }: Member): void {
    if (this.#room.groups >= this.#bounds.groupsMax) this.#room.make();
    this.#room.groups += 1;
    this.#expiry.put(name, timeMs);
  }

  /** Notes when the watermark will next mean something for the group, if it will. */
  #plan(name: string, group: Group): void {
    const decideMs = this.#atOnce ? group.late && Number.NEGATIVE_INFINITY : undecidedFromMs(group);
    const tellMs = tellDueMs(this.#context, group);
    const atMs = Math.min(decideMs ?? Number.POSITIVE_INFINITY, tellMs);
    if (atMs >= (group.plannedMs ?? Number.POSITIVE_INFINITY)) return;
    group.plannedMs = atMs;
    this.#due.put(name, atMs);
  }

  /** Takes the members with which the condition held, where other correlations want them. */
  #points(group: Group, caused: Caused): Held {
    if (this.rule.feeds.length === 0) return undefined;
    return (member) => {
      const bounded = mayLack(this.#context, group, member.timeMs - this.rule.spanMs);
      caused.points.push({ group, member, bounded });
    };
  }

  #isOver({ members }: Group): boolean {
    const { matchesMax, valuesMax } = this.#bounds;
    return members.length > matchesMax || members.valuesCount > valuesMax;
  }

  /** From before what was forgotten; or of a time of which there are too many, and nothing older that could go instead. */
  #isRefused(group: Group, { timeMs, id, from, values, carried }: Member): boolean {
    const { members, forgottenBeforeMs = Number.NEGATIVE_INFINITY } = group;
    if (timeMs < forgottenBeforeMs) return true;
    if (timeMs !== members.times[0] || !this.#isOver(group)) return false;
    const mayBeMore = values !== undefined || carried !== undefined;
    return mayBeMore || !members.isKnown(id, from);
  }

  /** Tells what the group has found while that is all there, and what may lack matches from now on. */
  #giveUp(group: Group, caused: Caused): void {
    if (!group.bounded) reopen(group, this.#reachedMs);
    group.bounded = true;
    this.#counts.forgottenOf.add(this.rule.about.id);
    caused.findings.push(...grown(this.#context, group, Number.POSITIVE_INFINITY));
  }

  /** Of a group with too much the oldest goes. Matches of one time go together: where they are too many, no more are taken. */
  #bound(group: Group, caused: Caused): void {
    const { members } = group;
    if (this.#isOver(group)) {
      const keep = {
        matches: Math.ceil(this.#bounds.matchesMax * KEPT),
        values: Math.ceil(this.#bounds.valuesMax * KEPT),
      };
      const cutMs = members.times[members.placeOfNewest(keep)] ?? 0;
      if (cutMs <= (members.times[0] ?? 0)) return;
      this.#giveUp(group, caused);
      const before = members.length;
      forget(group, cutMs);
      this.#counts.forgotten += before - members.length;
    } else if (
      members.length > FORGET_OVER &&
      (members.times[0] ?? 0) < this.watermarkMs - 3 * this.rule.spanMs
    )
      forget(group, this.watermarkMs - 2 * this.rule.spanMs);
  }

  /** What ended before then, nothing that may still come can change. */
  get #reachedMs(): number {
    return this.watermarkMs - this.rule.spanMs;
  }

  #expire(): void {
    const reachedMs = this.#reachedMs;
    for (const name of this.#expiry.takeBefore(reachedMs)) {
      const lastMs = this.groups.lastMs(name);
      if (lastMs === undefined) continue;
      if (lastMs < reachedMs && !this.#due.has(name)) this.#delete(name);
      else this.#expiry.put(name, lastMs);
    }
  }

  /** The groups with the oldest last events, as many. Gives what they had still to tell, and what may lack events from now on. */
  evict(count: number): Finding[] {
    const told: Finding[] = [];
    const names = this.#expiry.takeOldest(count, (one) => this.groups.lastMs(one));
    const untilMs = this.groups.lastMs(names.at(-1) ?? "") ?? Number.NEGATIVE_INFINITY;
    this.lost.untilMs = Math.max(this.lost.untilMs, untilMs);
    for (const name of names) {
      const group = this.#isToTell(name) ? this.groups.look(name) : undefined;
      if (group) {
        reopen(group, this.#reachedMs);
        told.push(...grown(this.#context, group, Number.POSITIVE_INFINITY));
      }
      this.#delete(name);
      this.#due.delete(name);
      this.#counts.evicted += 1;
    }
    return told;
  }

  /** Of a group that gives way: it has grown, or what it told could have. */
  #isToTell(name: string): boolean {
    if (this.#due.has(name)) return true;
    const lastMs = this.groups.lastMs(name) ?? Number.NEGATIVE_INFINITY;
    return lastMs >= this.#reachedMs && this.groups.hasEpisodes(name);
  }

  #forgetAll(): void {
    this.#room.groups -= this.groups.size;
    this.groups.clear();
    this.#expiry.clear();
  }

  #delete(name: string): void {
    if (this.groups.delete(name)) this.#room.groups -= 1;
  }
}

/** The watermark from which a window is to be decided that is not yet. */
function undecidedFromMs({ members, settledMs }: Group): number | undefined {
  const timeMs = members.times[members.lowerBound(settledMs ?? Number.NEGATIVE_INFINITY)];
  return timeMs === undefined ? undefined : timeMs + 1;
}

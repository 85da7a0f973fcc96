// rule-windows.ts — all groups of one correlation rule in one stream.
//
// In:    signals, and the watermark as it goes on.
// Out:   findings, and the points that feed other correlations.
// Holds: a group is forgotten only when no event that may still come can reach it, or when there are too many: then the
//        one with the oldest event time goes first, and it is counted.
import type { CorrelationRule, Finding, Signal } from "../../core/records.ts";
import { firesAtOnce, type Member } from "./condition.ts";
import { type Context, grown, reconcile } from "./episodes.ts";
import {
  addMember,
  emptyGroup,
  forget,
  type Group,
  lastMsOf,
  pointsOf,
  recompute,
} from "./group.ts";

export type Bounds = {
  readonly matchesMax: number;
  readonly groupsMax: number;
  readonly evidenceMax: number;
};
/** How many groups all windows of a partition have together, and who goes when there are too many. */
export type Room = { groups: number; readonly make: () => void };
export type Caused = {
  readonly findings: Finding[];
  readonly points: { readonly group: Group; readonly member: Member }[];
};
export type Taken = "added" | "known" | "overdue";

const BUCKETS_A_SPAN = 4;
const FORGET_OVER = 64;

export class RuleWindows {
  readonly rule: CorrelationRule;
  readonly groups = new Map<string, Group>();
  watermarkMs = Number.NEGATIVE_INFINITY;
  readonly #context: Context;
  readonly #bounds: Bounds;
  readonly #counts: { evicted: number };
  readonly #room: Room;
  readonly #atOnce: boolean;
  readonly #dirty = new Set<Group>();
  readonly #expiry = new Map<number, string[]>(); // group names by the bucket in which they may expire
  readonly #bucketMs: number;

  constructor(
    context: Context,
    parts: { readonly bounds: Bounds; readonly counts: { evicted: number }; readonly room: Room },
  ) {
    const { bounds, counts, room } = parts;
    this.#counts = counts;
    this.#room = room;
    this.rule = context.rule;
    this.#context = context;
    this.#bounds = bounds;
    this.#atOnce = firesAtOnce(context.rule);
    this.#bucketMs = Math.max(1000, Math.ceil(context.rule.spanMs / BUCKETS_A_SPAN));
  }

  take(signal: Signal, caused: Caused): Taken {
    if (signal.timeMs < this.watermarkMs) return "overdue";
    const group = this.#group(signal.group, signal.timeMs);
    const member: Member = {
      timeMs: signal.timeMs,
      id: signal.id,
      from: this.rule.rules.indexOf(signal.from),
      ...(signal.values && { values: signal.values }),
    };
    if (!addMember(this.rule, group, member, this.#atOnce)) return "known";
    if (signal.page) group.page = true;
    this.#bound(group);
    if (!this.#atOnce) {
      this.#dirty.add(group);
      return "added";
    }
    this.#tell(group, caused);
    if (this.rule.feeds.length > 0)
      this.#point(group, caused, member.timeMs, member.timeMs + this.rule.spanMs);
    return "added";
  }

  /** The watermark went on: tells what grew, decides what had to wait, forgets what no event can reach any more. */
  advance(watermarkMs: number, caused: Caused): void {
    const beforeMs = this.watermarkMs;
    this.watermarkMs = watermarkMs;
    for (const group of this.#dirty) {
      if (!this.#atOnce) {
        recompute(this.rule, group, watermarkMs);
        this.#tell(group, caused);
        if (this.rule.feeds.length > 0) this.#point(group, caused, beforeMs, watermarkMs - 1);
      }
      caused.findings.push(...grown(this.#context, group));
      if (this.#atOnce || lastMsOf(group) < watermarkMs) this.#dirty.delete(group);
    }
    this.#expire();
  }

  /** Puts back a group from a snapshot. */
  restore(name: string, group: Group): void {
    this.groups.set(name, group);
    this.#room.groups += 1;
    this.#schedule(name, lastMsOf(group));
    if (!this.#atOnce || group.published.some(({ dirty }) => dirty)) this.#dirty.add(group);
  }

  #group(values: readonly string[], timeMs: number): Group {
    const name = values.join("\u0000");
    const known = this.groups.get(name);
    if (known) return known;
    if (this.#room.groups >= this.#bounds.groupsMax) this.#room.make();
    const group = emptyGroup(values);
    this.groups.set(name, group);
    this.#room.groups += 1;
    this.#schedule(name, timeMs);
    return group;
  }

  #tell(group: Group, caused: Caused): void {
    caused.findings.push(...reconcile(this.#context, group));
    if (group.published.some(({ dirty }) => dirty)) this.#dirty.add(group);
  }

  #point(group: Group, caused: Caused, fromMs: number, toMs: number): void {
    for (const member of pointsOf(this.rule, group, fromMs, toMs)) {
      if (member.told) continue;
      member.told = true;
      caused.points.push({ group, member });
    }
  }

  #bound(group: Group): void {
    const { members } = group;
    if (members.length > this.#bounds.matchesMax) {
      group.bounded = true;
      const keep = Math.ceil(this.#bounds.matchesMax * 0.75);
      forget(this.rule, group, members[members.length - keep]?.timeMs ?? 0);
    } else if (
      members.length > FORGET_OVER &&
      (members[0]?.timeMs ?? 0) < this.watermarkMs - 3 * this.rule.spanMs
    )
      forget(this.rule, group, this.watermarkMs - 2 * this.rule.spanMs);
  }

  #schedule(name: string, fromMs: number): void {
    const dueMs = Math.max(fromMs, this.watermarkMs) + this.rule.spanMs;
    const bucket = Number.isFinite(dueMs)
      ? Math.floor(dueMs / this.#bucketMs) + 1
      : Number.NEGATIVE_INFINITY;
    const names = this.#expiry.get(bucket);
    if (names) names.push(name);
    else this.#expiry.set(bucket, [name]);
  }

  #expire(): void {
    for (const bucket of [...this.#expiry.keys()].sort((a, b) => a - b)) {
      if (bucket * this.#bucketMs > this.watermarkMs) return;
      const names = this.#expiry.get(bucket) ?? [];
      this.#expiry.delete(bucket);
      for (const name of names) {
        const group = this.groups.get(name);
        if (!group) continue;
        if (lastMsOf(group) + this.rule.spanMs < this.watermarkMs && !this.#dirty.has(group))
          this.#delete(name);
        else this.#schedule(name, lastMsOf(group));
      }
    }
  }

  /** The groups with the oldest events, as many. */
  evict(count: number): void {
    let left = count;
    for (const bucket of [...this.#expiry.keys()].sort((a, b) => a - b)) {
      const names = this.#expiry.get(bucket) ?? [];
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        const group = this.groups.get(name);
        if (!group) continue;
        this.#delete(name);
        this.#dirty.delete(group);
        this.#counts.evicted += 1;
        if (--left === 0) return;
      }
      this.#expiry.delete(bucket);
    }
  }

  #delete(name: string): void {
    if (this.groups.delete(name)) this.#room.groups -= 1;
  }
}

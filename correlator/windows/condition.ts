// condition.ts — says whether a correlation's condition holds over the members of one window, as members come and go.
import type { CorrelationRule, CountCondition, Operator } from "../../core/records.ts";
import type { Member } from "./members.ts";

/** Holds the members of one window; they come and go in any order. */
export type Gauge = {
  readonly add: (member: Member) => void;
  readonly remove: (member: Member) => void;
  readonly holds: () => boolean;
};

const COMPARE: Readonly<Record<Operator, (found: number, wanted: number) => boolean>> = {
  gt: (found, wanted) => found > wanted,
  gte: (found, wanted) => found >= wanted,
  lt: (found, wanted) => found < wanted,
  lte: (found, wanted) => found <= wanted,
  eq: (found, wanted) => found === wanted,
  neq: (found, wanted) => found !== wanted,
};
const OPERATORS = Object.keys(COMPARE) as readonly Operator[];

/** True where more members can only make the condition truer: it may fire before the watermark has passed. */
export function firesAtOnce(rule: CorrelationRule): boolean {
  if (rule.type === "temporal" || rule.type === "temporal_ordered") return true;
  return OPERATORS.every((op) => rule.condition[op] === undefined || op === "gt" || op === "gte");
}

/** How many members make the condition true, where nothing else matters; undefined where something does. */
export function membersNeeded(rule: CorrelationRule): number | undefined {
  if (rule.type !== "event_count" || !firesAtOnce(rule)) return undefined;
  const { gte = 1, gt = 0 } = rule.condition;
  return Math.max(1, Math.ceil(gte), Math.floor(gt) + 1);
}

export function gaugeOf(rule: CorrelationRule): Gauge {
  switch (rule.type) {
    case "event_count":
      return eventCount(rule.condition);
    case "value_count":
      return valueCount(rule.condition);
    case "temporal":
      return allPresent(rule.rules.length);
    case "temporal_ordered":
      return inOrder(rule.rules.length);
    case "absence":
      throw new Error("an absence has no windows: absence.ts decides it");
  }
}

function countHolds(condition: CountCondition, count: number): boolean {
  return OPERATORS.every((op) => {
    const wanted = condition[op];
    return wanted === undefined || COMPARE[op](count, wanted);
  });
}

function eventCount(condition: CountCondition): Gauge {
  let count = 0;
  return {
    add: () => {
      count += 1;
    },
    remove: () => {
      count -= 1;
    },
    holds: () => countHolds(condition, count),
  };
}

function valueCount(condition: CountCondition): Gauge {
  const counts = new Map<string, number>();
  const change = (member: Member, by: number) => {
    for (const value of member.values ?? []) {
      const count = (counts.get(value) ?? 0) + by;
      if (count > 0) counts.set(value, count);
      else counts.delete(value);
    }
  };
  return {
    add: (member) => change(member, 1),
    remove: (member) => change(member, -1),
    holds: () => countHolds(condition, counts.size),
  };
}

function allPresent(rules: number): Gauge {
  const counts = new Array<number>(rules).fill(0);
  let present = 0;
  return {
    add: ({ from }) => {
      const count = (counts[from] ?? 0) + 1;
      counts[from] = count;
      if (count === 1) present += 1;
    },
    remove: ({ from }) => {
      const count = (counts[from] ?? 0) - 1;
      counts[from] = count;
      if (count === 0) present -= 1;
    },
    holds: () => present === rules,
  };
}

/** The rules match one after the other, in their order; equal times count as in order. */
function inOrder(rules: number): Gauge {
  const times = Array.from({ length: rules }, () => new Queue());
  return {
    add: ({ from, timeMs }) => times[from]?.add(timeMs),
    remove: ({ from }) => times[from]?.shift(),
    // From the end: the latest match of each rule that is not after the one chosen for the rule behind it.
    holds: () => {
      let limitMs = Number.POSITIVE_INFINITY;
      for (let from = rules - 1; from >= 0; from--) {
        const found = times[from]?.latestUpTo(limitMs);
        if (found === undefined) return false;
        limitMs = found;
      }
      return true;
    },
  };
}

const HOLE_MAX = 64;

/** Sorted times; the oldest leave first. */
class Queue {
  #times: number[] = [];
  #start = 0;

  add(timeMs: number): void {
    let at = this.#times.length;
    while (at > this.#start && (this.#times[at - 1] ?? 0) > timeMs) at -= 1;
    if (at === this.#times.length) this.#times.push(timeMs);
    else this.#times.splice(at, 0, timeMs);
  }

  shift(): void {
    this.#start += 1;
    if (this.#start <= HOLE_MAX || this.#start * 2 <= this.#times.length) return;
    this.#times = this.#times.slice(this.#start);
    this.#start = 0;
  }

  latestUpTo(limitMs: number): number | undefined {
    let low = this.#start;
    let high = this.#times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#times[middle] ?? 0) <= limitMs) low = middle + 1;
      else high = middle;
    }
    return low === this.#start ? undefined : this.#times[low - 1];
  }
}

// order-gauges.ts — the conditions of temporal_ordered: rules that match one after the other, in their order.
//
// Holds: equal times count as in order; members leave in the order of their times.
import type { CorrelationRule, InOrder } from "../../core/records.ts";
import type { Gauge, Holds } from "./condition.ts";
import { compare } from "./exact.ts";

export function inOrder({ rules, condition }: CorrelationRule, holds: Holds): Gauge {
  const times = Array.from(rules, () => new Queue());
  const all: InOrder = { rules: [...rules.keys()], without: [] };
  const needsAll = condition.gte === rules.length;
  const decide = (): boolean => {
    if (condition.orders) return condition.orders.some((order) => isFound(times, order));
    if (needsAll && !isFound(times, all)) return false;
    const count = needsAll ? rules.length : longest(times);
    return holds((wanted) => compare(count, wanted));
  };
  return {
    add: (timeMs, from) => times[from]?.add(timeMs),
    remove: (_timeMs, from) => times[from]?.shift(),
    holds: decide,
  };
}

/** From the end: the latest match of each rule that is not after the one chosen for the rule behind it. */
function isFound(times: readonly Queue[], { rules, without }: InOrder): boolean {
  if (without.some((place) => times[place]?.latestUpTo(Number.POSITIVE_INFINITY) !== undefined))
    return false;
  let limitMs = Number.POSITIVE_INFINITY;
  for (let index = rules.length - 1; index >= 0; index--) {
    const found = times[rules[index] ?? 0]?.latestUpTo(limitMs);
    if (found === undefined) return false;
    limitMs = found;
  }
  return true;
}

/** How many rules match one after the other at most: `starts` has the latest start of a chain of each length. */
function longest(times: readonly Queue[]): number {
  const starts: number[] = [Number.POSITIVE_INFINITY];
  for (const queue of times.toReversed())
    for (let length = starts.length; length > 0; length--) {
      const found = queue.latestUpTo(starts[length - 1] ?? Number.NEGATIVE_INFINITY);
      if (found !== undefined) starts[length] = Math.max(starts[length] ?? found, found);
    }
  return starts.length - 1;
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

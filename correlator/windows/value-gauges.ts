// value-gauges.ts — the conditions over what a field of the members says: their sum, average, percentile, and the share
// of each value among all.
//
// Holds: exact (exact.ts): what the members of a window are decides, not how they came and went.
import type { CountCondition, EventValues } from "../../core/records.ts";
import type { Gauge, Holds } from "./condition.ts";
import { compare, ExactSum } from "./exact.ts";
import { SortedNumbers } from "./sorted-numbers.ts";

const PARTS = 100_000; // of which a percentile is a whole number: thousandths of a percent
export const MEDIAN = 50;

export function valueSum(holds: Holds): Gauge {
  const sum = new ExactSum();
  const change = (values: EventValues | undefined, by: number) =>
    eachNumber(values, (number) => sum.add(number, by));
  return {
    add: (_timeMs, _from, values) => change(values, 1),
    remove: (_timeMs, _from, values) => change(values, -1),
    holds: () => holds((wanted) => sum.compare(wanted)),
  };
}

export function valueAverage(holds: Holds): Gauge {
  const sum = new ExactSum();
  let count = 0;
  const change = (values: EventValues | undefined, by: number) =>
    eachNumber(values, (number) => {
      sum.add(number, by);
      count += by;
    });
  return {
    add: (_timeMs, _from, values) => change(values, 1),
    remove: (_timeMs, _from, values) => change(values, -1),
    holds: () => count > 0 && holds((wanted) => sum.compare(wanted, count)),
  };
}

/** Between two numbers a percentile lies on the straight line, so that the median is percentile 50. */
export function valuePercentile(percentile: number, holds: Holds): Gauge {
  const sorted = new SortedNumbers();
  const compareWith = (wanted: number): number => {
    const place = Math.round((percentile * PARTS) / 100) * (sorted.length - 1);
    const rank = Math.floor(place / PARTS);
    const part = place % PARTS;
    const low = sorted.at(rank) ?? 0;
    const high = part === 0 ? low : (sorted.at(rank + 1) ?? low);
    const [below, above] = [compare(low, wanted), compare(high, wanted)];
    if (below === above) return below;
    if (below === 0 || above === 0) return below + above;
    const line = new ExactSum();
    line.add(low, PARTS - part);
    line.add(high, part);
    return line.compare(wanted, PARTS);
  };
  return {
    add: (_timeMs, _from, values) => eachNumber(values, (number) => sorted.add(number)),
    remove: (_timeMs, _from, values) => eachNumber(values, (number) => sorted.remove(number)),
    holds: () => sorted.length > 0 && holds(compareWith),
  };
}

/** Holds where the share of some value among all values, in percent, is as wanted. */
export function valueShare(holds: Holds): Gauge {
  const counts = new Map<string | number, number>();
  const having = new Map<number, number>(); // how many values there are of each count
  let all = 0;
  const tally = (count: number, by: number) => {
    if (count === 0) return;
    const values = (having.get(count) ?? 0) + by;
    if (values > 0) having.set(count, values);
    else having.delete(count);
  };
  const change = (values: EventValues | undefined, by: number) => {
    for (const value of typeof values === "number" ? [values] : (values ?? [])) {
      const before = counts.get(value) ?? 0;
      const count = before + by;
      tally(before, -1);
      tally(count, 1);
      if (count > 0) counts.set(value, count);
      else counts.delete(value);
      all += by;
    }
  };
  const isAsWanted = (count: number): boolean => {
    const hundredfold = new ExactSum();
    hundredfold.add(count, 100);
    return holds((wanted) => hundredfold.compare(wanted, all));
  };
  return {
    add: (_timeMs, _from, values) => change(values, 1),
    remove: (_timeMs, _from, values) => change(values, -1),
    holds: () => [...having.keys()].some(isAsWanted),
  };
}

/** True where the condition is about the numbers of a field, not about its values as such. */
export function readsNumbers(rule: {
  readonly type: string;
  readonly condition: CountCondition;
}): boolean {
  if (rule.type === "value_percentile") return rule.condition.percentile !== undefined;
  return rule.type === "value_sum" || rule.type === "value_avg" || rule.type === "value_median";
}

function eachNumber(values: EventValues | undefined, take: (number: number) => void): void {
  if (typeof values === "number") take(values);
  else for (const value of values ?? []) if (typeof value === "number") take(value);
}

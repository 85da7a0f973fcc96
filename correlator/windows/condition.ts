// condition.ts — says whether a correlation's condition holds over the members of one window, as members come and go.
import type {
  CorrelationRule,
  CountCondition,
  EventValues,
  Operator,
  RuleTest,
} from "../../core/records.ts";
import { compare } from "./exact.ts";
import { inOrder } from "./order-gauges.ts";
import { MEDIAN, valueAverage, valuePercentile, valueShare, valueSum } from "./value-gauges.ts";

/** What a condition reads of a member. No object: windows that slide would make one for each member that comes or goes. */
type Change = (timeMs: number, from: number, values: EventValues | undefined) => void;
/** Holds the members of one window; they come and go in any order. */
export type Gauge = {
  readonly add: Change;
  readonly remove: Change;
  readonly holds: () => boolean;
};
/** Asks each part of a condition, by telling how what was found compares with the number in it. */
export type Holds = (compareWith: (wanted: number) => number) => boolean;

const PASSES: Readonly<Record<Operator, (compared: number) => boolean>> = {
  gt: (compared) => compared > 0,
  gte: (compared) => compared >= 0,
  lt: (compared) => compared < 0,
  lte: (compared) => compared <= 0,
  eq: (compared) => compared === 0,
  neq: (compared) => compared !== 0,
};
const OPERATORS = Object.keys(PASSES) as readonly Operator[];

/** True where it matters which of the rules matched; for all others an event that several of them match is one. */
export const tellsRulesApart = ({ type }: CorrelationRule): boolean =>
  type === "temporal" || type === "temporal_ordered";

/** True where more members can only make the condition truer: it may fire before the watermark has passed. */
export function firesAtOnce({ type, condition }: CorrelationRule): boolean {
  switch (type) {
    case "event_count":
    case "value_count":
      return onlyGrows(condition);
    case "temporal":
      return condition.match ? !isNegative(condition.match) : onlyGrows(condition);
    case "temporal_ordered":
      return condition.orders
        ? condition.orders.every(({ without }) => without.length === 0)
        : onlyGrows(condition);
    case "value_sum":
    case "value_avg":
    case "value_median":
    case "value_percentile":
    case "absence":
      return false;
  }
}

const onlyGrows = (condition: CountCondition): boolean =>
  OPERATORS.every((op) => condition[op] === undefined || op === "gt" || op === "gte");

function isNegative(test: RuleTest): boolean {
  if ("rule" in test) return false;
  return "without" in test || ("all" in test ? test.all : test.any).some(isNegative);
}

/** With fewer members than that the condition of a rule that fires at once is never true; of event_count with as many it is. */
export function membersAtLeast({ type, condition }: CorrelationRule): number {
  const isCount = type === "event_count" || type === "temporal" || type === "temporal_ordered";
  if (!isCount || condition.match || condition.orders) return 1;
  const { gte = 1, gt = 0 } = condition;
  return Math.max(1, Math.ceil(gte), Math.floor(gt) + 1);
}

/** As many members of the rule that it names first must be there, without others, before anything can come of them. */
export function firstsAtLeast(rule: CorrelationRule): number {
  const least = membersAtLeast(rule);
  return rule.type === "event_count" || least < 2 ? least : Number.POSITIVE_INFINITY;
}

export function gaugeOf(rule: CorrelationRule): Gauge {
  const { type, condition } = rule;
  const holds: Holds = (compareWith) =>
    OPERATORS.every((op) => {
      const wanted = condition[op];
      return wanted === undefined || PASSES[op](compareWith(wanted));
    });
  switch (type) {
    case "event_count":
      return eventCount(holds);
    case "value_count":
      return valueCount(holds);
    case "temporal":
      return present(rule, holds);
    case "temporal_ordered":
      return inOrder(rule, holds);
    case "value_sum":
      return valueSum(holds);
    case "value_avg":
      return valueAverage(holds);
    case "value_median":
      return valuePercentile(MEDIAN, holds);
    case "value_percentile":
      return condition.percentile === undefined
        ? valueShare(holds)
        : valuePercentile(condition.percentile, holds);
    case "absence":
      throw new Error("an absence has no windows: absence.ts decides it");
  }
}

function eventCount(holds: Holds): Gauge {
  let count = 0;
  return {
    add: () => {
      count += 1;
    },
    remove: () => {
      count -= 1;
    },
    holds: () => holds((wanted) => compare(count, wanted)),
  };
}

function valueCount(holds: Holds): Gauge {
  const counts = new Map<string | number, number>();
  const change = (values: EventValues | undefined, by: number) => {
    if (typeof values === "number") return;
    for (const value of values ?? []) {
      const count = (counts.get(value) ?? 0) + by;
      if (count > 0) counts.set(value, count);
      else counts.delete(value);
    }
  };
  return {
    add: (_timeMs, _from, values) => change(values, 1),
    remove: (_timeMs, _from, values) => change(values, -1),
    holds: () => holds((wanted) => compare(counts.size, wanted)),
  };
}

/** Which rules match in the window, in whatever order. */
function present({ rules, condition }: CorrelationRule, holds: Holds): Gauge {
  const counts = new Array<number>(rules.length).fill(0);
  let count = 0;
  const passes = (test: RuleTest): boolean => {
    if ("rule" in test) return (counts[test.rule] ?? 0) > 0;
    if ("without" in test) return counts[test.without] === 0;
    return "all" in test ? test.all.every(passes) : test.any.some(passes);
  };
  const { match } = condition;
  return {
    add: (_timeMs, from) => {
      const matches = (counts[from] ?? 0) + 1;
      counts[from] = matches;
      if (matches === 1) count += 1;
    },
    remove: (_timeMs, from) => {
      const matches = (counts[from] ?? 0) - 1;
      counts[from] = matches;
      if (matches === 0) count -= 1;
    },
    holds: () => (match ? passes(match) : holds((wanted) => compare(count, wanted))),
  };
}

// condition.ts — says whether a correlation's condition holds over the members of one window, as members come and go.
import type { CorrelationRule, CountCondition, Operator } from "../../core/records.ts";

/** One match that counts in a group. */
export type Member = {
  readonly timeMs: number;
  readonly id: string; // the event's
  readonly from: number; // which of the correlation's rules matched, by its place in `rules`
  readonly values?: readonly string[]; // value_count
  told?: true; // was sent on as a point; after a restart it may be sent again, which changes nothing
};

/** Holds the members of one sliding window. */
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
  const change = (from: number, by: number) => {
    counts[from] = (counts[from] ?? 0) + by;
  };
  return {
    add: ({ from }) => change(from, 1),
    remove: ({ from }) => change(from, -1),
    holds: () => counts.every((count) => count > 0),
  };
}

/** The rules match one after the other, in their order; equal times count as in order. */
function inOrder(rules: number): Gauge {
  const members: Member[] = []; // by time
  let gone = 0;
  return {
    add: (member) => {
      members.push(member);
    },
    remove: () => {
      gone += 1;
    },
    holds: () => {
      let reached = 0;
      for (let at = gone; at < members.length && reached < rules; ) {
        const timeMs = members[at]?.timeMs;
        const now = new Set<number>();
        for (; members[at]?.timeMs === timeMs && at < members.length; at++)
          now.add(members[at]?.from ?? -1);
        while (now.has(reached)) reached += 1;
      }
      return reached === rules;
    },
  };
}

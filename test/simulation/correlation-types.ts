// correlation-types.ts — each type of correlation, once to be drawn and once as brute force: a new type is an entry here.
//
// Holds: `holds` is the specification's sentence in the plainest words; nothing of the product's code helps it.
import type { Chance } from "./chance.ts";
import { drawExpression, type Expression, isTrue, textOf } from "./expression.ts";
import {
  averageOf,
  exact,
  hasNumber,
  type Measure,
  percentileOf,
  sharesOf,
  sumOf,
} from "./measures.ts";

/** An event (or a point of another correlation) as one correlation sees it. */
export type Member = {
  readonly timeMs: number;
  readonly id: string;
  readonly from: number; // which of the correlation's rules it comes by
  /** Its fields. Several times where several groups of a correlation below tell of the same event. */
  readonly told: readonly Fields[];
  readonly own: Fields; // of the event itself
};
export type Fields = Readonly<Record<string, readonly string[]>>;

export type Condition = Readonly<Record<string, number>>;
export type Body = {
  readonly rules: number; // how many rules feed it
  readonly condition?: Condition;
  readonly fields?: readonly string[]; // whose values count
  readonly percentile?: number;
  readonly expression?: Expression; // instead of a condition
};
/** What can be drawn from: the fields that all rules know, those of them that hold numbers, how many rules there are. */
export type From = {
  readonly fields: readonly string[];
  readonly numbers: readonly string[];
  readonly rulesMax: number;
};

type CorrelationType = {
  /** Over rules that all know these fields. Undefined where it cannot be drawn over such rules. */
  readonly draw: (chance: Chance, from: From) => Body | undefined;
  /** Lines of YAML, where it has a condition. */
  readonly condition: (body: Body, names: readonly string[]) => readonly string[];
  /** Whether it can count the member at all. */
  readonly counts?: (body: Body, member: Member) => boolean;
  /** Whether the condition holds over the members of one window, sorted by time. */
  readonly holds: (body: Body, window: readonly Member[]) => boolean;
};

const COMPARE: Readonly<Record<string, (found: bigint, wanted: bigint) => boolean>> = {
  gt: (found, wanted) => found > wanted,
  gte: (found, wanted) => found >= wanted,
  lt: (found, wanted) => found < wanted,
  lte: (found, wanted) => found <= wanted,
  eq: (found, wanted) => found === wanted,
  neq: (found, wanted) => found !== wanted,
};

const measures = (condition: Condition, { found, by }: Measure): boolean =>
  Object.entries(condition).every(
    ([op, wanted]) => COMPARE[op]?.(found, exact(wanted) * by) === true,
  );

const counts = (condition: Condition, count: number): boolean =>
  measures(condition, { found: exact(count), by: 1n });

/** Mostly those that fire at once, at times those that wait for the watermark. */
function drawCondition(chance: Chance, most: number): Condition {
  const n = chance.int(1, most);
  switch (chance.int(0, 9)) {
    case 0:
      return { gt: n };
    case 1:
      return { eq: n };
    case 2:
      return { lt: n + 1 };
    case 3:
      return { lte: n };
    case 4:
      return { neq: n };
    case 5:
      return { gte: n, lte: n + chance.int(0, 2) };
    case 6:
      return { gt: n, lt: n + chance.int(2, 4) };
    default:
      return { gte: n + 1 };
  }
}

/** About what numbers come to: at times exactly. */
function drawMeasured(chance: Chance, between: () => number): Condition {
  const [one, other] = [between(), between()].sort((a, b) => a - b) as [number, number];
  switch (chance.int(0, 7)) {
    case 0:
      return { eq: one };
    case 1:
      return { neq: one };
    case 2:
      return { gte: one, lte: other };
    case 3:
      return one < other ? { gt: one, lt: other } : { gt: one };
    case 4:
      return { lt: one };
    case 5:
      return { lte: one };
    case 6:
      return { gt: one };
    default:
      return { gte: one };
  }
}

const linesOf = (condition: Condition = {}, more: readonly string[] = []): string[] => [
  "condition:",
  ...Object.entries(condition).map(([op, wanted]) => `  ${op}: ${wanted}`),
  ...more.map((line) => `  ${line}`),
];

/** Every combination of the fields' values. */
export function combinations(fields: readonly string[], values: Fields): string[][] {
  let all: string[][] = [[]];
  for (const field of fields)
    all = all.flatMap((one) => (values[field] ?? []).map((value) => [...one, value]));
  return all;
}

type Holds = CorrelationType["holds"];

/** As many of the rules as one that looks at the window counts; or an expression over those. */
const temporal = (
  most: (rules: readonly number[], window: readonly Member[]) => number,
): CorrelationType => ({
  draw: (chance, { rulesMax }) => {
    if (rulesMax < 2) return undefined;
    const rules = chance.int(2, Math.min(4, rulesMax));
    switch (chance.int(0, 3)) {
      case 0:
        return { rules, condition: drawCondition(chance, rules - 1) };
      case 1:
        return { rules, expression: drawExpression(chance, rules) };
      default:
        return { rules };
    }
  },
  condition: ({ condition, expression }, names) => {
    if (expression) return [`condition: ${textOf(expression, names)}`];
    return condition ? linesOf(condition) : [];
  },
  holds: ({ rules, condition, expression }, window) => {
    const all = Array.from({ length: rules }, (_, rule) => rule);
    if (!expression) return counts(condition ?? { gte: rules }, most(all, window));
    const staysAway = (rule: number): boolean => window.every(({ from }) => from !== rule);
    return subsetsOf(all).some(
      (some) =>
        most(some, window) === some.length &&
        isTrue(expression, { comes: (rule) => some.includes(rule), staysAway }),
    );
  },
});

const subsetsOf = (all: readonly number[]): number[][] =>
  Array.from({ length: 2 ** all.length }, (_, set) => all.filter((one) => (set >> one) % 2 === 1));

const mostThatMatch = (rules: readonly number[], window: readonly Member[]): number =>
  rules.filter((rule) => window.some(({ from }) => from === rule)).length;

/** How many of the rules match one after the other, whichever are left out. */
function mostInOrder(
  [rule, ...others]: readonly number[],
  window: readonly Member[],
  fromMs = Number.NEGATIVE_INFINITY,
): number {
  if (rule === undefined) return 0;
  const times = window
    .filter(({ from, timeMs }) => from === rule && timeMs >= fromMs)
    .map(({ timeMs }) => timeMs);
  const without = mostInOrder(others, window, fromMs);
  if (times.length === 0) return without;
  return Math.max(without, 1 + mostInOrder(others, window, Math.min(...times)));
}

/** Over the numbers of one field. */
const measured = (
  measure: (field: string, window: readonly Member[], body: Body) => readonly Measure[],
  most: number,
): CorrelationType => ({
  draw: (chance, { numbers, rulesMax }) =>
    numbers.length === 0
      ? undefined
      : {
          rules: chance.int(1, Math.min(2, rulesMax)),
          fields: [chance.one(numbers)],
          condition: drawMeasured(chance, () => chance.int(-2 * most, 4 * most) / 4),
        },
  condition: ({ condition, fields = [] }) => linesOf(condition, [`field: ${fields[0]}`]),
  counts: ({ fields: [field = ""] = [] }, member) => hasNumber(field, member),
  holds: (body, window) =>
    measure(body.fields?.[0] ?? "", window, body).some((one) =>
      measures(body.condition ?? {}, one),
    ),
});

const median = measured((field, window) => percentileOf(50, field, window), 4);
const percentile = measured(
  (field, window, body) => percentileOf(body.percentile ?? 0, field, window),
  4,
);

/** Each value's share of all values, of several fields of their combinations. */
const share: Pick<CorrelationType, "draw"> & { readonly holds: Holds } = {
  draw: (chance, { fields, rulesMax }) =>
    fields.length === 0
      ? undefined
      : {
          rules: chance.int(1, Math.min(2, rulesMax)),
          fields: chance.some(fields, chance.int(1, Math.min(2, fields.length))),
          condition: drawMeasured(chance, () => chance.one([10, 20, 25, 33.333, 50, 60, 75, 100])),
        },
  holds: ({ condition = {}, fields = [] }, window) =>
    sharesOf(valuesIn(fields, window)).some((one) => measures(condition, one)),
};

/** Of each member the distinct combinations. */
const valuesIn = (fields: readonly string[], window: readonly Member[]): string[] =>
  window.flatMap(({ told }) => {
    const all = told.flatMap((one) => combinations(fields, one));
    return [...new Set(all.map((value) => JSON.stringify(value)))];
  });

const hasValue: CorrelationType["counts"] = ({ fields = [] }, { told }) =>
  told.some((one) => combinations(fields, one).length > 0);

export const CORRELATION_TYPES: Readonly<Record<string, CorrelationType>> = {
  event_count: {
    draw: (chance, { rulesMax }) => ({
      rules: chance.int(1, Math.min(2, rulesMax)),
      condition: drawCondition(chance, 5),
    }),
    condition: ({ condition }) => linesOf(condition),
    holds: ({ condition = {} }, window) => counts(condition, window.length),
  },
  value_count: {
    draw: (chance, { rulesMax, fields }) =>
      fields.length === 0
        ? undefined
        : {
            rules: chance.int(1, Math.min(2, rulesMax)),
            condition: drawCondition(chance, 3),
            fields: chance.some(fields, chance.int(1, Math.min(2, fields.length))),
          },
    condition: ({ condition, fields = [] }) =>
      linesOf(condition, [`field: [${fields.join(", ")}]`]),
    counts: hasValue,
    holds: ({ condition = {}, fields = [] }, window) =>
      counts(condition, new Set(valuesIn(fields, window)).size),
  },
  value_sum: measured(sumOf, 12),
  value_avg: measured(averageOf, 4),
  value_median: median,
  value_percentile: {
    draw: (chance, from) => {
      if (chance.is(0.5)) return share.draw(chance, from);
      const body = percentile.draw(chance, from);
      return (
        body && { ...body, percentile: chance.one([0, 10, 25, 33.3, 50, 75, 95, 99.999, 100]) }
      );
    },
    condition: (body) => {
      const { condition, fields = [], percentile: percent } = body;
      const more = percent === undefined ? [] : [`percentile: ${percent}`];
      return linesOf(condition, [`field: [${fields.join(", ")}]`, ...more]);
    },
    counts: (body, member) =>
      (body.percentile === undefined ? hasValue : percentile.counts)?.(body, member) === true,
    holds: (body, window) =>
      (body.percentile === undefined ? share : percentile).holds(body, window),
  },
  temporal: temporal(mostThatMatch),
  temporal_ordered: temporal((rules, window) => mostInOrder(rules, window)),
};

// correlation-types.ts — each type of correlation, once to be drawn and once as brute force: a new type is an entry here.
//
// Holds: `holds` is the specification's sentence in the plainest words; nothing of the product's code helps it.
import type { Chance } from "./chance.ts";

/** An event (or a point of another correlation) as one correlation sees it. */
export type Member = {
  readonly timeMs: number;
  readonly id: string;
  readonly from: number; // which of the correlation's rules it comes by
  /** Its fields. Several times where several groups of a correlation below tell of the same event. */
  readonly told: readonly Fields[];
};
export type Fields = Readonly<Record<string, readonly string[]>>;

export type Condition = Readonly<Record<string, number>>;
export type Body = {
  readonly rules: number; // how many rules feed it
  readonly condition?: Condition;
  readonly fields?: readonly string[]; // value_count
};

type CorrelationType = {
  /** Over rules that all know these fields. Undefined where it cannot be drawn over such rules. */
  readonly draw: (
    chance: Chance,
    from: { readonly fields: readonly string[]; readonly rulesMax: number },
  ) => Body | undefined;
  /** Lines of YAML under `condition:`; none where it has none. */
  readonly condition: (body: Body) => readonly string[];
  /** Whether it can count the member at all. */
  readonly counts?: (body: Body, member: Member) => boolean;
  /** Whether the condition holds over the members of one window, sorted by time. */
  readonly holds: (body: Body, window: readonly Member[]) => boolean;
};

const COMPARE: Readonly<Record<string, (found: number, wanted: number) => boolean>> = {
  gt: (found, wanted) => found > wanted,
  gte: (found, wanted) => found >= wanted,
  lt: (found, wanted) => found < wanted,
  lte: (found, wanted) => found <= wanted,
  eq: (found, wanted) => found === wanted,
  neq: (found, wanted) => found !== wanted,
};

const holdsFor = (condition: Condition, found: number): boolean =>
  Object.entries(condition).every(([op, wanted]) => COMPARE[op]?.(found, wanted) === true);

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

const linesOf = (condition: Condition = {}): string[] =>
  Object.entries(condition).map(([op, wanted]) => `${op}: ${wanted}`);

/** Every combination of the fields' values. */
export function combinations(fields: readonly string[], values: Fields): string[][] {
  let all: string[][] = [[]];
  for (const field of fields)
    all = all.flatMap((one) => (values[field] ?? []).map((value) => [...one, value]));
  return all;
}

const temporal = (holds: CorrelationType["holds"]): CorrelationType => ({
  draw: (chance, { rulesMax }) =>
    rulesMax < 2 ? undefined : { rules: chance.int(2, Math.min(3, rulesMax)) },
  condition: () => [],
  holds,
});

export const CORRELATION_TYPES: Readonly<Record<string, CorrelationType>> = {
  event_count: {
    draw: (chance, { rulesMax }) => ({
      rules: chance.int(1, Math.min(2, rulesMax)),
      condition: drawCondition(chance, 5),
    }),
    condition: ({ condition }) => linesOf(condition),
    holds: ({ condition = {} }, window) => holdsFor(condition, window.length),
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
    condition: ({ condition, fields = [] }) => [
      ...linesOf(condition),
      `field: [${fields.join(", ")}]`,
    ],
    counts: ({ fields = [] }, { told }) => told.some((one) => combinations(fields, one).length > 0),
    holds: ({ condition = {}, fields = [] }, window) => {
      const values = window.flatMap(({ told }) => told.flatMap((one) => combinations(fields, one)));
      return holdsFor(condition, new Set(values.map((value) => JSON.stringify(value))).size);
    },
  },
  temporal: temporal(({ rules }, window) =>
    Array.from({ length: rules }).every((_, rule) => window.some(({ from }) => from === rule)),
  ),
  temporal_ordered: temporal(({ rules }, window) => {
    const goesOn = (rule: number, fromMs: number): boolean =>
      rule === rules ||
      window.some(
        ({ from, timeMs }) => from === rule && timeMs >= fromMs && goesOn(rule + 1, timeMs),
      );
    return goesOn(0, Number.NEGATIVE_INFINITY);
  }),
};

import { expect, test } from "vitest";
import { readRules } from "./sigma/load.ts";
import { thresholdWarnings } from "./threshold-warnings.ts";

const BOUNDS = { matchesMax: 100, valuesMax: 1000 };
const KEY = "correlator.matchesMax";
const never = (count: number, raise: number): string =>
  `the condition needs ${count} matches in a group, and ${KEY} is 100: it never holds; raise ${KEY} to ${raise}`;
const seldom = (count: number, raise: number): string =>
  `the condition needs ${count} matches in a group, and ${KEY} is 100: a group that had more keeps 75, so it may not hold where it should; raise ${KEY} to ${raise}`;
const each = "values, each of a match of its own where the field is no list,";

type Row = { readonly type?: string; readonly condition: string; readonly want: readonly string[] };
const ROWS: readonly Row[] = [
  { condition: "gte: 75", want: [] },
  { condition: "gte: 76", want: [seldom(76, 102)] },
  { condition: "gt: 74", want: [] },
  { condition: "gt: 75", want: [seldom(76, 102)] },
  { condition: "gte: 100", want: [seldom(100, 134)] },
  { condition: "gte: 101", want: [never(101, 135)] },
  { condition: "eq: 20000", want: [never(20_000, 26_667)] },
  { condition: "gte: 3, lte: 20000", want: [] },
  { condition: "lt: 20000", want: [] },
  { condition: "neq: 20000", want: [] },
  {
    ...{ condition: "gte: 800, field: x", type: "value_count" },
    want: [
      "the condition needs 800 values in a group, and correlator.valuesMax is 1000: a group that had more keeps 750, so it may not hold where it should; raise correlator.valuesMax to 1067",
      `the condition needs 800 ${each} in a group, and ${KEY} is 100: it never holds; raise ${KEY} to 1067`,
    ],
  },
  {
    ...{ condition: "gte: 90, field: x", type: "value_count" },
    want: [seldom(90, 120).replace("matches", each)],
  },
  { condition: "gte: 20000, field: x", type: "value_sum", want: [] },
];
test.for(ROWS)("a threshold beyond what a group keeps: $type $condition", (row) => {
  const { condition, type = "event_count", want } = row;
  const text = `title: One\nid: one\nlevel: low\nlogsource: { product: p }\ndetection: { a: { b: 1 }, condition: a }
---
title: Many\nid: many\nlevel: low
correlation: { type: ${type}, rules: [one], group-by: [u], timespan: 60s, condition: { ${condition} } }\n`;
  const loaded = readRules([{ path: "r.yml", text, lenient: false }]);
  expect(loaded.problems).toEqual([]);
  expect(thresholdWarnings(loaded, BOUNDS)).toEqual(
    want.map((message) => ({ code: "rule.threshold", at: "r.yml:7:1", message, rule: "many" })),
  );
});

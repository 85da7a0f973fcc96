// What events that are not as a rule expects mean for the correlations over their fields.
import { expect, test } from "vitest";
import type { EcsEvent } from "../core/event.ts";
import type { Finding } from "../core/records.ts";
import { ruleSetOf } from "./fixtures/rule-set.ts";
import { indexedMatcher } from "./match/indexed.ts";
import { findingsOf } from "./rule-tests.ts";
import { baseOf, type Missed, noneMissed, signalsOf } from "./signals.ts";

const eventOf = (fields: Readonly<Record<string, unknown>>, time = "2026-01-05T08:00:00Z") =>
  ({
    hit: 1,
    ...fields,
    "@timestamp": time,
    event: { id: `${JSON.stringify(fields).slice(0, 60)} ${time}` },
    wache: { stream: "live", sources: [{ product: "p" }] },
  }) as unknown as EcsEvent;

const setOf = (type: string, condition: string, field = "x") =>
  ruleSetOf(`title: R
name: r
logsource: { product: p }
detection: { s: { hit: 1 }, condition: s }
---
title: C
correlation:
  type: ${type}
  rules: [r]
  group-by: [who]
  timespan: 1m
  condition: { field: ${field}, ${condition} }
`);
const SETS = {
  value_sum: setOf("value_sum", "gt: 0"),
  value_count: setOf("value_count", "gte: 1"),
};

/** The groups and values that the event's signals carry, and what was missed. */
function carried(type: keyof typeof SETS, fields: Readonly<Record<string, unknown>>) {
  const missed = noneMissed();
  const event = eventOf(fields);
  const signals = signalsOf(event, baseOf(event), { rules: SETS[type].detections, missed });
  const told = signals.map(({ group, matches }) => [
    ...group,
    ...matches.map(({ values }) => values),
  ]);
  return { told, missed };
}

const none = noneMissed();
const noGroup = { ...none, missedGroups: 1 };
const noValue = { ...none, missedValues: 1 };
const LONG = "g".repeat(1_000_000);

test.for([
  { name: "a number", who: "ann", x: 1.5, want: [["ann", 1.5]], missed: none },
  { name: "a number as text", who: "ann", x: "1.50", want: [["ann", 1.5]], missed: none },
  { name: "zero", who: "ann", x: 0, want: [["ann", 0]], missed: none },
  {
    name: "a list of numbers",
    who: "ann",
    x: [1, "2", 2],
    want: [["ann", [1, 2, 2]]],
    missed: none,
  },
  { name: "a list of one", who: "ann", x: [[7]], want: [["ann", 7]], missed: none },
  {
    name: "a list with a number in it",
    who: "ann",
    x: ["a", 3, null, {}],
    want: [["ann", 3]],
    missed: none,
  },
  { name: "text", who: "ann", x: "much", want: [], missed: noValue },
  { name: "null", who: "ann", x: null, want: [], missed: noValue },
  { name: "nothing", who: "ann", x: undefined, want: [], missed: noValue },
  { name: "an object", who: "ann", x: { a: 1 }, want: [], missed: noValue },
  { name: "true", who: "ann", x: true, want: [], missed: noValue },
  { name: "an empty list", who: "ann", x: [], want: [], missed: noValue },
  { name: "a text of 1 MB", who: "ann", x: "1".repeat(1_000_000), want: [], missed: noValue },
  { name: "no group and no number", who: null, x: "much", want: [], missed: noGroup },
  { name: "an object as group", who: { a: 1 }, x: 1, want: [], missed: noGroup },
  { name: "an empty text as group", who: "", x: 1, want: [], missed: noGroup },
  {
    name: "a list as group",
    who: ["ann", 7, null],
    x: 1,
    want: [
      ["ann", 1],
      ["7", 1],
    ],
    missed: none,
  },
])("value_sum: $name", ({ who, x, want, missed }) => {
  expect(carried("value_sum", { who, x })).toEqual({ told: want, missed });
});

test.for([
  {
    name: "a list of values",
    x: ["a", 1, "a", true],
    want: [["ann", ["a", "1", "true"]]],
    missed: none,
  },
  { name: "a number", x: 1, want: [["ann", ["1"]]], missed: none },
  { name: "null", x: null, want: [], missed: noValue },
  { name: "an object", x: { a: 1 }, want: [], missed: noValue },
])("value_count: $name", ({ x, want, missed }) => {
  expect(carried("value_count", { who: "ann", x })).toEqual({ told: want, missed });
});

test("groups of several correlations stay apart where their values run together", () => {
  const counts = (title: string, by: string): string =>
    `---\ntitle: ${title}\ncorrelation: { type: event_count, rules: [r], group-by: [${by}], timespan: 1m, condition: { gte: 2 } }\n`;
  const both = ruleSetOf(
    `title: R\nname: r\nlogsource: { product: p }\ndetection: { s: { hit: 1 }, condition: s }\n${counts("one", "u")}${counts("two", "a, b")}`,
  );
  const missed = noneMissed();
  const event = eventOf({ u: "a\u0000b", a: "a", b: "b" });
  const signals = signalsOf(event, baseOf(event), { rules: both.detections, missed });
  expect(signals.map(({ group, matches }) => [group, matches.length])).toEqual([
    [["a\u0000b"], 1],
    [["a", "b"], 1],
  ]);
});

test("value_count over several fields: combinations stay apart where their values run together", () => {
  const set = setOf("value_count", "gte: 2", "[x, y]");
  const found = (...pairs: readonly (readonly [string, string])[]) => {
    const events = pairs.map(([x, y]) => eventOf({ who: "ann", x, y }));
    return findingsOf(events, set, { matcher: indexedMatcher(set) }).length;
  };
  expect(found(["a\u0000b", "c"], ["a", "b\u0000c"])).toBe(1);
  expect(found(["a\u0000b", "c"], ["a\u0000b", "c"])).toBe(0);
});

test("a list of 100,000 numbers adds the first 256, a group of 1 MB is one of its own", () => {
  const { told } = carried("value_sum", { who: LONG, x: Array.from({ length: 100_000 }, () => 1) });
  const [[group = "", numbers] = []] = told as [string, number[]][];
  expect(numbers).toEqual(Array.from({ length: 256 }, () => 1));
  expect(String(group).length).toBeLessThan(300);
  const [[other] = []] = carried("value_sum", { who: `${LONG}h`, x: 1 }).told;
  expect(other).not.toBe(group);
});

type Added = {
  readonly name: string;
  readonly type?: keyof typeof SETS;
  readonly who: unknown;
  readonly x: unknown;
  readonly groups: number;
  readonly values: number;
  readonly cut?: Partial<Missed>;
};
const numbered = (count: number) => Array.from({ length: count }, (_, n) => n);
test.for<Added>([
  { name: "all groups that one event may have", who: numbered(64), x: 1, groups: 64, values: 1 },
  { name: "one more", who: numbered(65), x: 1, groups: 64, values: 1, cut: { cutGroups: 1 } },
  {
    name: "many of which no other is left",
    who: numbered(100).map(() => "ann"),
    ...{ x: 1, groups: 1, values: 1 },
  },
  { name: "all numbers", who: "ann", x: numbered(256), groups: 1, values: 256 },
  {
    name: "one number more",
    who: "ann",
    ...{ x: numbered(257), groups: 1, values: 256, cut: { cutValues: 1 } },
  },
  {
    name: "one more in lists of lists",
    who: "ann",
    x: [numbered(256), 1],
    ...{ groups: 1, values: 256, cut: { cutValues: 1 } },
  },
  {
    name: "texts before which a number is not reached",
    who: "ann",
    x: [1, ...numbered(256).map(() => "x"), 2],
    ...{ groups: 1, values: 1, cut: { cutValues: 1 } },
  },
  {
    name: "all values",
    type: "value_count",
    ...{ who: "ann", x: numbered(64), groups: 1, values: 64 },
  },
  {
    name: "one value more",
    type: "value_count",
    ...{ who: "ann", x: numbered(65), groups: 1, values: 64, cut: { cutValues: 1 } },
  },
  {
    name: "both",
    who: numbered(100),
    ...{ x: numbered(300), groups: 64, values: 256, cut: { cutGroups: 1, cutValues: 1 } },
  },
])("what one event adds beyond a bound is counted as cut: $name", (row) => {
  const { type = "value_sum", who, x, groups, values, cut = {} } = row;
  const { told, missed } = carried(type, { who, x });
  const first = told[0]?.[1];
  expect({ groups: told.length, values: Array.isArray(first) ? first.length : 1, missed }).toEqual({
    ...{ groups, values },
    missed: { ...none, ...cut },
  });
});

const spans = (findings: readonly Finding[]) =>
  findings.map(({ firstMs, lastMs, count }) => [
    new Date(firstMs).toISOString(),
    new Date(lastMs).toISOString(),
    count,
  ]);
test.for([
  { name: "1970", times: ["1970-01-01T00:00:00.000Z", "1970-01-01T00:01:00.000Z"] },
  { name: "before 1970", times: ["1969-12-31T23:59:30.000Z", "1970-01-01T00:00:30.000Z"] },
  { name: "2100", times: ["2100-02-28T23:59:30.000Z", "2100-03-01T00:00:30.000Z"] },
  { name: "around a leap second", times: ["2016-12-31T23:59:59.999Z", "2017-01-01T00:00:59.999Z"] },
  { name: "equal times", times: ["2026-01-05T08:00:00.000Z", "2026-01-05T08:00:00.000Z"] },
])("types over values, at the edge of a window: $name", ({ times }) => {
  const [first = "", last = ""] = times;
  const later = new Date(Date.parse(first) + 60_001).toISOString();
  for (const [type, condition] of [
    ["value_sum", "gte: 3"],
    ["value_avg", "eq: 1.5"],
    ["value_median", "eq: 1.5"],
    ["value_percentile", "percentile: 75, eq: 1.75"],
    ["value_percentile", "eq: 50"],
    ["value_count", "gte: 2"],
  ] as const) {
    const set = setOf(type, condition);
    const run = (end: string) =>
      spans(
        findingsOf([eventOf({ who: "a", x: 1 }, first), eventOf({ who: "a", x: 2 }, end)], set, {
          matcher: indexedMatcher(set),
        }),
      );
    expect([type, run(last)]).toEqual([type, [[first, last, 2]]]);
    expect([type, run(later)]).toEqual([type, []]);
  }
});

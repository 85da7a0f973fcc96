// Files of several documents, references by name and id, and filters.
import { expect, test } from "vitest";
import { indexedMatcher } from "../match/indexed.ts";
import { plainMatcher } from "../match/plain.ts";
import { readRules } from "./load.ts";
import type { RuleSet } from "./rule.ts";

function setOf(...texts: readonly string[]): RuleSet {
  const files = texts.map((text, n) => ({ path: `${n}.yml`, text, lenient: false }));
  const { set, problems } = readRules(files, {});
  expect(problems).toEqual([]);
  if (set === undefined) throw new Error("no set");
  return set;
}
/** The titles of the rules that match each event, by both matchers. */
function titles(set: RuleSet, events: readonly Record<string, unknown>[], product = "p") {
  const [plain, indexed] = [plainMatcher(set), indexedMatcher(set)].map(({ match }) =>
    events.map((event) => match(event, [{ product }]).map(({ rule }) => rule.about.title)),
  );
  expect(indexed).toEqual(plain);
  return plain;
}

const ID = "0e95725d-7320-415d-80f7-004da920fc11";
const rule = (title: string, of: string, more = ""): string =>
  `title: ${title}\n${more}logsource: { product: p }\ndetection: { s: { ${of} }, condition: s }\n`;

test("action: global is laid under what follows, reset forgets it, repeat changes the last", () => {
  const set = setOf(`action: global
title: Global
level: high
logsource: { product: p }
detection: { s: { a: 1 }, condition: s }
---
title: One
detection: { s: { b: 1 } }
---
title: Two
level: low
---
action: repeat
title: Three
detection: { s: { a: 3 } }
---
action: reset
---
${rule("Four", "a: 4")}`);
  expect(set.detections.map(({ about }) => [about.title, about.level])).toEqual([
    ["One", "high"],
    ["Two", "low"],
    ["Three", "low"],
    ["Four", "medium"],
  ]);
  const events = [{ a: 1, b: 1 }, { a: 1 }, { a: 3 }, { a: 4 }];
  expect(titles(set, events)).toEqual([["One", "Two"], ["Two"], ["Three"], ["Four"]]);
});

test("a rule, a filter and a correlation in one file or in three are one set", () => {
  const parts = [
    rule("Rule", "a: 1", "name: by_name\n"),
    "title: Filter\nlogsource: { product: p }\nfilter: { rules: [by_name], s: { b: 1 }, condition: s }\n",
    "title: Correlation\ncorrelation:\n  type: event_count\n  rules: [by_name]\n  group-by: [h]\n  timespan: 1m\n  condition: { gte: 2 }\n",
  ];
  const apart = setOf(...parts);
  const together = setOf(parts.join("---\n"));
  const logic = (set: RuleSet) => [
    set.detections.map(({ version }) => version),
    set.correlations.map(({ version, rules }) => [version, rules]),
  ];
  expect(logic(together)).toEqual(logic(apart));
  expect(together.correlations[0]?.rules).toEqual(["by_name"]);
  expect(titles(together, [{ a: 1 }, { a: 1, b: 1 }])).toEqual([["Rule"], []]);
});

test.for([
  { name: "by id", rules: `[${ID}]`, want: [["A", "B"], ["B"]] },
  { name: "by name", rules: "[b]", want: [["A", "B"], ["A"]] },
  { name: "both", rules: `[${ID}, b]`, want: [["A", "B"], []] },
  { name: "any", rules: "any", want: [["A", "B"], []] },
])("a filter is laid under the rules that it names: $name", ({ rules, want }) => {
  const set = setOf(
    rule("A", "a: 1", `id: ${ID}\n`),
    rule("B", "a: 1", "name: b\n"),
    `title: F\nlogsource: { product: p }\nfilter: { rules: ${rules}, selection: { u|startswith: adm_ }, condition: selection }\n`,
  );
  expect(
    titles(set, [
      { a: 1, u: "x" },
      { a: 1, u: "ADM_x" },
    ]),
  ).toEqual(want);
});

test("a filter that says what passes suppresses the same as one that says what does not", () => {
  const filter = (condition: string) =>
    `title: F\nlogsource: { product: p }\nfilter: { rules: [b], selection: { u: x }, condition: ${condition} }\n`;
  for (const condition of ["selection", "not selection", "not 1 of selection*"])
    expect(
      titles(setOf(rule("B", "a: 1", "name: b\n"), filter(condition)), [
        { a: 1 },
        { a: 1, u: "x" },
      ]),
    ).toEqual([["B"], []]);
});

test("two filters of one rule both count; their selections are not the rule's", () => {
  const filter = (title: string, of: string) =>
    `title: ${title}\nlogsource: { product: p }\nfilter: { rules: [b], s: { ${of} }, condition: s }\n`;
  const set = setOf(rule("B", "a: 1", "name: b\n"), filter("F", "x: 1"), filter("G", "y: 1"));
  const events = [{ a: 1 }, { a: 1, x: 1 }, { a: 1, y: 1 }, { x: 1, y: 1 }];
  expect(titles(set, events)).toEqual([["B"], [], [], []]);
});

test("a filter's fields stand where those of the rule do, though its log source is wider", () => {
  const files = [
    "title: R\nname: r\nlogsource: { product: p, category: c }\ndetection: { s: { a: 1 }, condition: s }\n",
    "title: F\nlogsource: { product: p }\nfilter: { rules: [r], s: { b|fieldref: d }, condition: s }\n",
  ].map((text, n) => ({ path: `${n}.yml`, text, lenient: false }));
  const { set } = readRules(files, {
    mapField: ({ category }, name) => ({ name, paths: [category ? `${category}.${name}` : name] }),
  });
  if (!set) throw new Error("no set");
  const matched = (event: Record<string, unknown>) =>
    indexedMatcher(set).match(event, [{ product: "p", category: "c" }]).length;
  expect([
    matched({ "c.a": 1, "c.b": 2, "c.d": 3 }),
    matched({ "c.a": 1, "c.b": 2, "c.d": 2 }),
    matched({ "c.a": 1, b: 2, d: 2 }),
  ]).toEqual([1, 0, 1]);
});

test("a log source selects by each of its words; keys of one's own select nothing", () => {
  const of = (source: string) =>
    `title: '${source}'\nlogsource: ${source}\ndetection: { s: { a: 1 }, condition: s }\n`;
  const set = setOf(
    of("{ product: p }"),
    of("{ product: q }"),
    of("{ product: p, service: s }"),
    of("{ definition: all }"),
    of("{ product: p, definition: d, audit_policy: e }"),
  );
  expect(titles(set, [{ a: 1 }])).toEqual([
    ["{ product: p }", "{ definition: all }", "{ product: p, definition: d, audit_policy: e }"],
  ]);
});

test("the order in which files are listed changes nothing", () => {
  const files = ["c", "a", "b"].map((path) => ({ path, text: rule(path, "a: 1"), lenient: false }));
  const version = readRules(files, {}).set?.version;
  expect(readRules(files.toReversed(), {}).set?.version).toBe(version);
});

const good = rule("Good", "a: 1");
const counting = (of: string): string =>
  `title: Counting\ncorrelation: { type: event_count, rules: [Bad], timespan: 1m, condition: ${of} }\n`;
const nested = `${"[".repeat(45)}1${"]".repeat(45)}`;
test.for([
  {
    name: "a field twice in a selection",
    text: rule("Bad", "b: 1, b: 2"),
    want: ["7:25 rule.duplicate-key"],
  },
  { name: "a key twice at the top", text: `${rule("Bad", "b: 1")}level: low\nlevel: high\n` },
  {
    name: "an operator twice, and only the correlation goes",
    text: `${rule("Bad", "b: 1")}---\n${counting("{ gte: 3, gte: 4 }")}`,
    stays: ["Good", "Bad"],
  },
  {
    name: "what counts it goes with it",
    text: `${rule("Bad", "b: 1, b: 2", "name: Bad\n")}---\n${counting("{ gte: 3 }")}`,
    want: ["8:25 rule.duplicate-key", "11:43 rule.reference-refused"],
  },
  { name: "an alias of nothing in a list", text: rule("Bad", "b: [1, *c]") },
  { name: "a list as a key beside others", text: rule("Bad", "b: 1, ? [c] : 2") },
  { name: "too deep beside what is read", text: `${rule("Bad", "b: 1")}custom: ${nested}\n` },
  {
    name: "what is laid over a global with a fault",
    text: `action: global\nlevel: low\nlevel: high\n---\n${rule("Bad", "b: 1")}`,
    want: ["7:1 rule.duplicate-key", "9:1 rule.action"],
  },
  {
    name: "a repeated one with a fault",
    text: `${rule("Bad", "b: 1, b: 2")}---\naction: repeat\ntitle: Worse\n`,
    want: ["7:25 rule.duplicate-key", "9:1 rule.action"],
  },
  {
    name: "a global with a fault that was reset",
    text: `action: global\nlevel: low\nlevel: high\n---\naction: reset\n---\n${rule("Fine", "b: 1")}`,
    stays: ["Good", "Fine"],
    want: ["7:1 rule.duplicate-key"],
  },
])("what is left out is not in force: $name", ({ text, stays = ["Good"], want }) => {
  const file = { path: "r.yml", text: `${good}---\n${text}`, lenient: true };
  const { set, problems, leftOut } = readRules([file], {});
  const rules = [...(set?.detections ?? []), ...(set?.correlations ?? [])];
  const told = leftOut.flatMap((one) =>
    one.problems.map(({ code, at }) => `${at.replace("r.yml:", "")} ${code}`),
  );
  expect([rules.map(({ about }) => about.title), problems]).toEqual([stays, []]);
  expect(leftOut.length).toBeGreaterThan(0);
  if (want) expect(told).toEqual(want);
});

// How correlations are read: what their conditions become, and what is refused, with the place and the chain.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CorrelationRule, RuleTest } from "../../core/records.ts";
import { readRules } from "./load.ts";
import type { RuleSet } from "./rule.ts";

const LETTERS = ["a", "b", "c", "d"];
const detections = (names: readonly string[] = LETTERS): string =>
  names
    .map(
      (name) =>
        `---\ntitle: ${name}\nname: ${name}\nlogsource: { product: p }\ndetection: { s: { f: ${name} }, condition: s }\n`,
    )
    .join("");
const correlation = (of: string, name = "C"): string =>
  `title: ${name}\nname: ${name}\ncorrelation:\n  timespan: 1m\n  group-by: [h]\n  ${of.replaceAll("\n", "\n  ")}\n`;
const read = (text: string) => readRules([{ path: "r.yml", text, lenient: false }]);
function setOf(text: string): RuleSet {
  const { set, problems } = read(text);
  expect(problems).toEqual([]);
  if (!set) throw new Error("no set");
  return set;
}
const one = (of: string): CorrelationRule => {
  const [rule] = setOf(correlation(of) + detections()).correlations;
  if (!rule) throw new Error("no correlation");
  return rule;
};

test.for([
  {
    name: "all rules, where temporal has no condition",
    of: "type: temporal\nrules: [a, b]",
    want: { gte: 2 },
  },
  {
    name: "several fields of a value_count",
    of: "type: value_count\nrules: [a]\ncondition: { lt: 5, field: [x, y], gte: 2 }",
    want: { gte: 2, lt: 5, field: ["x", "y"] },
  },
  {
    name: "a fraction and a negative number of a sum",
    of: "type: value_sum\nrules: [a]\ncondition: { field: x, gt: -0.5, lte: 1.5e3 }",
    want: { gt: -0.5, lte: 1500, field: ["x"] },
  },
  {
    name: "an average of zero",
    of: "type: value_avg\nrules: [a]\ncondition: { field: x, eq: 0 }",
    want: { eq: 0, field: ["x"] },
  },
  {
    name: "a percentile",
    of: "type: value_percentile\nrules: [a]\ncondition: { field: x, percentile: 99.9, neq: 0 }",
    want: { neq: 0, field: ["x"], percentile: 99.9 },
  },
  {
    name: "a share of combinations",
    of: "type: value_percentile\nrules: [a]\ncondition: { field: [x, y], lte: 0.5 }",
    want: { lte: 0.5, field: ["x", "y"] },
  },
  {
    name: "an expression over names, in any case",
    of: "type: temporal\nrules: [a, b, c]\ncondition: a AND NOT (b Or not c)",
    want: { match: { all: [{ rule: 0 }, { all: [{ without: 1 }, { rule: 2 }] }] } },
  },
  {
    name: "and binds more than or, not more than and",
    of: "type: temporal\nrules: [a, b, c]\ncondition: not a and b or c",
    want: { match: { any: [{ all: [{ without: 0 }, { rule: 1 }] }, { rule: 2 }] } },
  },
  {
    name: "ways in order",
    of: "type: temporal_ordered\nrules: [a, b, c, d]\ncondition: (c or a) and not b and d",
    want: {
      orders: [
        { rules: [2, 3], without: [1] },
        { rules: [0, 3], without: [1] },
      ],
    },
  },
  {
    name: "a way that contradicts itself is none",
    of: "type: temporal_ordered\nrules: [a, b]\ncondition: (a or b) and not a",
    want: { orders: [{ rules: [1], without: [0] }] },
  },
])("the condition: $name", ({ of, want }) => {
  expect(one(of).condition).toEqual(want);
});

test("a condition over names says the rules, where rules does not", () => {
  const said = one("type: temporal_ordered\ncondition: b and (a or not c)");
  expect(said.rules).toEqual(["b", "a", "c"]);
  const same = one("type: temporal_ordered\nrules: [b, a, c]\ncondition: b and (a or not c)");
  expect(said).toEqual(same);
});

/** A test over three names, as text and as a function of the names that are there. */
type Drawn = { readonly text: string; readonly is: (there: ReadonlySet<string>) => boolean };
const { drawn } = fc.letrec<{ drawn: Drawn; name: Drawn }>((tie) => ({
  name: fc
    .constantFrom("a", "b", "c")
    .map((name): Drawn => ({ text: name, is: (there) => there.has(name) })),
  drawn: fc.oneof(
    { maxDepth: 4 },
    tie("name"),
    tie("drawn").map(
      ({ text, is }): Drawn => ({
        text: `not (${text})`,
        is: (there) => !is(there),
      }),
    ),
    fc.tuple(tie("drawn"), tie("drawn")).map(
      ([left, right]): Drawn => ({
        text: `(${left.text}) and (${right.text})`,
        is: (there) => left.is(there) && right.is(there),
      }),
    ),
    fc.tuple(tie("drawn"), tie("drawn")).map(
      ([left, right]): Drawn => ({
        text: `(${left.text} or ${right.text})`,
        is: (there) => left.is(there) || right.is(there),
      }),
    ),
  ),
}));

const passes = (test: RuleTest, there: readonly boolean[]): boolean => {
  if ("rule" in test) return there[test.rule] === true;
  if ("without" in test) return there[test.without] !== true;
  return "all" in test
    ? test.all.every((each) => passes(each, there))
    : test.any.some((each) => passes(each, there));
};

test("a condition over names says what it says, and so do its ways in order", () => {
  fc.assert(
    fc.property(drawn, ({ text, is }) => {
      const names = ["a", "b", "c"];
      const whole = `(${text}) and (a or not a) and (b or not b) and (c or not c)`;
      const worlds = [1, 2, 3, 4, 5, 6, 7].map((bits) =>
        names.map((_, place) => (bits & (1 << place)) > 0),
      );
      const wanted = worlds.map((there) => is(new Set(names.filter((_, place) => there[place]))));
      const conditionOf = (type: string) =>
        read(correlation(`type: ${type}\nrules: [a, b, c]\ncondition: ${whole}`) + detections()).set
          ?.correlations[0]?.condition;
      const { match } = conditionOf("temporal") ?? {};
      const { orders = [] } = conditionOf("temporal_ordered") ?? {};
      // Nothing holds: refused, and so there is no condition.
      expect(worlds.map((there) => match !== undefined && passes(match, there))).toEqual(wanted);
      const byOrders = worlds.map((there) =>
        orders.some(
          ({ rules, without }) =>
            rules.every((place) => there[place]) && without.every((place) => !there[place]),
        ),
      );
      expect(byOrders).toEqual(wanted);
    }),
    { numRuns: 200 },
  );
});

const counted = (condition: string, type = "event_count") =>
  `type: ${type}\nrules: [a]\ncondition: ${condition}`;
const named = (condition: string, type = "temporal") =>
  `type: ${type}\nrules: [a, b]\ncondition: ${condition}`;
const CONDITION = "rule.correlation-condition";
test.for([
  {
    name: "an unknown type",
    of: counted("{ gte: 1 }", "value_max"),
    code: "rule.correlation-type",
    at: "6:9",
    says: "supported are event_count, value_count, value_sum, value_avg, value_median, value_percentile, temporal, temporal_ordered",
  },
  {
    name: "no condition of a sum",
    of: "type: value_sum\nrules: [a]",
    code: CONDITION,
    at: "4:3",
    says: "must be a map of gt, gte",
  },
  {
    name: "a text as the condition of a count",
    of: counted("a"),
    code: CONDITION,
    at: "8:14",
    says: "condition must be a map",
  },
  {
    name: "a fraction of a count",
    of: counted("{ gte: 1.5 }"),
    code: CONDITION,
    at: "8:21",
    says: "gte is 1.5; it must be a whole number",
  },
  {
    name: "a negative count",
    of: counted("{ gt: -1 }"),
    code: CONDITION,
    at: "8:20",
    says: "must be a whole number",
  },
  {
    name: "a text as a number",
    of: counted("{ field: x, gt: '1' }", "value_sum"),
    code: CONDITION,
    at: "8:30",
    says: "it must be a number",
  },
  {
    name: "not a number",
    of: counted("{ field: x, gt: .nan }", "value_avg"),
    code: CONDITION,
    at: "8:30",
    says: "it must be a number",
  },
  {
    name: "a count that no window has",
    of: counted("{ lt: 1 }"),
    code: CONDITION,
    at: "8:14",
    says: "no count satisfies",
  },
  {
    name: "a range that is empty",
    of: counted("{ gt: 5, lt: 5, field: x }", "value_sum"),
    code: CONDITION,
    at: "8:14",
    says: "no number satisfies",
  },
  {
    name: "a range of one number that is excluded",
    of: counted("{ gte: 5, lte: 5, neq: 5, field: x }", "value_avg"),
    code: CONDITION,
    at: "8:14",
    says: "no number satisfies",
  },
  {
    name: "a share beyond 100",
    of: counted("{ gt: 100, field: x }", "value_percentile"),
    code: CONDITION,
    at: "8:14",
    says: "no share from 0 to 100 percent",
  },
  {
    name: "a percentile beyond 100",
    of: counted("{ gt: 1, field: x, percentile: 101 }", "value_percentile"),
    code: CONDITION,
    at: "8:45",
    says: "a number from 0 to 100",
  },
  {
    name: "a percentile too fine",
    of: counted("{ gt: 1, field: x, percentile: 99.9999 }", "value_percentile"),
    code: CONDITION,
    at: "8:45",
    says: "at most three decimals",
  },
  {
    name: "a percentile of a median",
    of: counted("{ gt: 1, field: x, percentile: 50 }", "value_median"),
    code: CONDITION,
    at: "8:33",
    says: 'has the key "percentile"',
  },
  {
    name: "a field of an event_count",
    of: counted("{ gt: 1, field: x }"),
    code: CONDITION,
    at: "8:23",
    says: 'has the key "field"; allowed are gt, gte, lt, lte, eq, neq',
  },
  {
    name: "no field",
    of: counted("{ gt: 1 }", "value_sum"),
    code: CONDITION,
    at: "8:14",
    says: "value_sum needs field: the one field whose numbers count; found 0",
  },
  {
    name: "two fields of a median",
    of: counted("{ gt: 1, field: [x, y] }", "value_median"),
    code: CONDITION,
    at: "8:14",
    says: "found 2",
  },
  {
    name: "no field of a share",
    of: counted("{ gt: 1 }", "value_percentile"),
    code: CONDITION,
    at: "8:14",
    says: "value_percentile needs field",
  },
  {
    name: "no number",
    of: counted("{ field: x }", "value_sum"),
    code: CONDITION,
    at: "8:14",
    says: "compares nothing",
  },
  {
    name: "a count of more rules than there are",
    of: named("{ gte: 3 }"),
    code: CONDITION,
    at: "8:14",
    says: "no count up to the 2 rules",
  },
  {
    name: "an unknown rule in a condition",
    of: named("a and b or x"),
    code: CONDITION,
    at: "8:25",
    says: '"x", which is none of the correlated rules: a, b',
  },
  {
    name: "a rule that the condition leaves out",
    of: named("a"),
    code: CONDITION,
    at: "8:14",
    says: "does not name b",
  },
  {
    name: "a condition that never holds",
    of: named("not a and not b"),
    code: CONDITION,
    at: "8:14",
    says: "no window satisfies",
  },
  {
    name: "a condition that contradicts itself",
    of: named("a and b and not a", "temporal_ordered"),
    code: CONDITION,
    at: "8:14",
    says: "no window satisfies",
  },
  {
    name: "a condition that ends early",
    of: named("a and b and"),
    code: CONDITION,
    at: "8:25",
    says: "its end where a rule, not or a bracket must stand",
  },
  {
    name: "a condition without an operator",
    of: named("a b"),
    code: CONDITION,
    at: "8:16",
    says: '"b" where and, or, or the end must stand',
  },
  {
    name: "a sign of other languages",
    of: named("a && b"),
    code: CONDITION,
    at: "8:16",
    says: '"&&" where and, or, or the end must stand; write and',
  },
  {
    name: "an open bracket",
    of: named("a and (b"),
    code: CONDITION,
    at: "8:22",
    says: "a closing bracket",
  },
  {
    name: "brackets beyond bounds",
    of: named(`a and ${"(".repeat(100)}b${")".repeat(100)}`),
    code: CONDITION,
    at: "8:84",
    says: "nested deeper than 64 levels",
  },
  {
    name: "an empty condition",
    of: "type: temporal\ncondition: ''",
    code: "rule.correlation",
    at: "4:3",
    says: "rules must name 1 to 1000",
  },
])("refused: $name", ({ of, code, at, says }) => {
  const { set, problems } = read(correlation(of) + detections());
  expect(set).toBeUndefined();
  expect(problems.map((problem) => [problem.code, problem.at])).toContainEqual([
    code,
    `r.yml:${at}`,
  ]);
  expect(problems.map(({ message }) => message).join("\n")).toContain(says);
});

test("a name that objects inherit is no sign of other languages", () => {
  const { problems } = read(correlation(named("a constructor")) + detections());
  expect(problems.map(({ message }) => message)).toContain(
    'the condition has "constructor" where and, or, or the end must stand',
  );
});

test("too many ways in order are refused; temporal needs none", () => {
  const names = Array.from({ length: 20 }, (_, index) => `n${index}`);
  const pairs = Array.from({ length: 10 }, (_, index) => `(n${2 * index} or n${2 * index + 1})`);
  const text = (type: string) =>
    correlation(`type: ${type}\ncondition: ${pairs.join(" and ")}`) + detections(names);
  expect(read(text("temporal_ordered")).problems.map(({ message }) => message)).toEqual([
    expect.stringContaining("in more than 1000 ways"),
  ]);
  expect(read(text("temporal")).problems).toEqual([]);
});

const fed = (name: string, by: string, groupBy = "h"): string =>
  `---\ntitle: ${name}\nname: ${name}\ncorrelation:\n  type: event_count\n  rules: [${by}]\n  group-by: [${groupBy}]\n  timespan: 1m\n  condition: { gte: 2 }\n`;
test.for([
  {
    name: "a circle of three",
    text: fed("one", "two") + fed("two", "three") + fed("three", "one"),
    code: "rule.cycle",
    says: "in a circle: one → two → three → one",
  },
  {
    name: "a rule of itself",
    text: fed("one", "one"),
    code: "rule.cycle",
    says: "in a circle: one → one",
  },
  {
    name: "a reference that dangles at the end of a chain",
    text: fed("one", "two") + fed("two", "nobody"),
    code: "rule.reference-unknown",
    says: "nobody is the id or name of no rule that is loaded (one → two → nobody)",
  },
  {
    name: "a chain of 33",
    text:
      Array.from({ length: 33 }, (_, n) => fed(`c${n}`, n < 32 ? `c${n + 1}` : "a")).join("") +
      detections(),
    code: "rule.too-deep",
    says: "chained more than 32 deep",
  },
  {
    name: "a chain of 33, the lowest first",
    text:
      Array.from({ length: 33 }, (_, n) => fed(`c${n}`, n === 0 ? "a" : `c${n - 1}`)).join("") +
      detections(),
    code: "rule.too-deep",
    says: "chained more than 32 deep",
  },
  {
    name: "a chain of thousands",
    text:
      Array.from({ length: 3000 }, (_, n) => fed(`c${n}`, n < 2999 ? `c${n + 1}` : "a")).join("") +
      detections(),
    code: "rule.too-deep",
    says: "chained more than 32 deep",
  },
  {
    name: "a field that an absence at the end of the chain is not grouped by",
    text: `${fed("one", "two", "user") + fed("two", "silent")}---
title: silent
name: silent
correlation: { type: absence, rules: [a], group-by: [h], timespan: 1m, rememberFor: 1h }
${detections()}`,
    code: "rule.group-unknown",
    says: "user is not known to the findings of silent, which are grouped by h and tell of no event",
  },
])("refused, with the chain: $name", ({ text, code, says }) => {
  const { set, problems } = read(text);
  expect(set).toBeUndefined();
  expect(problems.find((problem) => problem.code === code)?.message).toContain(says);
});

test("a chain of 32 is read, each a level above the one that feeds it", () => {
  const chain = Array.from({ length: 32 }, (_, n) => fed(`c${n}`, n < 31 ? `c${n + 1}` : "a"));
  const { correlations } = setOf(chain.join("") + detections());
  expect(correlations.map(({ about, level }) => [about.title, level])).toEqual(
    Array.from({ length: 32 }, (_, n) => [`c${31 - n}`, n]),
  );
});

test("what a correlation hands on: the fields of its group, as the next one names them", () => {
  const set = setOf(
    `${fed("low", "a", "h, user")}---
title: top
name: top
correlation:
  type: value_sum
  rules: [low]
  group-by: [who]
  timespan: 1m
  condition: { field: size, gt: 1 }
  aliases: { who: { low: user }, size: { low: h } }
${detections()}`,
  );
  const low = set.correlations.find(({ about }) => about.title === "low");
  expect(low?.feeds).toEqual([
    {
      version: set.correlations.find(({ about }) => about.title === "top")?.version,
      place: 0,
      groupBy: ["user"],
      values: { fields: ["h"], numbers: true },
    },
  ]);
});

test("what is asked further up is carried from the event, under the names of each rule on the way", () => {
  const set = setOf(
    `${fed("low", "a", "h")}---
title: middle
name: middle
correlation:
  type: event_count
  rules: [low, b]
  group-by: [who]
  timespan: 1m
  condition: { gte: 2 }
  aliases: { who: { low: user, b: account } }
---
title: top
name: top
correlation: { type: event_count, rules: [middle], group-by: [h], timespan: 1m, condition: { gte: 2 } }
${detections()}`,
  );
  const feedsOf = (name: string) =>
    [...set.detections, ...set.correlations]
      .filter(({ about }) => about.title === name)
      .flatMap<unknown>(({ feeds }) => feeds.map(({ groupBy, carried }) => ({ groupBy, carried })));
  const field = (name: string) => ({ name, paths: [name] });
  expect(feedsOf("a")).toEqual([
    {
      groupBy: [field("h")],
      carried: [
        { name: "user", field: field("user") },
        { name: "h", field: field("h") },
      ],
    },
  ]);
  expect(feedsOf("b")).toEqual([
    { groupBy: [field("account")], carried: [{ name: "h", field: field("h") }] },
  ]);
  expect(feedsOf("low")).toEqual([{ groupBy: ["user"], carried: [{ name: "h", from: "h" }] }]);
  expect(feedsOf("middle")).toEqual([{ groupBy: ["h"], carried: undefined }]);
});

// References by id and by name through all that refers: correlations, expressions, aliases, filters, tests.
import { expect, test } from "vitest";
import { areAsWanted } from "../findings-wanted.ts";
import { readRules } from "./load.ts";
import { warningsOf } from "./warnings.ts";

const CAPITAL = "0AE7C2F0-1111-4222-8333-ABCDEFABCDEF";
const SMALL = CAPITAL.toLowerCase();
const rule = (id: string, name = "fail"): string =>
  `title: ${name}\nname: ${name}\nid: ${id}\nlogsource: { product: p }\ndetection: { s: { f: 1 }, condition: s }\n---\n`;
const other = rule("1ae7c2f0-1111-4222-8333-abcdefabcdef", "other");
const counting = (of: string): string =>
  `title: C\nname: c\ncorrelation: { timespan: 1m, group-by: [h], ${of} }\n`;
const filter = (of: string): string =>
  `title: F\nlogsource: { product: p }\nfilter: { rules: [${of}], s: { u: x }, condition: s }\n`;
const count = (of: string): string =>
  counting(`type: event_count, rules: [${of}], condition: { gte: 2 }`);

test.for([
  { name: "a correlation", text: rule(CAPITAL) + count(SMALL) },
  { name: "a correlation, the other way round", text: rule(SMALL) + count(CAPITAL) },
  {
    name: "an expression",
    text:
      rule(CAPITAL) +
      other +
      counting(`type: temporal, rules: [${CAPITAL}, other], condition: ${SMALL} and other`),
  },
  {
    name: "an expression alone",
    text: rule(CAPITAL) + other + counting(`type: temporal, condition: ${SMALL} and other`),
  },
  {
    name: "an alias",
    text:
      rule(CAPITAL) +
      counting(
        `type: event_count, rules: [fail], condition: { gte: 2 }, aliases: { h: { ${SMALL}: host } }`,
      ),
  },
  { name: "a filter", text: rule(CAPITAL) + filter(SMALL) },
  {
    name: "a name in another case",
    text: rule(CAPITAL) + count("Fail"),
    want: [
      "rule.reference-unknown Fail is the id or name of no rule that is loaded; there is fail: case counts (c → Fail)",
    ],
  },
  {
    name: "a name that is no other in any case",
    text: rule(CAPITAL) + count("fails"),
    want: ["rule.reference-unknown fails is the id or name of no rule that is loaded (c → fails)"],
  },
  {
    name: "an id that is no UUID",
    text: rule("Id-1") + filter("id-1"),
    want: [
      "rule.reference-unknown id-1 is the id or name of no rule that is loaded; there is Id-1: case counts",
    ],
  },
  {
    name: "one id twice",
    text: rule(CAPITAL) + rule(SMALL, "again"),
    want: [
      `rule.duplicate "${SMALL}" is also the id or name of the rule at r.yml:1:1; each rule has its own`,
    ],
  },
  { name: "names that differ by case", text: rule(CAPITAL) + other.replaceAll("other", "FAIL") },
  {
    name: "one rule named twice",
    text: rule(CAPITAL) + count(`${CAPITAL}, ${SMALL}`),
    want: [`rule.correlation rules names ${SMALL} twice; name it once`],
  },
])("ids have no case, names have one: $name", ({ text, want = [] }) => {
  const { problems } = readRules([{ path: "r.yml", text, lenient: false }]);
  expect(problems.map(({ code, message }) => `${code} ${message}`)).toEqual(want);
});

test("an alias by an id in another case says the field", () => {
  const text = `${rule(CAPITAL)}${counting(`type: event_count, rules: [fail], condition: { gte: 2 }, aliases: { h: { ${SMALL}: host } }`)}`;
  const { set } = readRules([{ path: "r.yml", text, lenient: false }]);
  expect(set?.detections[0]?.feeds[0]?.groupBy.map(({ name }) => name)).toEqual(["host"]);
});

test("a field is looked for in the rule that an id in another case names", () => {
  const text = rule(CAPITAL) + count(SMALL);
  const fields = { known: () => ["f"], isKnown: (_: object, name: string) => name === "f" };
  const found = warningsOf([{ path: "r.yml", text, lenient: false }], fields);
  expect(found.map(({ code }) => code)).toContain("rule.field-unknown");
});

test.for([
  { found: CAPITAL, wanted: SMALL, want: true },
  { found: "fail", wanted: "Fail", want: false },
])("a rule's test wants $wanted, found $found: $want", ({ found, wanted, want }) => {
  const of = (name: string) => [{ rule: name, count: 1 }];
  expect(areAsWanted(of(found), of(wanted))).toBe(want);
});

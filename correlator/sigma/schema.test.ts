import { existsSync, readFileSync } from "node:fs";
import { Compile } from "typebox/schema";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { packageRoot } from "../../core/package-root.ts";
import { ruleDisk } from "./disk.ts";
import { isRuleFile } from "./load.ts";
import { ruleSchema } from "./schema.ts";

const schema = Compile(ruleSchema);
const documentsOf = (text: string): unknown[] =>
  [...parseAllDocuments(text)].map((document) => document.toJS() as unknown);
const fits = (text: string): boolean => documentsOf(text).every((one) => schema.Check(one));

const HEAD = "title: T\nlogsource: { product: x }\n";
test.for([
  { name: "a detection", text: `${HEAD}detection: { a: { b: 1 }, condition: a }`, want: true },
  { name: "keywords", text: `${HEAD}detection: { a: [x, 1], condition: a }`, want: true },
  {
    name: "maps in a list",
    text: `${HEAD}detection: { a: [{ b: 1 }, { c: null }], condition: a }`,
    want: true,
  },
  {
    name: "modifiers",
    text: `${HEAD}detection: { a: { 'b|contains|all': [x, y] }, condition: a }`,
    want: true,
  },
  {
    name: "an unknown modifier",
    text: `${HEAD}detection: { a: { b|contain: x }, condition: a }`,
    want: false,
  },
  { name: "no condition", text: `${HEAD}detection: { a: { b: 1 } }`, want: false },
  {
    name: "no title",
    text: "logsource: {}\ndetection: { a: { b: 1 }, condition: a }",
    want: false,
  },
  {
    name: "no log source",
    text: "title: T\ndetection: { a: { b: 1 }, condition: a }",
    want: false,
  },
  {
    name: "an unknown level",
    text: `${HEAD}level: hihg\ndetection: { a: { b: 1 }, condition: a }`,
    want: false,
  },
  {
    name: "an own key",
    text: `${HEAD}ours: 1\ndetection: { a: { b: 1 }, condition: a }`,
    want: true,
  },
  { name: "an empty selection", text: `${HEAD}detection: { a: {}, condition: a }`, want: false },
  {
    name: "a filter",
    text: `${HEAD}filter: { rules: [r], selection: { a: 1 }, condition: not selection }`,
    want: true,
  },
  {
    name: "a filter of none",
    text: `${HEAD}filter: { rules: [], s: { a: 1 }, condition: s }`,
    want: false,
  },
  {
    name: "a correlation",
    text: "title: T\ngenerate: true\ncorrelation: { type: event_count, rules: [r], timespan: 5m, condition: { gte: 3 } }",
    want: true,
  },
  {
    name: "a condition over numbers of a field",
    text: "title: T\ncorrelation: { type: value_percentile, rules: [r], timespan: 5m, condition: { gte: -0.5, lt: 3, field: x, percentile: 99.9 } }",
    want: true,
  },
  {
    name: "a percentile beyond 100",
    text: "title: T\ncorrelation: { type: value_percentile, rules: [r], timespan: 5m, condition: { gte: 1, field: x, percentile: 101 } }",
    want: false,
  },
  {
    name: "a condition over rule names",
    text: "title: T\ncorrelation: { type: temporal, timespan: 5m, condition: a and not b }",
    want: true,
  },
  {
    name: "an unknown operator",
    text: "title: T\ncorrelation: { type: event_count, rules: [r], timespan: 5m, condition: { ge: 3 } }",
    want: false,
  },
  {
    name: "an unknown type",
    text: "title: T\ncorrelation: { type: event_cont, rules: [r], timespan: 5m, condition: { gte: 3 } }",
    want: false,
  },
  {
    name: "a timespan without unit",
    text: "title: T\ncorrelation: { type: temporal, rules: [r], timespan: 5 }",
    want: false,
  },
  {
    name: "an absence",
    text: "title: T\ncorrelation: { type: absence, rules: [r], group-by: [h, j], timespan: 26h, expected: [[a, b], { h: c, j: d }], rememberFor: 7d }",
    want: true,
  },
  ...[
    { assets: "all", want: true },
    { assets: "{ tags: backup }", want: true },
    { assets: "{ tags: [backup, 10], criticality: high }", want: true },
    { assets: "{ tags: [] }", want: false },
    { assets: "{ tags: [null] }", want: false },
    { assets: "{}", want: false },
    { assets: "db1", want: false },
  ].flatMap(({ assets, want }) => [
    {
      name: `an absence of assets: ${assets}`,
      text: `title: T\ncorrelation: { type: absence, rules: [r], group-by: [h], timespan: 26h, expected: { assets: ${assets} } }`,
      want,
    },
    {
      name: `a level for assets: ${assets}`,
      text: `title: T\ncorrelation: { type: event_count, rules: [r], timespan: 5m, condition: { gte: 3 }, escalate: [{ assets: ${assets}, level: high }] }`,
      want,
    },
  ]),
  {
    name: "an absence by a deadline",
    text: 'title: T\ncorrelation: { type: absence, rules: [r], deadline: { by: "04:00", timezone: Europe/Berlin, days: [mon] } }',
    want: true,
  },
  {
    name: "an absence without any time",
    text: "title: T\ncorrelation: { type: absence, rules: [r] }",
    want: false,
  },
  {
    name: "a day that is none",
    text: 'title: T\ncorrelation: { type: absence, rules: [r], deadline: { by: "04:00", days: [Mon] } }',
    want: false,
  },
  {
    name: "suppression and rising severity",
    text: "title: T\ncorrelation: { type: event_count, rules: [r], timespan: 5m, condition: { gte: 3 }, suppress: 1h, escalate: [{ count: 9, level: high }] }",
    want: true,
  },
  {
    name: "a count with what only an absence has",
    text: "title: T\ncorrelation: { type: event_count, rules: [r], timespan: 5m, condition: { gte: 3 }, rememberFor: 1d }",
    want: false,
  },
  {
    name: "an absence that suppresses",
    text: "title: T\ncorrelation: { type: absence, rules: [r], timespan: 5m, suppress: 1h }",
    want: false,
  },
  {
    name: "action: global",
    text: `action: global\nlevel: low\n---\n${HEAD}detection: { a: { b: 1 }, condition: a }`,
    want: true,
  },
])("the schema: $name fits: $want", ({ text, want }) => {
  expect(fits(text)).toBe(want);
});

const SHARED = "../shared/data/sigma";
const folder = (path: string) => `${packageRoot()}/${path}`;
test.for([
  "rules",
  "docs/examples",
  `${SHARED}/rules`,
  `${SHARED}/specification/tests/schema/filter`,
  `${SHARED}/specification/tests/schema/correlation`,
])("every rule of %s fits (skipped where ../shared is absent)", async (path, { skip }) => {
  if (!existsSync(folder(path))) skip("../shared is absent");
  const files = (await ruleDisk.list(folder(path))).filter(isRuleFile);
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => !fits(readFileSync(file, "utf8")))).toEqual([]);
});

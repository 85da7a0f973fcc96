import { expect, test } from "vitest";
import { loadMappings, shippedMappings } from "../../core/mappings.ts";
import { warningsOf } from "./warnings.ts";

const mappings = await loadMappings([shippedMappings()]);
const ID = "28ad448c-7ba0-5559-ac98-1f15b33367af";
const rule = (head: string, detection = "{ a: { Image: x }, condition: a }"): string =>
  `title: T\n${head}\nlogsource: { product: windows, category: process_creation }\ndetection: ${detection}\n`;
const whole = `id: ${ID}\nlevel: low`;

test.for([
  { name: "a whole rule", text: rule(whole), want: [] },
  { name: "no level", text: rule(`id: ${ID}`), want: ["rule.level-missing 1:1"] },
  { name: "no id", text: rule("level: low"), want: ["rule.id-missing 1:1"] },
  { name: "an id that is no UUID", text: rule("id: one\nlevel: low"), want: ["rule.id-form 2:5"] },
  {
    name: "tags, one twice",
    text: rule(`${whole}\ntags: [attack.t1059, attack.t99, attack.t1059]`),
    want: ["rule.tag 4:22", "rule.tag 4:34"],
  },
  ...[
    { key: "author: [x]", at: "4:9" },
    { key: "author: x, y", at: undefined },
    { key: "description: 5", at: "4:14" },
    { key: "date: yesterday", at: "4:7" },
    { key: "date: 2021/13/45", at: "4:7" },
    { key: "date: 2021-01-32", at: "4:7" },
    { key: "date: 2021-01/31", at: "4:7" },
    { key: "date: 2021-12-31", at: undefined },
    { key: "date: 2021/01/31", at: undefined },
    { key: "modified: 5", at: "4:11" },
    { key: "related: foo", at: "4:10" },
    { key: "related: [{ type: bar }]", at: "4:11" },
    { key: `related: [{ id: ${ID}, type: bar }]`, at: "4:11" },
    { key: `related: [{ id: ${ID}, type: derived }]`, at: undefined },
    { key: "fields: 5", at: "4:9" },
    { key: "fields: [a, 5]", at: "4:13" },
    { key: "fields: a", at: undefined },
    { key: "falsepositives: [a]", at: undefined },
  ].map(({ key, at }) => ({
    name: key,
    text: rule(`${whole}\n${key}`),
    want: at === undefined ? [] : [`rule.header-form ${at}`],
  })),
  {
    name: "a title that is a number",
    text: rule(whole).replace("title: T", "title: 5"),
    want: ["rule.header-form 1:8"],
  },
  {
    name: "tags that are a text",
    text: rule(`${whole}\ntags: attack.t1059`),
    want: ["rule.tag 4:7"],
  },
  {
    name: "a field that nobody knows, once",
    text: rule(
      whole,
      "{ a: { Imgae|endswith: x }, b: [{ Imgae: y }, { Image: z }], condition: a or b }",
    ),
    want: ["rule.field-unknown 5:19"],
  },
  {
    name: "a field that another is compared with",
    text: rule(whole, "{ a: { Image|fieldref: [ParentImage, Imgae] }, condition: a }"),
    want: ["rule.field-unknown 5:49"],
  },
  {
    name: "a log source in capitals",
    text: rule(whole).replace("windows", "Windows"),
    want: ["rule.logsource-case 4:23"],
  },
  {
    name: "ECS's own fields",
    text: rule(whole, "{ a: { process.name: x }, condition: a }"),
    want: [],
  },
  { name: "keywords", text: rule(whole, "{ a: [x, y], condition: a }"), want: [] },
  {
    name: "a log source without mappings",
    text: `title: T\n${whole}\nlogsource: { product: ours }\ndetection: { a: { b: 1 }, condition: a }\n`,
    want: [],
  },
  {
    name: "a correlation without level, a filter without level and id",
    text: `title: C\nid: ${ID}\ncorrelation: {}\n---\ntitle: F\nlogsource: { product: windows }\nfilter: {}\n`,
    want: ["rule.level-missing 1:1"],
  },
  {
    name: "what actions lay over a rule is not missed",
    text: `action: global\ntitle: T\nlevel: low\n---\nid: ${ID}\nlogsource: {}\n`,
    want: [],
  },
  { name: "what is no rule", text: "- a\n- b\n", want: [] },
  { name: "what is no YAML", text: "a: [", want: [] },
])("warnings: $name", ({ text, want }) => {
  const found = warningsOf([{ path: "r.yml", text, lenient: false }], mappings);
  expect(found.map(({ code, at }) => `${code} ${at.replace("r.yml:", "")}`)).toEqual(want);
});

const counted = (text: string): string =>
  `${rule(`${whole}\nname: one`)}---\ntitle: C\nid: ${ID.replace("28", "29")}\nname: c\nlevel: low\ncorrelation:\n  timespan: 5m\n  rules: [one]\n${text}`;
const above = (text: string): string =>
  `${counted("  type: event_count\n  group-by: [User]\n  condition: { gte: 2 }\n")}---\ntitle: D\nid: ${ID.replace("28", "30")}\nlevel: low\n` +
  `correlation: { type: event_count, timespan: 5m, rules: [c], condition: { gte: 2 }, ${text} }\n`;

test.for([
  {
    name: "known to the rule that is counted",
    text: counted("  type: event_count\n  group-by: [User, host.name]\n  condition: { gte: 2 }\n"),
    want: [],
  },
  {
    name: "a group's name that it does not know",
    text: counted("  type: event_count\n  group-by: [User, Usre]\n  condition: { gte: 2 }\n"),
    want: ["16:20 Usre"],
  },
  {
    name: "a counted field that it does not know",
    text: counted("  type: value_count\n  condition: { gte: 2, field: Imgae }\n"),
    want: ["16:31 Imgae"],
  },
  {
    name: "an alias of a field that it knows",
    text: counted(
      "  type: event_count\n  group-by: who\n  condition: { gte: 2 }\n  aliases: { who: { one: User } }\n",
    ),
    want: [],
  },
  {
    name: "an alias of one that it does not",
    text: counted(
      `  type: event_count\n  group-by: who\n  condition: { gte: 2 }\n  aliases: { who: { ${ID}: Usre } }\n`,
    ),
    want: ["16:13 Usre"],
  },
  {
    name: "a chain that is grouped by what the rule at its end knows",
    text: above("group-by: Image"),
    want: [],
  },
  {
    name: "a chain that is grouped by what it does not",
    text: above("group-by: [User, Imgae]"),
    want: ["22:101 Imgae"],
  },
  {
    name: "a chain whose alias leads to what it does not",
    text: above("group-by: who, aliases: { who: { c: Usre } }"),
    want: ["22:94 Usre"],
  },
  {
    name: "a chain, told once where the name stands lowest",
    text: above("group-by: Usre").replace("[User]", "[Usre]"),
    want: ["16:14 Usre"],
  },
])("warnings of a correlation's fields: $name", ({ text, want }) => {
  const [rules = "", ...others] = text.split("---\n");
  const found = warningsOf(
    [
      { path: "b.yml", text: "\n".repeat(7) + others.join("---\n"), lenient: false },
      { path: "a.yml", text: rules, lenient: false },
    ],
    mappings,
  );
  expect(
    found.map(({ code, at, message }) => {
      const name = /the field (\S+);/.exec(message)?.[1];
      return `${at.replace("b.yml:", "")} ${code === "rule.field-unknown" ? name : code}`;
    }),
  ).toEqual(want);
});

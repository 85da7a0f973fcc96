import { expect, test } from "vitest";
import { loadMappings, shippedMappings } from "../../core/mappings.ts";
import { warningsOf } from "./warnings.ts";

const mappings = await loadMappings([shippedMappings()]);
const ID = "28ad448c-7ba0-5559-ac98-1f15b33367af";
const rule = (head: string, detection = "{ a: { Image: x }, condition: a }"): string =>
  `title: T\n${head}\nlogsource: { product: windows, category: process_creation }\ndetection: ${detection}\n`;
const whole = `id: ${ID}\nlevel: low`;

const A_DAY = "it should be a day as in 2026-01-31";
const TYPES = "types are derived, obsolete, merged, renamed, similar";
type Row = {
  readonly name: string;
  readonly text: string;
  readonly want: readonly string[];
  readonly says?: boolean; // the words instead of the code
};

test.for<Row>([
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
    { key: "author: [x]", want: ["4:9 author is a list; it should be text"] },
    { key: "author: x, y", want: [] },
    { key: "author:", want: ["4:8 author is null; it should be text"] },
    { key: "description: 5", want: ["4:14 description is 5; it should be text"] },
    { key: "description:", want: [] }, // refused
    { key: "date: yesterday", want: [`4:7 date is "yesterday"; ${A_DAY}`] },
    { key: "date: 2021/13/45", want: [`4:7 date is "2021/13/45"; ${A_DAY}`] },
    { key: "date: 2021-01-32", want: [`4:7 date is "2021-01-32"; ${A_DAY}`] },
    { key: "date: 2021-01/31", want: [`4:7 date is "2021-01/31"; ${A_DAY}`] },
    { key: "date: 2024-02-31", want: [`4:7 date is "2024-02-31"; ${A_DAY}`] },
    { key: "date: 2024-02-29", want: [] },
    { key: "date: 2021-12-31", want: [] },
    { key: "date: 2021/01/31", want: [] },
    { key: "modified: 5", want: [`4:11 modified is 5; ${A_DAY}`] },
    { key: "related: foo", want: ['4:10 related is "foo"; it should be a list of { id, type }'] },
    { key: "related: [foo]", want: ['4:11 related holds "foo"; each should be { id, type }'] },
    {
      key: `related: { id: ${ID}, type: obsoletes }`,
      want: [
        "4:10 related is a map; it should be a list of { id, type }",
        `4:60 related has the type "obsoletes"; ${TYPES}`,
      ],
    },
    {
      key: "related: [{ type: derived }]",
      want: ["4:11 related lacks the id of the other rule"],
    },
    { key: `related: [{ id: ${ID} }]`, want: [`4:11 related lacks the type; ${TYPES}`] },
    {
      key: "related: [{ id: 5, type: [bar] }]",
      want: [
        "4:17 related has the id 5; it should be text",
        `4:26 related has the type a list; ${TYPES}`,
      ],
    },
    { key: `related: [{ id: ${ID}, type: derived }]`, want: [] },
    { key: "fields: 5", want: ["4:9 fields is 5; it should be a list of texts"] },
    { key: "fields: [a, 5]", want: ["4:13 fields holds 5; it should be a list of texts"] },
    { key: "fields: a", want: [] },
    { key: "falsepositives: [a]", want: [] },
    { key: "falsepositives:", want: [] }, // refused, as are the next two
    { key: "references: [{ a: b }]", want: [] },
    { key: "tags:", want: [] },
    { key: "references: 5", want: ["4:13 references is 5; it should be a list of texts"] },
  ].map(({ key, want }) => ({ name: key, text: rule(`${whole}\n${key}`), want, says: true })),
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
])("warnings: $name", ({ text, want, says = false }) => {
  const found = warningsOf([{ path: "r.yml", text, lenient: false }], mappings);
  const told = found.map(({ code, at, message }) => {
    const place = at.replace("r.yml:", "");
    return says ? `${place} ${message}` : `${code} ${place}`;
  });
  expect(told).toEqual(want);
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

test.for([
  {
    name: "a group's name",
    text: "  group-by: who\n  aliases: { who: { one: User } }\n",
    want: [],
  },
  {
    name: "a counted field's",
    text: "  type: value_count\n  condition: { gte: 2, field: who }\n  aliases: { who: { one: User } }\n",
    want: [],
  },
  {
    name: "mistyped beside a group's name",
    text: "  group-by: User\n  aliases: { usr: { one: User } }\n",
    want: ["16:14 usr"],
  },
  {
    name: "mistyped beside a counted field's, and one that is used",
    text: "  type: value_count\n  group-by: who\n  condition: { gte: 2, field: User }\n  aliases: { who: { one: User }, usr: { one: User } }\n",
    want: ["18:34 usr"],
  },
  {
    name: "asked for by the correlation above",
    text: "  group-by: host.name\n  aliases: { who: { one: User } }\n",
    above: "group-by: who",
    want: [],
  },
  {
    name: "asked for by the correlation above under another name",
    text: "  group-by: host.name\n  aliases: { who: { one: User } }\n",
    above: "group-by: they, aliases: { they: { c: who } }",
    want: [],
  },
  {
    name: "above which that name means another field",
    text: "  group-by: host.name\n  aliases: { who: { one: User } }\n",
    above: "group-by: who, aliases: { who: { c: host.name } }",
    want: ["16:14 who"],
  },
])("warnings of an alias: $name", ({ text, above: asks, want }) => {
  const counts = text.includes("type:") ? "" : "  type: event_count\n  condition: { gte: 2 }\n";
  const top = asks
    ? `---\ntitle: D\nid: ${ID.replace("28", "30")}\nlevel: low\ncorrelation: { type: event_count, timespan: 5m, rules: [c], condition: { gte: 2 }, ${asks} }\n`
    : "";
  const whole = counted(text) + counts + top;
  const found = warningsOf([{ path: "r.yml", text: whole, lenient: false }], mappings);
  const told = found
    .filter(({ code }) => code === "rule.alias-unused")
    .map(
      ({ at, message }) => `${at.replace("r.yml:", "")} ${/the alias (\w+):/.exec(message)?.[1]}`,
    );
  expect(told).toEqual(want);
});

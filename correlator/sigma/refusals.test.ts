// What the specification forbids is refused, with the place, what was found and what is allowed.
import { expect, test } from "vitest";
import { readRules } from "./load.ts";

const HEAD = "title: T\nlogsource: { product: p }\ndetection:\n";
const detection = (of: string, condition = "s"): string =>
  `${HEAD}  ${of}\n  condition: ${condition}\n`;
const ID = "0e95725d-7320-415d-80f7-004da920fc11";

type Row = {
  readonly name: string;
  readonly text: string;
  readonly code: string;
  readonly at: string; // line:column
  readonly says: string;
};
const MODIFIERS: readonly Row[] = [
  {
    name: "an unknown modifier",
    text: detection("s: { f|contians: a }"),
    code: "rule.modifier-unknown",
    at: "4:8",
    says: '"contians" is no modifier; did you mean contains? allowed are contains, ',
  },
  {
    name: "a modifier in capitals",
    text: detection("s: { f|Contains: a }"),
    code: "rule.modifier-unknown",
    at: "4:8",
    says: '"Contains"',
  },
  {
    name: "a modifier twice",
    text: detection("s: { f|all|contains|all: [a, b] }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "all stands twice",
  },
  {
    name: "two places",
    text: detection("s: { f|startswith|endswith: a }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "exclude each other",
  },
  {
    name: "two comparisons",
    text: detection("s: { f|gt|lt: 1 }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "exclude each other",
  },
  {
    name: "two parts of a date",
    text: detection("s: { f|hour|minute: 1 }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "exclude each other",
  },
  {
    name: "a flag without re",
    text: detection("s: { f|i: a }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "the modifier i does not go with",
  },
  {
    name: "a flag before re",
    text: detection("s: { f|i|re: a }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "must stand after re",
  },
  {
    name: "cased and i",
    text: detection("s: { f|re|i|cased: a }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "contradict each other",
  },
  {
    name: "re and an encoding",
    text: detection("s: { f|re|base64: a }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "base64 does not go with re",
  },
  {
    name: "cidr and contains",
    text: detection("s: { f|cidr|contains: 10.0.0.0/8 }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "contains does not go with cidr",
  },
  {
    name: "gt and contains",
    text: detection("s: { f|gt|contains: 1 }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "does not go with",
  },
  {
    name: "exists and neq",
    text: detection("s: { f|exists|neq: true }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "neq does not go with exists; exists stands alone",
  },
  {
    name: "exists and all",
    text: detection("s: { f|exists|all: true }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "all does not go with exists; exists stands alone",
  },
  {
    name: "fieldref and windash",
    text: detection("s: { f|fieldref|windash: a }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "windash does not go with fieldref",
  },
  {
    name: "an encoding after contains",
    text: detection("s: { f|contains|base64: a }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "base64 must stand before contains",
  },
  {
    name: "windash after base64",
    text: detection("s: { f|base64|windash: a }"),
    code: "rule.modifier-combination",
    at: "4:8",
    says: "windash must stand before base64",
  },
  {
    name: "an empty modifier",
    text: detection("s: { f|: a }"),
    code: "rule.modifier-unknown",
    at: "4:8",
    says: "no modifier stands after a |; write one or remove the |; allowed are contains",
  },
  {
    name: "an empty modifier before another",
    text: detection("s: { f||contains: a }"),
    code: "rule.modifier-unknown",
    at: "4:8",
    says: "no modifier stands after a |",
  },
  {
    name: "all with one value",
    text: detection("s: { f|contains|all: a }"),
    code: "rule.all-single",
    at: "4:24",
    says: "drop it or add a value",
  },
  {
    name: "all with a list of one",
    text: detection("s: { f|contains|all: [a] }"),
    code: "rule.all-single",
    at: "4:24",
    says: "drop it or add a value",
  },
  {
    name: "cidr without a field",
    text: detection("s: { '|cidr': 10.0.0.0/8 }"),
    code: "rule.keyword-modifier",
    at: "4:8",
    says: "has no field",
  },
];

const VALUES: readonly Row[] = [
  {
    name: "null in a list",
    text: detection("s: { f: ['', null] }"),
    code: "rule.null-in-list",
    at: "4:16",
    says: "give null a selection of its own",
  },
  {
    name: "null with contains",
    text: detection("s: { f|contains: null }"),
    code: "rule.value",
    at: "4:20",
    says: "goes with no modifier but neq",
  },
  {
    name: "an empty list",
    text: detection("s: { f: [] }"),
    code: "rule.value-empty",
    at: "4:11",
    says: "give a value",
  },
  {
    name: "a map as a value",
    text: detection("s: { f: { g: 1 } }"),
    code: "rule.value",
    at: "4:11",
    says: "a nested field is written with dots",
  },
  {
    name: "a list in a list",
    text: detection("s: { f: [[1]] }"),
    code: "rule.value",
    at: "4:12",
    says: "a list as a value",
  },
  {
    name: "an empty selection",
    text: detection("s: {}"),
    code: "rule.selection-empty",
    at: "4:6",
    says: "the selection s is empty",
  },
  {
    name: "an empty list of keywords",
    text: detection("s: []"),
    code: "rule.selection-empty",
    at: "4:6",
    says: "the selection s is empty",
  },
  {
    name: "an empty map in a list",
    text: detection("s: [{}]"),
    code: "rule.selection-empty",
    at: "4:7",
    says: "the selection s is empty",
  },
  {
    name: "no keyword",
    text: detection("s:"),
    code: "rule.value",
    at: "4:5",
    says: "a keyword is null",
  },
  {
    name: "gt of text",
    text: detection("s: { f|gt: '5' }"),
    code: "rule.value",
    at: "4:14",
    says: "gt takes a number",
  },
  {
    name: "gt of 2^53",
    text: detection("s: { f|gt: 9007199254740992 }"),
    code: "rule.value",
    at: "4:14",
    says: "gt takes a number below 2^53 (9007199254740992), which 9007199254740992 is not",
  },
  {
    name: "minute 60",
    text: detection("s: { f|minute: 60 }"),
    code: "rule.value",
    at: "4:18",
    says: "minute takes a whole number from 0 to 59",
  },
  {
    name: "month 0",
    text: detection("s: { f|month: 0 }"),
    code: "rule.value",
    at: "4:17",
    says: "from 1 to 12",
  },
  {
    name: "week 54",
    text: detection("s: { f|week: 54 }"),
    code: "rule.value",
    at: "4:16",
    says: "from 1 to 53",
  },
  {
    name: "exists: yes",
    text: detection("s: { f|exists: yes }"),
    code: "rule.value",
    at: "4:18",
    says: "exists takes true or false",
  },
  {
    name: "exists with a list",
    text: detection("s: { f|exists: [true] }"),
    code: "rule.value",
    at: "4:19",
    says: "exists takes true or false",
  },
  {
    name: "no network",
    text: detection("s: { f|cidr: 10.0.0.0/33 }"),
    code: "rule.value",
    at: "4:16",
    says: '"10.0.0.0/33" is no network; allowed are',
  },
  {
    name: "no network, IPv6",
    text: detection("s: { f|cidr: 'fe80::/129' }"),
    code: "rule.value",
    at: "4:16",
    says: "is no network",
  },
  {
    name: "a wildcard in base64",
    text: detection("s: { f|base64: 'a*' }"),
    code: "rule.value",
    at: "4:18",
    says: "escape * and ?",
  },
  {
    name: "fieldref to nothing",
    text: detection("s: { f|fieldref: '' }"),
    code: "rule.value",
    at: "4:20",
    says: "takes the name of a field",
  },
  {
    name: "a look-ahead",
    text: detection("s: { f|re: 'a(?=b)' }"),
    code: "rule.regex",
    at: "4:14",
    says: "allowed are . ^ $",
  },
  {
    name: "a back-reference",
    text: detection("s: { f|re: '(a)\\1' }"),
    code: "rule.regex",
    at: "4:14",
    says: "allowed are . ^ $",
  },
  {
    name: "an open bracket",
    text: detection("s: { f|re: '(a' }"),
    code: "rule.regex",
    at: "4:14",
    says: "cannot be used",
  },
  {
    name: "an unknown placeholder",
    text: detection("s: { f|expand: 'x%nobody%' }"),
    code: "rule.placeholder-unknown",
    at: "4:18",
    says: "%nobody% has no values; configured are admins",
  },
  {
    name: "dashes beyond bounds",
    text: detection("s: { f|windash: '-a -b -c -d -e -f' }"),
    code: "rule.value-too-many",
    at: "4:19",
    says: "split the value",
  },
];

const CONDITIONS: readonly Row[] = [
  {
    name: "no condition",
    text: `${HEAD}  s: { f: 1 }\n`,
    code: "rule.condition-missing",
    at: "4:3",
    says: "there is no condition",
  },
  {
    name: "an unknown selection",
    text: detection("s: { f: 1 }", "s and t"),
    code: "rule.selection-unknown",
    at: "5:20",
    says: '"t", which is no selection; there is s',
  },
  {
    name: "quotes push the place on",
    text: detection("s: { f: 1 }", "'s and t'"),
    code: "rule.selection-unknown",
    at: "5:21",
    says: '"t"',
  },
  {
    name: "a condition of several lines",
    text: detection("s: { f: 1 }", "|-\n    s\n    and t"),
    code: "rule.selection-unknown",
    at: "7:9",
    says: '"t"',
  },
  {
    name: "a pattern that fits none",
    text: detection("s: { f: 1 }", "s or 1 of x*"),
    code: "rule.selection-unknown",
    at: "5:24",
    says: '"x*"',
  },
  {
    name: "an unused selection",
    text: detection("s: { f: 1 }\n  t: { g: 1 }"),
    code: "rule.selection-unused",
    at: "5:3",
    says: "the selection t is used by no condition",
  },
  {
    name: "no operator",
    text: detection("s: { f: 1 }", "s s"),
    code: "rule.condition",
    at: "5:16",
    says: "and, or, or the end",
  },
  {
    name: "no operand",
    text: detection("s: { f: 1 }", "s and"),
    code: "rule.condition",
    at: "5:19",
    says: "its end",
  },
  {
    name: "an open bracket",
    text: detection("s: { f: 1 }", "(s"),
    code: "rule.condition",
    at: "5:16",
    says: "a closing bracket",
  },
  {
    name: "a closed bracket",
    text: detection("s: { f: 1 }", "s)"),
    code: "rule.condition",
    at: "5:15",
    says: '")"',
  },
  {
    name: "2 of",
    text: detection("s: { f: 1 }", "2 of s*"),
    code: "rule.condition",
    at: "5:14",
    says: "1 or all before of",
  },
  {
    name: "an aggregation",
    text: detection("s: { f: 1 }", "s | count() > 5"),
    code: "rule.condition-aggregation",
    at: "5:16",
    says: "write a correlation",
  },
  ...[
    { name: "|| for or", condition: "s || t", at: "5:16", says: 'has "||"; write or' },
    { name: "|| without blanks", condition: "s||t", at: "5:15", says: 'has "||"; write or' },
    { name: "&& for and", condition: "s && t", at: "5:16", says: 'has "&&"; write and' },
    { name: "&& without blanks", condition: "s&&t", at: "5:15", says: 'has "&&"; write and' },
    { name: "! for not", condition: "s and !t", at: "5:20", says: 'has "!"; write not' },
    { name: "! alone", condition: "'! s'", at: "5:15", says: 'has "!"; write not' },
  ].map(({ condition, ...row }) => ({
    ...row,
    text: detection("s: { f: 1 }", condition),
    code: "rule.condition",
  })),
  {
    name: "a timeframe",
    text: detection("s: { f: 1 }\n  timeframe: 5m"),
    code: "rule.timeframe",
    at: "5:3",
    says: "write a correlation with a timespan",
  },
  {
    name: "a number as condition",
    text: detection("s: { f: 1 }", "1"),
    code: "rule.condition",
    at: "5:14",
    says: "it must be text",
  },
  {
    name: "too many brackets",
    text: detection("s: { f: 1 }", `${"(".repeat(100)}s${")".repeat(100)}`),
    code: "rule.too-deep",
    at: "5:78",
    says: "nested deeper than",
  },
];

const DOCUMENTS: readonly Row[] = [
  {
    name: "no title",
    text: "logsource: {}\ndetection: { s: { f: 1 }, condition: s }\n",
    code: "rule.title",
    at: "1:1",
    says: "there is no title",
  },
  {
    name: "a title too long",
    text: detection("s: { f: 1 }").replace("title: T", `title: ${"T".repeat(257)}`),
    code: "rule.header",
    at: "1:8",
    says: "1 to 256 characters",
  },
  {
    name: "an unknown level",
    text: `level: urgent\n${detection("s: { f: 1 }")}`,
    code: "rule.header",
    at: "1:8",
    says: "allowed are informational, low",
  },
  {
    name: "an unknown status",
    text: `status: good\n${detection("s: { f: 1 }")}`,
    code: "rule.header",
    at: "1:9",
    says: "allowed are stable, test",
  },
  {
    name: "no log source",
    text: "title: T\ndetection: { s: { f: 1 }, condition: s }\n",
    code: "rule.logsource",
    at: "1:1",
    says: "must be a map of product, category and service",
  },
  {
    name: "a mistyped key of the log source",
    text: detection("s: { f: 1 }").replace("product", "prodcut"),
    code: "rule.logsource",
    at: "2:14",
    says: "if product is meant",
  },
  {
    name: "neither detection nor correlation",
    text: "title: T\nlogsource: {}\n",
    code: "rule.document",
    at: "1:1",
    says: "has one of them",
  },
  {
    name: "a text as a document",
    text: "hello\n",
    code: "rule.document",
    at: "1:1",
    says: "a rule is a map",
  },
  {
    name: "an unknown action",
    text: "action: globe\ntitle: T\n",
    code: "rule.action",
    at: "1:1",
    says: "allowed are global, reset and repeat",
  },
  {
    name: "a filter of an unknown rule",
    text: `title: F\nlogsource: {}\nfilter:\n  rules: [${ID}]\n  s: { f: 1 }\n  condition: s\n`,
    code: "rule.reference-unknown",
    at: "4:11",
    says: "is the id or name of no rule",
  },
  {
    name: "a filter without rules",
    text: "title: F\nlogsource: {}\nfilter:\n  s: { f: 1 }\n  condition: s\n",
    code: "rule.filter",
    at: "4:3",
    says: "rules must list the ids or names",
  },
  {
    name: "a correlation of an unknown rule",
    text: "title: C\ncorrelation:\n  type: event_count\n  rules: [nobody]\n  timespan: 1m\n  condition: { gte: 2 }\n",
    code: "rule.reference-unknown",
    at: "4:11",
    says: "nobody is the id or name of no rule",
  },
  ...[
    { type: "value_sum", key: "field: n" },
    { type: "value_percentile", key: "percentile: 99" },
    { type: "event_count", key: "gte: 3" },
  ].map(({ type, key }) => ({
    name: `a part of the condition of ${type} beside it`,
    text: `title: C\ncorrelation:\n  ${key}\n  type: ${type}\n  rules: [${ID}]\n  timespan: 1m\n  condition: { lte: 2 }\n`,
    code: "rule.key-unknown",
    at: "3:3",
    says: "stands inside of condition, as in condition: { ",
  })),
  {
    name: "a field beside a condition that has none",
    text: `title: C\ncorrelation:\n  field: n\n  type: event_count\n  rules: [${ID}]\n  timespan: 1m\n  condition: { lte: 2 }\n`,
    code: "rule.key-unknown",
    at: "3:3",
    says: 'the key "field"; allowed are type, ',
  },
  {
    name: "one id twice",
    text: `id: ${ID}\n${detection("s: { f: 1 }")}---\nid: ${ID}\n${detection("s: { f: 2 }")}`,
    code: "rule.duplicate",
    at: "8:1",
    says: "each rule has its own",
  },
  {
    name: "one title twice, without ids",
    text: `${detection("s: { f: 1 }")}---\n${detection("s: { f: 2 }")}`,
    code: "rule.duplicate",
    at: "7:1",
    says: 'neither this rule nor the one at r.yml:1:1 has an id, and both have the title "T"; give each an id',
  },
];

const TABLES = { MODIFIERS, VALUES, CONDITIONS, DOCUMENTS };
const placeholders = new Map([["admins", ["root"]]]);
test.for(Object.entries(TABLES).flatMap(([table, rows]) => rows.map((row) => ({ table, ...row }))))(
  "$table: $name",
  ({ text, code, at, says }) => {
    const { set, problems } = readRules([{ path: "r.yml", text, lenient: false }], {
      placeholders,
    });
    expect(set).toBe(undefined);
    expect(problems.map((one) => [one.code, one.at])).toEqual([[code, `r.yml:${at}`]]);
    expect(problems[0]?.message).toContain(says);
    const lenient = readRules([{ path: "r.yml", text, lenient: true }], { placeholders });
    expect(lenient.leftOut.map((one) => one.problems[0]?.code)).toEqual([code]);
  },
);

const REFUSED_D =
  "title: D\nname: fails\nlogsource: { product: windows }\ndetection: { s: { f|contain: x }, condition: s }\n";
const correlationOf = (name: string, rule: string, more = ""): string =>
  `title: ${name}\nname: ${name}\ncorrelation: { type: event_count, rules: [${rule}], timespan: 1m, condition: { gte: 2 }${more} }\n`;

test.for([
  {
    name: "a correlation and a filter",
    documents: [
      correlationOf("C", "fails"),
      "title: F\nlogsource: { product: windows }\nfilter: { rules: [fails], s: { f: 1 }, condition: s }\n",
    ],
    says: [
      ["r.yml:8:43", "fails was refused (r.yml:4:19); mend that first (C → fails)"],
      ["r.yml:12:19", "fails was refused (r.yml:4:19); mend that first"],
    ],
  },
  {
    name: "a chain: each says where the next one's fault is",
    documents: [correlationOf("C2", "C1"), correlationOf("C1", "fails")],
    says: [
      ["r.yml:12:43", "fails was refused (r.yml:4:19); mend that first (C2 → C1 → fails)"],
      ["r.yml:8:43", "C1 was refused (r.yml:12:43); mend that first (C2 → C1)"],
    ],
  },
  {
    name: "an alias for it is no further fault",
    documents: [
      correlationOf("C", "fails", ", group-by: [who], aliases: { who: { fails: user } }"),
    ],
    says: [["r.yml:8:43", "fails was refused (r.yml:4:19); mend that first (C → fails)"]],
  },
  {
    name: "nor one that calls it by another word",
    documents: [
      correlationOf("C", "fails", ", group-by: [who], aliases: { who: { other: user } }"),
    ],
    says: [["r.yml:8:43", "fails was refused (r.yml:4:19); mend that first (C → fails)"]],
  },
])("a rule that refers to a refused one says where that is wrong: $name", (row) => {
  const text = [REFUSED_D, ...row.documents].join("---\n");
  const { problems } = readRules([{ path: "r.yml", text, lenient: false }], {});
  expect(problems.map(({ code, at, message }) => [code, at, message])).toEqual([
    ["rule.modifier-unknown", "r.yml:4:19", expect.stringContaining("contains")],
    ...row.says.map(([at, message]) => ["rule.reference-refused", at, message]),
  ]);
});

test.for([
  {
    filter: "{ rules: [nothing], s: { f: 1 }, condition: s }",
    code: "rule.reference-unknown",
  },
  { filter: "{ rules: any, s: { f|contain: 1 }, condition: s }", code: "rule.modifier-unknown" },
])("a refused filter's name is no refused rule's: $code", (row) => {
  const filter = `title: F\nname: quiet\nlogsource: { product: linux }\nfilter: ${row.filter}\n`;
  const text = [filter, correlationOf("C", "quiet")].join("---\n");
  const { problems } = readRules([{ path: "r.yml", text, lenient: false }], {});
  expect(problems.map(({ code }) => code).toSorted()).toEqual(
    [row.code, "rule.reference-unknown"].toSorted(),
  );
});

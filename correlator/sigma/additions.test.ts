// Absence, suppression, rising severity: what a rule may say, and what is refused where and how.
import { expect, test } from "vitest";
import { WEEKDAYS } from "../../core/records.ts";
import { readRules } from "./load.ts";

const BEAT =
  "title: B\nname: beat\nlogsource: { product: p }\ndetection: { s: { f: 1 }, condition: s }\n---\n";
const correlation = (body: string, head = ""): string =>
  `${BEAT}title: C\nname: c\n${head}correlation:\n  rules: [beat]\n  ${body.replaceAll("\n", "\n  ")}\n`;
const absence = (body: string): string => correlation(`type: absence\n${body}`);
const count = (body: string, head = ""): string =>
  correlation(`type: event_count\ntimespan: 5m\ncondition: { gte: 2 }\n${body}`, head);

const read = (text: string) =>
  readRules([{ path: "r.yml", text, lenient: false }], { placeholders: new Map() });

test.for([
  {
    name: "groups that were seen",
    text: absence("group-by: [h]\ntimespan: 26h\nrememberFor: 7d"),
    want: { what: ["beat"], rememberMs: 7 * 86_400_000 },
    spanMs: 26 * 3_600_000,
  },
  {
    name: "listed groups",
    text: absence("group-by: [h]\ntimespan: 1h\nexpected: [db1, 2]"),
    want: { what: ["beat"], expected: [["db1"], ["2"]] },
    spanMs: 3_600_000,
  },
  {
    name: "groups of two fields, as list and as map",
    text: absence("group-by: [h, j]\ntimespan: 1h\nexpected: [[db1, full], { j: daily, h: db2 }]"),
    want: {
      what: ["beat"],
      expected: [
        ["db1", "full"],
        ["db2", "daily"],
      ],
    },
    spanMs: 3_600_000,
  },
  {
    name: "no group: the one that there is",
    text: absence("timespan: 1h"),
    want: { what: ["beat"], expected: [[]] },
    spanMs: 3_600_000,
  },
  {
    name: "a deadline looks back a day",
    text: absence(
      'group-by: [h]\nrememberFor: 7d\ndeadline: { by: "04:00", timezone: Europe/Berlin, days: [fri, mon] }',
    ),
    want: {
      what: ["beat"],
      deadline: { by: "04:00", timezone: "Europe/Berlin", days: ["mon", "fri"] },
      rememberMs: 7 * 86_400_000,
    },
    spanMs: 86_400_000,
  },
  {
    name: "a deadline of every day, in UTC",
    text: absence("timespan: 2h\ndeadline: { by: 04:00 }"),
    want: {
      what: ["beat"],
      deadline: { by: "04:00", timezone: "UTC", days: WEEKDAYS },
      expected: [[]],
    },
    spanMs: 7_200_000,
  },
])("absence: $name", ({ text, want, spanMs }) => {
  const { set, problems } = read(text);
  expect(problems).toEqual([]);
  expect(set?.correlations[0]?.absence).toEqual(want);
  expect(set?.correlations[0]?.spanMs).toBe(spanMs);
});

test("suppression and rising severity are read, and change the rule's version; without them it stays", () => {
  const plain = read(count("")).set?.correlations[0];
  const suppressed = read(count("suppress: 1h")).set?.correlations[0];
  const rising = read(
    count("escalate: [{ count: 10, level: high }, { level: critical, count: 50 }]", "level: low\n"),
  ).set?.correlations[0];
  expect([suppressed?.suppressMs, rising?.escalate]).toEqual([
    3_600_000,
    [
      { count: 10, level: "high" },
      { count: 50, level: "critical" },
    ],
  ]);
  expect(Object.keys(plain ?? {})).not.toContain("suppressMs");
  expect(new Set([plain?.version, suppressed?.version, rising?.version]).size).toBe(3);
});

test.for([
  {
    name: "no group is expected",
    text: absence("group-by: [h]\ntimespan: 1h"),
    at: "9:3",
    code: "absence",
    says: "expected: [db1, db2]",
  },
  {
    name: "a condition",
    text: absence("timespan: 1h\ncondition: { gte: 1 }"),
    at: "12:3",
    code: "absence",
    says: "has no condition",
  },
  {
    name: "no timespan",
    text: absence("group-by: [h]\nrememberFor: 1d"),
    at: "9:3",
    code: "span",
    says: "timespan is missing",
  },
  {
    name: "a timespan of 31 days",
    text: absence("timespan: 31d"),
    at: "11:13",
    code: "span",
    says: "from 1s to 30d",
  },
  {
    name: "a short memory",
    text: absence("group-by: [h]\ntimespan: 2h\nrememberFor: 2h"),
    at: "13:16",
    code: "absence",
    says: "no longer than the timespan",
  },
  {
    name: "a memory of years",
    text: absence("group-by: [h]\ntimespan: 2h\nrememberFor: 366d"),
    at: "13:16",
    code: "span",
    says: "from 1s to 365d",
  },
  {
    name: "expected without group-by",
    text: absence("timespan: 1h\nexpected: [a]"),
    at: "12:13",
    code: "absence",
    says: "there is no group-by",
  },
  {
    name: "expected is empty",
    text: absence("group-by: [h]\ntimespan: 1h\nexpected: []"),
    at: "13:13",
    code: "absence",
    says: "1 to 1000 groups",
  },
  {
    name: "a group twice",
    text: absence("group-by: [h]\ntimespan: 1h\nexpected: [a, b, a]"),
    at: "13:20",
    code: "absence",
    says: "names a twice",
  },
  {
    name: "a group of too few fields",
    text: absence("group-by: [h, j]\ntimespan: 1h\nexpected: [a]"),
    at: "13:14",
    code: "absence",
    says: "a list of 2 texts for h, j",
  },
  {
    name: "a group of another field",
    text: absence("group-by: [h]\ntimespan: 1h\nexpected: [{ x: a }]"),
    at: "13:14",
    code: "absence",
    says: "a text for h",
  },
  {
    name: "an empty value",
    text: absence('group-by: [h]\ntimespan: 1h\nexpected: [""]'),
    at: "13:14",
    code: "absence",
    says: "text of 1 to 256 characters",
  },
  {
    name: "a deadline that is a text",
    text: absence("deadline: 04:00"),
    at: "11:13",
    code: "absence",
    says: "it must be a map",
  },
  {
    name: "a key of the deadline",
    text: absence("deadline: { by: 04:00, zone: UTC }"),
    at: "11:26",
    code: "key-unknown",
    says: "allowed are by, timezone, days",
  },
  {
    name: "no time of day",
    text: absence("deadline: { by: 24:00 }"),
    at: "11:19",
    code: "absence",
    says: "from 00:00 to 23:59",
  },
  {
    name: "no time at all",
    text: absence("deadline: { timezone: UTC }"),
    at: "11:13",
    code: "absence",
    says: "by is missing",
  },
  {
    name: "no such zone",
    text: absence("deadline: { by: 04:00, timezone: Berlin }"),
    at: "11:36",
    code: "absence",
    says: "as in Europe/Berlin",
  },
  {
    name: "no such day",
    text: absence("deadline: { by: 04:00, days: [mon, Tue] }"),
    at: "11:38",
    code: "absence",
    says: "allowed are mon, tue, wed, thu, fri, sat, sun",
  },
  {
    name: "no day",
    text: absence("deadline: { by: 04:00, days: [] }"),
    at: "11:32",
    code: "absence",
    says: "days is empty",
  },
  {
    name: "expected of a count",
    text: count("expected: [a]"),
    at: "13:3",
    code: "absence",
    says: "belongs to the type absence",
  },
  {
    name: "a deadline of a count",
    text: count("deadline: { by: 04:00 }"),
    at: "13:3",
    code: "absence",
    says: "belongs to the type absence",
  },
  {
    name: "suppress of an absence",
    text: absence("timespan: 1h\nsuppress: 1h"),
    at: "12:3",
    code: "suppress",
    says: "told once for as long as it lasts",
  },
  {
    name: "suppress without a unit",
    text: count("suppress: 60"),
    at: "13:13",
    code: "span",
    says: "suppress is 60",
  },
  {
    name: "suppress outside",
    text: count("", "suppress: 1h\n"),
    at: "8:1",
    code: "suppress",
    says: "stands inside of correlation",
  },
  {
    name: "escalate outside",
    text: count("", "escalate: []\n"),
    at: "8:1",
    code: "escalate",
    says: "stands inside of correlation",
  },
  {
    name: "escalate is a map",
    text: count("escalate: { count: 3, level: high }"),
    at: "13:13",
    code: "escalate",
    says: "it must be a list",
  },
  {
    name: "escalate to no level",
    text: count("escalate: [{ count: 3, level: hihg }]"),
    at: "13:14",
    code: "escalate",
    says: "one of informational, low",
  },
  {
    name: "escalate from half a match",
    text: count("escalate: [{ count: 1.5, level: high }]"),
    at: "13:23",
    code: "escalate",
    says: "a whole number",
  },
  {
    name: "escalate with a key of its own",
    text: count("escalate: [{ count: 3, level: high, x: 1 }]"),
    at: "13:14",
    code: "escalate",
    says: "each is { count, level }",
  },
  {
    name: "levels that fall",
    text: count("escalate: [{ count: 3, level: high }, { count: 9, level: low }]"),
    at: "13:41",
    code: "escalate",
    says: "must rise",
  },
  {
    name: "counts that fall",
    text: count("escalate: [{ count: 3, level: high }, { count: 3, level: critical }]"),
    at: "13:41",
    code: "escalate",
    says: "must rise",
  },
  {
    name: "no higher than the rule",
    text: count("escalate: [{ count: 3, level: high }]", "level: high\n"),
    at: "14:14",
    code: "escalate",
    says: "no higher than the rule's own level high",
  },
])("refused: $name", ({ text, at, code, says }) => {
  const { set, problems } = read(text);
  expect(set).toBe(undefined);
  expect(problems.map((one) => [one.code, one.at])).toEqual([[`rule.${code}`, `r.yml:${at}`]]);
  expect(problems[0]?.message).toContain(says);
});

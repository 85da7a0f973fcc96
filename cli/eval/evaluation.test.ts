import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { loadMappings, shippedMappings } from "../../core/mappings.ts";
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { loadRules, readRules } from "../../correlator/sigma/load.ts";
import type { RuleSet } from "../../correlator/sigma/rule.ts";
import { Evaluation, type EvaluationOptions } from "./evaluation.ts";
import { summaryLines, summaryOf } from "./summary.ts";

const mappings = await loadMappings([shippedMappings()]);
const BOUNDS = { matchesMax: 1000, valuesMax: 1000, groupsMax: 1000, evidenceMax: 5 };
const ID = "00000000-0000-4000-8000-00000000000";
const RULES = `title: Shell
id: ${ID}1
logsource: { product: windows, category: process_creation }
detection:
  shell: { Image|endswith: '\\cmd.exe' }
  condition: shell
level: high
---
title: Sign-in failed
id: ${ID}2
name: failed
logsource: { product: linux, service: sshd }
detection:
  failed: { event.outcome: failure }
  condition: failed
level: low
---
title: Many failed
id: ${ID}3
level: medium
correlation:
  type: event_count
  rules: [failed]
  group-by: [source.ip]
  timespan: 1m
  condition: { gte: 3 }
`;
const setOf = (text: string): RuleSet => {
  const { set, problems } = readRules([{ path: "rules.yml", text, lenient: false }], {
    mapField: mappings.field,
  });
  if (!set) throw new Error(JSON.stringify(problems));
  return set;
};
const SET = setOf(RULES);

function evaluated(
  lines: readonly (string | object | undefined)[],
  { set = SET, ...options }: Partial<EvaluationOptions> & { readonly set?: RuleSet } = {},
) {
  const evaluation = new Evaluation(set, { mappings, bounds: BOUNDS, ...options });
  const out = lines.map((line, number) =>
    evaluation.evaluate(typeof line === "object" ? JSON.stringify(line) : line, number),
  );
  const findings = [...evaluation.end()].map((text) => JSON.parse(text) as FindingLine);
  const matches = out
    .join("")
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => JSON.parse(text) as object);
  return { matches, findings, summary: summaryOf(evaluation, findings.length) };
}

type FindingLine = { readonly finding: string; readonly group: Readonly<Record<string, string>> };
const flat = { product: "windows", category: "process_creation", Image: "C:\\cmd.exe" };
const kept = {
  "@timestamp": "2026-01-05T08:00:00.000Z",
  event: { id: "a1", outcome: "failure" },
  source: { ip: "10.0.0.1" },
  wache: { stream: "live", sources: [{ product: "linux" }, { product: "linux", service: "sshd" }] },
};

const evtx = {
  Event: {
    System: {
      Provider: { "#attributes": { Name: "Microsoft-Windows-Sysmon" } },
      EventID: 1,
      Channel: "Microsoft-Windows-Sysmon/Operational",
    },
    EventData: { Image: "C:\\cmd.exe" },
  },
};

test("each match is a line with the event's number, whatever form the event has", () => {
  const { matches, summary } = evaluated([flat, { a: 1 }, kept, evtx]);
  const shell = { rule: `${ID}1`, title: "Shell", level: "high" };
  expect(matches).toEqual([
    { event: 0, ...shell },
    { event: 2, rule: `${ID}2`, title: "Sign-in failed", level: "low" },
    { event: 3, ...shell },
  ]);
  expect(summary).toMatchObject({
    ...{ lines: 4, events: 4, matches: 3, matchedEvents: 3, matchedRules: 2 },
    forms: { flat: 2, wache: 1, evtx: 1 },
    ...{ noRule: 1, noRuleSources: [{ source: "none", events: 1 }] },
  });
});

test("lines that are no objects are told by number and reason, never by their text", () => {
  const secret = "password=hunter2";
  const lines = [
    secret,
    '{"a":',
    "[1]",
    "7",
    "null",
    "",
    " \r",
    undefined,
    '{"a":1}\r',
    '{"a":"\t"}',
  ];
  const { summary } = evaluated(lines);
  expect(summary.faults).toEqual([
    { line: 0, reason: "not JSON, or cut off" },
    { line: 1, reason: "not JSON, or cut off" },
    { line: 2, reason: "a list" },
    { line: 3, reason: "no object but a number" },
    { line: 4, reason: "no object but null" },
    { line: 7, reason: "too long" },
    { line: 9, reason: "not JSON from column 7 on" },
  ]);
  expect({ lines: summary.lines, events: summary.events }).toEqual({ lines: 10, events: 1 });
  expect(JSON.stringify(summary)).not.toContain("hunter2");
});

test("of many bad lines the first ten are named", () => {
  const { summary } = evaluated(Array.from({ length: 25 }, () => "x"));
  expect([summary.unreadable, summary.faults.length]).toEqual([25, 10]);
  expect(summaryLines(summary)[1]).toMatch(
    /^25 lines left out, no JSON objects: line 1: .*; and 15 more$/,
  );
});

test.for([
  {
    name: "a list over several lines",
    text: '[\n{"a":1},\n{"a":2}\n]',
    says: "write each event as one line",
  },
  {
    name: "an object over several lines",
    text: '{\n"a": 1\n}',
    says: "write each event as one line",
  },
  { name: "UTF-16", text: "{\u0000}\u0000", says: "UTF-16, it seems: make it UTF-8" },
])("what to do about $name is said", ({ text, says }) => {
  const { summary } = evaluated(text.split("\n"));
  expect(summaryLines(summary).join("\n")).toContain(says);
});

test("a byte order mark before the first line is no fault", () => {
  const { matches, summary } = evaluated([`\ufeff${JSON.stringify(flat)}`]);
  expect([matches.length, summary.unreadable]).toEqual([1, 0]);
});

test("names that objects inherit are fields like others", () => {
  const line = '{"__proto__":{"wache":{"sources":[{}]}},"constructor":1,"product":"windows"}';
  expect(evaluated([line]).summary).toMatchObject({ events: 1, forms: { flat: 1 } });
});

test.for([5, null, { assumed: 5 }, { assumed: "time" }, { implausible: "x" }])(
  "of a field called wache anything may come: %s",
  (wache) => {
    const { findings } = evaluated([0, 1, 2].map((second) => ({ ...failure(second), wache })));
    expect(findings).toMatchObject([{ count: 3 }]);
  },
);

const failure = (second: number, ip = "10.0.0.1") => ({
  ...{ product: "linux", service: "sshd", "event.outcome": "failure", "source.ip": ip },
  time: Date.UTC(2026, 0, 5, 8, 0, second) / 1000,
});
const finding = {
  finding: expect.any(String),
  rule: `${ID}3`,
  group: { "source.ip": "10.0.0.1" },
  first: "2026-01-05T08:00:00.000Z",
  last: "2026-01-05T08:00:40.000Z",
  count: 3,
  level: "medium",
};
test.for([
  { name: "in order", lines: [failure(0), failure(20), failure(40)], want: [finding] },
  { name: "the last first", lines: [failure(40), failure(20), failure(0)], want: [finding] },
  {
    name: "an early one comes last: the finding that begins later is replaced",
    lines: [failure(10), failure(20), failure(40), failure(0)],
    want: [{ ...finding, count: 4 }],
  },
  { name: "one less", lines: [failure(0), failure(20)], want: [] },
  { name: "two groups", lines: [failure(0), failure(20), failure(40, "10.0.0.2")], want: [] },
  { name: "too far apart", lines: [failure(0), failure(20), failure(61)], want: [] },
])("correlations over a file: $name", ({ lines, want }) => {
  const { findings, matches } = evaluated(lines);
  expect(findings).toEqual(want);
  expect(matches.length).toBe(lines.length);
});

test("what correlations cannot count is told: no time, no group", () => {
  const { time: _time, ...timeless } = failure(0);
  const { "source.ip": _ip, ...groupless } = failure(0);
  const { summary } = evaluated([timeless, groupless, failure(1)]);
  expect(summary).toMatchObject({ matches: 3, timeless: 1, groupless: 1, findings: 0 });
  expect(summaryLines(summary)).toContain(
    "1 event without a time: not correlated (a running Wache takes the time of receipt, --logs that of the line before)",
  );
});

test.for([
  { count: 64, cutGroups: 0, says: [] },
  {
    count: 65,
    cutGroups: 1,
    says: ["1 time an event had more groups than one may add: the first 64 were correlated"],
  },
])("groups of one event, $count: $cutGroups are told as cut", ({ count, cutGroups, says }) => {
  const ips = Array.from({ length: count }, (_, n) => `10.0.0.${n}`);
  const { summary } = evaluated([{ ...failure(0), "source.ip": ips }]);
  expect(summary).toMatchObject({ cutGroups, cutValues: 0 });
  expect(summaryLines(summary).filter((line) => line.includes("may add"))).toEqual(says);
});

const BY_EVENT = setOf(`title: Any
id: ${ID}4
name: any
logsource: { product: app }
detection: { some: { u: bob }, condition: some }
---
title: Twice
id: ${ID}5
correlation:
  type: event_count
  rules: [any]
  group-by: [event]
  timespan: 1m
  condition: { gte: 2 }
---
title: Twice bob
id: ${ID}6
correlation:
  type: event_count
  rules: [any]
  group-by: [u]
  timespan: 1m
  condition: { gte: 2 }
`);
test("a field that Wache uses itself is counted by as it stands in the line", () => {
  const at = { product: "app", u: "bob", event: "login" };
  const { findings } = evaluated(
    [1, 2].map((second) => ({ ...at, "@timestamp": `2026-01-05 08:00:0${second}` })),
    { set: BY_EVENT },
  );
  expect(findings.map(({ group }) => group)).toEqual([{ event: "login" }, { u: "bob" }]);
});

test.for([
  {
    name: "a line without an id is no line that has its number as id",
    ids: ["1", undefined],
    count: 2,
  },
  { name: "the same text as id is the same event", ids: ["a", "a", "b"], count: 2, repeated: 1 },
  { name: "the same number as id is the same event", ids: [7, 7, "7", 8], count: 2, repeated: 2 },
])("$name", ({ ids, count, repeated = 0 }) => {
  const { findings, summary } = evaluated(
    ids.map((id) => ({
      ...{ product: "app", u: "bob", "@timestamp": "2026-01-05T08:00:00.000Z" },
      ...(id !== undefined && { event: { id } }),
    })),
    { set: BY_EVENT },
  );
  expect(findings.filter(({ group }) => group.u === "bob")).toMatchObject([{ count }]);
  expect(summary).toMatchObject({ repeated });
  expect(summaryLines(summary).some((line) => line.includes("came before"))).toBe(repeated > 0);
});

test("with a lateness windows close behind the events, and what comes later is counted as such", () => {
  const steady = Array.from({ length: 3000 }, (_, n) => failure(n, `10.1.0.${n % 250}`));
  const late = [failure(0), failure(20), failure(40)];
  const { findings, summary } = evaluated([...steady, ...late], { latenessMs: 30_000 });
  expect({ findings, overdue: summary.overdue }).toEqual({ findings: [], overdue: 3 });
  expect(evaluated([...steady, ...late], { latenessMs: 3_600_000 }).findings).toEqual([finding]);
});

test("the clock is that of all events, whatever rules match: an event is late once, for all correlations", () => {
  const clock = Array.from({ length: 1500 }, (_, n) => ({
    ...{ product: "app", u: "somebody", "@timestamp": Date.UTC(2026, 0, 5, 8, 0, n) / 1000 },
  }));
  const bob = (second: number) => ({
    ...{ product: "app", u: "bob", event: `${second}` },
    "@timestamp": Date.UTC(2026, 0, 5, 8, 0, second) / 1000,
  });
  const lines = [...clock, bob(1495), bob(900), bob(1496)]; // the clock is the median of the last thousand
  const { findings, summary } = evaluated(lines, { set: BY_EVENT, latenessMs: 30_000 });
  expect(findings).toMatchObject([{ group: { u: "bob" }, count: 2 }]);
  expect(summaryLines(summary)).toContain("1 event later than --lateness: not correlated");
});

test("events before there were logs are not correlated; what is ahead of now is told, whenever that is", () => {
  const at = (time: string) => ({ product: "app", u: "bob", "@timestamp": time });
  const lines = [
    ...["1979-12-31T23:59:59Z", "2026-01-07T00:00:00Z", "2026-01-07T00:00:00.001Z"].map(at),
    { ...at("2026-01-07T00:00:01Z"), wache: { implausible: true } },
  ];
  const { findings, summary } = evaluated(lines, { set: BY_EVENT, nowMs: Date.UTC(2026, 0, 6) });
  expect(findings).toMatchObject([{ count: 2, last: "2026-01-07T00:00:00.001Z" }]);
  expect(summaryLines(summary)).toContain(
    "2 events before 1980 or, when it came, more than a day ahead: not correlated",
  );
  expect(summaryLines(summary)).toContain(
    "1 event more than a day ahead of now: a running Wache does not correlate such events",
  );
});

test("log sources that are none are passed over, and an event without any says so", () => {
  const { summary } = evaluated([
    { wache: { sources: [null, 5, []] } },
    { wache: { sources: [] } },
  ]);
  expect(summary.noRuleSources).toEqual([{ source: "none", events: 2 }]);
});

test("in a stream of a name findings are the same but for their ids, which are that stream's", () => {
  const lines = Array.from({ length: 3000 }, (_, n) => failure(n, `10.1.0.${n % 25}`));
  const of = (stream?: string) =>
    evaluated(lines, { latenessMs: 30_000, ...(stream !== undefined && { stream }) }).findings;
  const [live, named] = [of(), of("import-1")];
  const content = (all: readonly { finding: string }[]) =>
    all.map(({ finding: _id, ...rest }) => JSON.stringify(rest)).toSorted();
  expect(live.length).toBeGreaterThan(0);
  expect(content(named)).toEqual(content(live));
  expect(of("live")).toEqual(live);
  const ids = new Set([...live, ...named].map((one) => one.finding));
  expect(ids.size).toBe(2 * live.length);
});

const DATA = new URL("../../../shared/data/", import.meta.url).pathname;
const LANES = [
  ...["lab_windows", "match_heavy", "structured_windows", "mixed_schema", "sysmon_file_event"],
  ...["recorded_flat", "cisco_syslog", "syslog"],
];
const unpacked = (path: string): string =>
  gunzipSync(readFileSync(`${DATA}lanes/${path}.gz`)).toString("utf8");

test.skipIf(!existsSync(DATA))(
  "all of SigmaHQ finds in each lane what is expected (skipped where ../shared/data is absent)",
  { timeout: 120_000 },
  async () => {
    const folder = { path: `${DATA}sigma/rules`, lenient: true };
    const { set } = await loadRules([folder], ruleDisk, { mapField: mappings.field });
    if (!set) throw new Error("the rules do not load");
    for (const lane of LANES) {
      const evaluation = new Evaluation(set, { mappings, bounds: BOUNDS });
      const lines = unpacked(`${lane}.ndjson`).trimEnd().split("\n");
      const found = lines
        .map((line, number) => evaluation.evaluate(line, number))
        .join("")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as { readonly event: number; readonly rule: string })
        .map(({ event, rule }) => `${event}\t${rule}`)
        .toSorted();
      const wanted = unpacked(`expected/${lane}.strict.tsv`).trimEnd().split("\n").toSorted();
      expect(found, lane).toEqual(wanted);
    }
  },
);

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "../core/config.ts";
import type { EcsEvent } from "../core/event.ts";
import { withStore } from "./local.ts";
import { main } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-backtest-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = join(folder, "data");
const FAILED = `title: Failed
id: f
name: failed
level: low
logsource: { product: linux }
detection: { a: { event.outcome: failure }, condition: a }
`;
const rules = join(folder, "rules.yml");
writeFileSync(
  rules,
  `${FAILED}---
title: Many failed
id: m
level: high
correlation: { type: event_count, rules: [failed], group-by: [user.name], timespan: 1m, condition: { gte: 3 } }
`,
);
const silent = join(folder, "silent.yml");
writeFileSync(
  silent,
  `${FAILED}---
title: Silent
id: s
level: high
correlation: { type: absence, rules: [failed], group-by: [user.name], timespan: 30s, rememberFor: 1m }
`,
);
const T0 = Date.UTC(2026, 0, 5, 23, 59, 30);
let ids = 0;
const event = (second: number, user: string, more: object = {}): EcsEvent =>
  ({
    "@timestamp": new Date(T0 + second * 1000).toISOString(),
    event: { id: `e${ids++}`, outcome: "failure" },
    user: { name: user },
    wache: { stream: "live", sources: [{ product: "linux" }], ...more },
  }) as unknown as EcsEvent;
const EVENTS = [
  ...[0, 20, 40].map((second) => event(second, "ann")), // over midnight
  ...[0, 20, 70].map((second) => event(second, "bob")), // too far apart
  ...[0, 20].map((second) => event(second, "cat")),
  event(40, "cat", { stream: "import-1" }), // each stream by itself
  event(40, "dan", { sources: [{ product: "windows" }] }),
  ...[0, 10, 20].map((second) => event(second, "eve", { late: true })), // live they were not correlated
];
await withStore(
  loadConfig({ overrides: { data } }),
  (store) => store.putEvents(EVENTS.map((one) => ({ event: one, text: JSON.stringify(one) }))),
  { makesFolder: true },
);

const run = async (...args: string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(["rules", "backtest", "--data", data, ...args], {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out, err: err.join("\n") };
};
const failed = { kind: "detection", rule: "f", title: "Failed", level: "low" };
const many = { kind: "event_count", rule: "m", title: "Many failed", level: "high" };

test.for([
  {
    name: "all",
    args: [],
    want: [
      { ...failed, day: "2026-01-05", count: 9 },
      { ...failed, day: "2026-01-06", count: 3 },
      { ...many, day: "2026-01-05", count: 1 },
    ],
  },
  {
    name: "from a time on",
    args: ["--from", "2026-01-06T00:00:00Z"],
    want: [
      { ...failed, day: "2026-01-06", count: 3 },
      { ...many, day: "2026-01-05", count: 1 }, // it began before, and reaches into the times
    ],
  },
  {
    name: "up to a time",
    args: ["--to", "2026-01-05T23:59:30Z"],
    want: [
      { ...failed, day: "2026-01-05", count: 4 },
      { ...many, day: "2026-01-05", count: 1 }, // it ends later, and begins in the times
    ],
  },
  {
    name: "of a query",
    args: ["--query", "user.name:ann"],
    want: [
      { ...failed, day: "2026-01-05", count: 2 },
      { ...failed, day: "2026-01-06", count: 1 },
      { ...many, day: "2026-01-05", count: 1 },
    ],
  },
  { name: "where nothing is", args: ["--from", "2027-01-01"], want: [] },
])("matches and findings a rule and a day: $name", async ({ args, want }) => {
  const { code, out } = await run("--json", ...args, rules);
  expect({ code, found: out.map((line) => JSON.parse(line)) }).toEqual({ code: 0, found: want });
});

test("a table for people, and how much was tried", async () => {
  const { out, err } = await run(rules);
  expect(out[1]).toBe("2026-01-05  9      low    detection    Failed       f");
  expect(err).toBe("2 of 2 rules found something in 13 events");
});

test("findings as live gives them, wherever the times cut them", async () => {
  const found = async (...args: string[]) =>
    (await run("--findings", "--json", ...args, rules)).out.map((line) => JSON.parse(line));
  const all = await found();
  expect(all).toEqual([
    {
      ...{ finding: expect.any(String), rule: "m", group: { "user.name": "ann" }, count: 3 },
      ...{ first: "2026-01-05T23:59:30.000Z", last: "2026-01-06T00:00:10.000Z", level: "high" },
    },
  ]);
  expect(await found("--from", "2026-01-06T00:00:10Z")).toEqual(all);
  expect(await found("--to", "2026-01-05T23:59:30Z")).toEqual(all);
  expect(await found("--from", "2026-01-06T00:00:11Z")).toEqual([]);
  const times = `${all[0].first}  ${all[0].last}`;
  expect((await run("--findings", rules)).out).toEqual([
    expect.stringMatching(/^FIRST +LAST +FOUND +LEVEL +TITLE +GROUP +ID$/),
    `${times}  3 events  high   Many failed  ann    ${all[0].finding}`,
  ]);
});

test("of an absence the table says how often it was missed, not a number of events", async () => {
  const { out } = await run("--findings", silent);
  const found = out.slice(1).map((line) => line.split(/ {2,}/));
  expect(found.map((cells) => `${cells[5]}: ${cells[2]}`).toSorted()).toEqual([
    ...["ann: missed 2 times", "bob: missed 2 times", "bob: missed once", "cat: missed 2 times"],
  ]);
});

test.for([
  { name: "a bad query", args: ["--query", "((", rules], code: 1 },
  { name: "a bad time", args: ["--from", "soon", rules], code: 2 },
  {
    name: "an end before the beginning",
    args: ["--from", "2026-01-06", "--to", "2026-01-05", rules],
    code: 2,
  },
  { name: "no rules", args: [join(folder, "none")], code: 1 },
])("$name is refused", async ({ args, code }) => {
  expect((await run(...args)).code).toBe(code);
});

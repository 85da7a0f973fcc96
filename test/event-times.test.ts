// From a log line to a finding, whatever its time and its values are; and who moves the clock.
import { expect, test } from "vitest";
import { type Entry, newTally, stampLine } from "../collectors/stamp.ts";
import { StreamClock } from "../collectors/stream-clock.ts";
import { LIVE } from "../core/event.ts";
import { StagePath } from "./stage-path.ts";

const LATENESS_MS = 10 * 60_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 0, 15, 12);
const RULES = `
title: refused
name: refused
logsource: { category: any }
detection: { it: { message|contains: refused }, condition: it }
level: low
---
title: thrice
name: thrice
correlation:
  type: event_count
  rules: [refused]
  group-by: [user.name]
  timespan: 1m
  condition: { gte: 3 }
generate: true
level: high
---
title: thrice, twice
correlation:
  type: event_count
  rules: [thrice]
  group-by: [user.name]
  timespan: 1h
  condition: { gte: 4 }
level: high
`;

/** A collector with a stage path behind it. */
function make(options: { readonly zone?: string; readonly nowMs?: number } = {}) {
  const path = new StagePath(RULES, { partitions: 3, latenessMs: LATENESS_MS });
  const tally = newTally();
  let place = 0;
  const send = (
    line: string,
    at: {
      readonly receiptMs?: number;
      readonly clock?: StreamClock;
      readonly stream?: string;
    } = {},
  ): void => {
    const { receiptMs = options.nowMs ?? NOW_MS, clock, stream = LIVE } = at;
    const entries: Entry[] = [];
    const id = `${place++}`;
    stampLine(
      { text: line },
      {
        ...{ feeder: "f", stream, source: "s", zone: options.zone ?? "UTC" },
        ...{ latenessMs: LATENESS_MS, logSource: { category: "any" } },
      },
      {
        receiptMs,
        id: (repeat = 0) => `${id}/${repeat}`,
        clock: (timeMs, read) => (clock ? (read ? clock.add(timeMs) : clock.nowMs) : receiptMs),
      },
      { entries, tally },
    );
    path.take(entries.map(({ record }) => record));
  };
  const found = (title: string): unknown[] =>
    path.findings
      .filter(({ rule }) => rule.title === title)
      .map(({ group, firstMs, lastMs, count }) => [
        ...[group["user.name"], new Date(firstMs).toISOString(), lastMs - firstMs, count],
      ])
      .sort((a, b) => String(a).localeCompare(String(b)));
  return { path, tally, send, found };
}
const json = (time: unknown, user: { readonly name?: unknown } = { name: "ann" }): string =>
  JSON.stringify({ "@timestamp": time, message: "refused", user });
const iso = (ms: number): string => new Date(ms).toISOString();

test.for<{
  name: string;
  time: unknown;
  want: string | "late" | "implausible";
  now?: string;
  zone?: string;
}>([
  { name: "now", time: "2026-01-15T12:00:00Z", want: "2026-01-15T12:00:00.000Z" },
  {
    name: "at the edge of the lateness",
    time: "2026-01-15T11:50:00Z",
    want: "2026-01-15T11:50:00.000Z",
  },
  { name: "a millisecond beyond it", time: "2026-01-15T11:49:59.999Z", want: "late" },
  { name: "a day ahead", time: "2026-01-16T12:00:00Z", want: "2026-01-16T12:00:00.000Z" },
  { name: "a millisecond more", time: "2026-01-16T12:00:00.001Z", want: "implausible" },
  { name: "1970", time: "1970-01-01T00:00:00Z", want: "implausible" },
  { name: "zero", time: 0, want: "implausible" },
  { name: "last year", time: "2025-01-15T12:00:00Z", want: "late" },
  { name: "2100", time: "2100-01-01T00:00:00Z", want: "implausible" },
  { name: "an offset", time: "2026-01-15T13:00:00+01:00", want: "2026-01-15T12:00:00.000Z" },
  { name: "seconds", time: 1_768_478_400, want: "2026-01-15T12:00:00.000Z" },
  { name: "seconds with a fraction", time: 1_768_478_400.25, want: "2026-01-15T12:00:00.250Z" },
  { name: "milliseconds", time: 1_768_478_400_000, want: "2026-01-15T12:00:00.000Z" },
  { name: "microseconds", time: 1_768_478_400_000_000, want: "2026-01-15T12:00:00.000Z" },
  { name: "nanoseconds", time: "1768478400000000000", want: "2026-01-15T12:00:00.000Z" },
  { name: "no time at all: the receipt", time: undefined, want: "2026-01-15T12:00:00.000Z" },
  { name: "null", time: null, want: "2026-01-15T12:00:00.000Z" },
  { name: "no time but a word", time: "yesterday", want: "2026-01-15T12:00:00.000Z" },
  { name: "a list", time: ["2026-01-15T11:59:00Z"], want: "2026-01-15T12:00:00.000Z" },
  {
    name: "a leap second",
    ...{ time: "2016-12-31T23:59:60Z", now: "2017-01-01T00:00:01Z" },
    want: "2017-01-01T00:00:00.000Z",
  },
  {
    name: "no zone: the source's",
    ...{ time: "2026-01-15 13:00:00", zone: "Europe/Berlin" },
    want: "2026-01-15T12:00:00.000Z",
  },
  {
    name: "an hour that the clocks leave out",
    ...{ time: "2026-03-29T02:30:00", zone: "Europe/Berlin", now: "2026-03-29T01:30:00Z" },
    want: "2026-03-29T01:30:00.000Z",
  },
  {
    name: "an hour that comes twice: the second",
    ...{ time: "2026-10-25T02:30:00", zone: "Europe/Berlin", now: "2026-10-25T00:30:00Z" },
    want: "2026-10-25T01:30:00.000Z",
  },
])("a time in an event: $name", ({ time, want, now, zone }) => {
  const nowMs = now === undefined ? NOW_MS : Date.parse(now);
  const { send, found, path, tally } = make({ nowMs, ...(zone !== undefined && { zone }) });
  path.tick("f", nowMs - MINUTE_MS);
  for (let times = 0; times < 3; times++) send(json(time));
  for (let times = 0; times < 3; times++) send(json(iso(nowMs), { name: "bob" }));
  const ann = want === "late" || want === "implausible" ? [] : [["ann", want, 0, 3]];
  expect(found("thrice")).toEqual([...ann, ["bob", iso(nowMs), 0, 3]]);
  const { late, implausible } = tally;
  expect([late, implausible]).toEqual([want === "late" ? 3 : 0, want === "implausible" ? 3 : 0]);
  expect(path.events.length).toBe(6);
});

test.for<{ name: string; user: unknown; groups: readonly string[] }>([
  { name: "text", user: "ann", groups: ["ann"] },
  { name: "a number and the same as text", user: 7, groups: ["7"] },
  { name: "a list: a group an element", user: ["ann", "bob", "ann"], groups: ["ann", "bob"] },
  { name: "a list in a list", user: ["ann", ["bob"]], groups: ["ann", "bob"] },
  { name: "an empty list", user: [], groups: [] },
  { name: "nothing", user: undefined, groups: [] },
  { name: "null", user: null, groups: [] },
  { name: "empty text", user: "", groups: [] },
  { name: "an object", user: { first: "ann" }, groups: [] },
  { name: "a list with null and an object", user: [null, { a: 1 }, "ann"], groups: ["ann"] },
])("a group's value: $name", ({ user, groups }) => {
  const { send, found, path } = make();
  for (let times = 0; times < 3; times++) send(json(iso(NOW_MS), { name: user }));
  for (let times = 0; times < 3; times++) send(json(iso(NOW_MS), { name: "good" }));
  expect(found("thrice")).toEqual([...groups, "good"].map((name) => [name, iso(NOW_MS), 0, 3]));
  const missed = path.detect.reduce((sum, { counts }) => sum + counts.missedGroups, 0);
  expect(missed).toBe(groups.length === 0 ? 3 : 0);
});

test("values of a megabyte compare exactly, and make no group of a megabyte", () => {
  const { send, found } = make();
  const long = "x".repeat(400_000);
  for (let times = 0; times < 3; times++) {
    send(json(iso(NOW_MS), { name: `${long}a` }));
    send(json(iso(NOW_MS), { name: `${long}b${times}` }));
    send(json(iso(NOW_MS), { name: "y".repeat(1_048_576) }));
  }
  const all = found("thrice") as string[][];
  expect(all.map(([name]) => String(name).slice(0, 3))).toEqual(["xxx"]);
  expect(String(all[0]?.[0]).length).toBeLessThan(300);
});

/** A hundred good events a second apart, with one that is off every ten. */
const OFF = [-365 * 24 * HOUR_MS, -HOUR_MS, HOUR_MS, 365 * 24 * HOUR_MS];
test.for(OFF.map((offMs) => ({ offMs })))(
  "live: a source that is off by $offMs ms moves no clock",
  ({ offMs }) => {
    const { send, found, path, tally } = make();
    for (let second = 0; second < 100; second++) {
      const atMs = NOW_MS + second * 1000;
      const isOff = second % 10 === 5;
      const timeMs = isOff ? atMs + offMs : atMs - LATENESS_MS;
      send(json(iso(timeMs), { name: isOff ? "off" : "ann" }), { receiptMs: atMs });
      path.tick("f", atMs);
    }
    path.tick("f", NOW_MS + 2 * HOUR_MS);
    const firstMs = NOW_MS - LATENESS_MS;
    const off = offMs === HOUR_MS ? [["off", iso(NOW_MS + 5000 + HOUR_MS), 90_000, 10]] : [];
    expect(found("thrice")).toEqual([["ann", iso(firstMs), 99_000, 90], ...off]);
    expect(tally.late + tally.implausible).toBe(offMs === HOUR_MS ? 0 : 10);
    expect(path.windows.map(({ counts }) => counts.overdue)).toEqual([0, 0, 0]);
  },
);

test.for(OFF.map((offMs) => ({ offMs })))(
  "an import: one in ten that is off by $offMs ms moves no clock",
  ({ offMs }) => {
    const { send, found, path } = make();
    const clock = new StreamClock(new Float64Array(), undefined);
    const startMs = Date.UTC(2025, 5, 1);
    for (let second = 0; second < 3000; second++) {
      const atMs = startMs + second * 1000;
      const isOff = second % 10 === 5;
      const name = isOff ? "off" : second < 2900 ? "ann" : "bob";
      send(json(iso(isOff ? atMs + offMs : atMs), { name }), {
        ...{ clock, stream: "old", receiptMs: NOW_MS },
      });
      if (clock.nowMs !== undefined) path.tick("f", clock.nowMs, { stream: "old" });
    }
    expect(clock.nowMs).toBeLessThan(startMs + 3000 * 1000);
    path.tick("f", 0, { stream: "old", end: true });
    const good = found("thrice").filter((one) => (one as unknown[])[0] !== "off");
    expect(good).toEqual([
      ["ann", iso(startMs), 2_899_000, 2610],
      ["bob", iso(startMs + 2_900_000), 99_000, 90],
    ]);
  },
);

const clocksOf = (path: StagePath, stream: string): unknown[] =>
  path.windows.map(({ streams }) => [0, 1].map((level) => streams.get(stream)?.clocks.get(level)));

test("a silent collector holds every level for 15 minutes, then all go on; heard again, it is waited for", () => {
  const { send, path } = make();
  send(json(iso(NOW_MS)));
  path.tick("silent", NOW_MS);
  const minute = (at: number): number => NOW_MS + at * MINUTE_MS;
  for (let at = 0; at < 15; at++) path.tick("f", minute(at));
  const all = (clockMs: number): unknown[] => [0, 1, 2].map(() => [clockMs, clockMs]);
  expect(clocksOf(path, LIVE)).toEqual(all(NOW_MS));
  expect(path.detect.flatMap((stage) => stage.silent())).toEqual([]);
  path.tick("f", minute(15));
  expect(clocksOf(path, LIVE)).toEqual(all(minute(15)));
  const silent = { feeder: "silent", lastMs: NOW_MS };
  expect(path.detect.flatMap((stage) => stage.silent())).toEqual([silent, silent, silent]);
  // What it received meanwhile and brings now is behind the clock, and counted so.
  send(json(iso(minute(1))), { receiptMs: minute(2) });
  expect(path.detect.reduce((sum, { counts }) => sum + counts.behind, 0)).toBe(1);
  path.tick("silent", minute(16));
  path.tick("f", minute(17));
  expect(clocksOf(path, LIVE)).toEqual(all(minute(16)));
  expect(path.detect.flatMap((stage) => stage.silent())).toEqual([]);
});

test("the end of a stream passes every level and lets go of its state", () => {
  const { send, path, found } = make();
  for (let times = 0; times < 4; times++) send(json(iso(NOW_MS + times)), { stream: "old" });
  path.tick("f", NOW_MS, { stream: "old" });
  const groups = (): number => path.windows.reduce((sum, stage) => sum + stage.groups(), 0);
  expect([groups() > 0, path.windows.some(({ streams }) => streams.has("old"))]).toEqual([
    true,
    true,
  ]);
  path.tick("f", NOW_MS, { stream: "old", end: true });
  expect(groups()).toBe(0);
  expect(path.windows.some(({ streams }) => streams.has("old"))).toBe(false);
  expect([...(path.detect[0]?.snapshot() ?? [])].some((part) => part.includes('"old"'))).toBe(
    false,
  );
  expect(found("thrice")).toEqual([["ann", iso(NOW_MS), 3, 4]]);
});

test("imports that never end: beyond a thousand the oldest gives way, counted; the live one never does", () => {
  const { send, path } = make();
  send(json(iso(NOW_MS)));
  const [windows] = path.windows;
  path.tick("f", NOW_MS);
  for (let at = 1; at <= 1000; at++) path.tick("f", NOW_MS, { stream: `import-${at}` });
  expect([windows?.streams.has("import-1"), windows?.counts.dropped]).toEqual([false, 1]);
  expect([windows?.streams.size, windows?.streams.has(LIVE)]).toEqual([1000, true]);
});

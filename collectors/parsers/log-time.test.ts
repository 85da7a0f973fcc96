// log-time.test.ts — times as logs write them.
import { expect, test } from "vitest";
import { anyTime, isZone, resolveTime } from "./log-time.ts";
import { parseLine } from "./parsers.ts";

const timeOf = (line: string, zone: string, latest: string): unknown => {
  const draft = parseLine(line, { zone, latestMs: Date.parse(latest) });
  if ("refused" in draft) return draft;
  const { timeMs } = draft;
  return [timeMs === undefined ? undefined : new Date(timeMs).toISOString(), draft.assumed];
};

const syslog = (time: string): string => `${time} web app: x`;
test.for([
  { line: syslog("Jan 15 11:59:00"), want: "2026-01-15T11:59:00.000Z", assumed: ["year", "zone"] },
  { line: syslog("Jan  5 11:59:00"), want: "2026-01-05T11:59:00.000Z", assumed: ["year", "zone"] },
  { line: syslog("Jan 16 11:59:00"), want: "2026-01-16T11:59:00.000Z", assumed: ["year", "zone"] },
  { line: syslog("Jan 16 12:00:01"), want: "2025-01-16T12:00:01.000Z", assumed: ["year", "zone"] },
  { line: syslog("Dec 31 23:59:59"), want: "2025-12-31T23:59:59.000Z", assumed: ["year", "zone"] },
  { line: syslog("Feb 29 00:00:00"), want: "2024-02-29T00:00:00.000Z", assumed: ["year", "zone"] },
  { line: syslog("Jan 15 2024 11:59:00"), want: "2024-01-15T11:59:00.000Z", assumed: ["zone"] },
  {
    line: syslog("Jan 15 11:59:00.123456"),
    want: "2026-01-15T11:59:00.123Z",
    assumed: ["year", "zone"],
  },
  { line: syslog("Feb 30 11:59:00"), want: undefined, assumed: [] },
  { line: syslog("Jan 15 25:59:00"), want: undefined, assumed: [] },
  { line: "2026-01-15T11:59:60Z x", want: "2026-01-15T12:00:00.000Z", assumed: [] },
  { line: "2026-01-15T11:59:00.9999999+05:30 x", want: "2026-01-15T06:29:00.999Z", assumed: [] },
  { line: "2026-01-15 11:59:00,5 x", want: "2026-01-15T11:59:00.500Z", assumed: ["zone"] },
  { line: "[2026-01-15 11:59:00] x", want: "2026-01-15T11:59:00.000Z", assumed: ["zone"] },
  { line: "1970-01-01T00:00:00Z x", want: "1970-01-01T00:00:00.000Z", assumed: [] },
  { line: "2100-01-01T00:00:00Z x", want: "2100-01-01T00:00:00.000Z", assumed: [] },
  { line: "0000-00-00T00:00:00Z x", want: undefined, assumed: [] },
  {
    line: "[Thu Jan 15 11:59:00 2026] [error] x",
    want: "2026-01-15T11:59:00.000Z",
    assumed: ["zone"],
  },
])("UTC: $line", ({ line, want, assumed }) => {
  expect(timeOf(line, "UTC", "2026-01-16T12:00:00Z")).toEqual([want, assumed]);
});

test.for([
  { name: "winter", line: syslog("Jan 15 12:00:00"), want: "2026-01-15T11:00:00.000Z" },
  { name: "summer", line: syslog("Jul 15 12:00:00"), want: "2025-07-15T10:00:00.000Z" },
  {
    name: "before the clocks go forward",
    line: syslog("Mar 30 01:59:59"),
    want: "2025-03-30T00:59:59.000Z",
  },
  {
    name: "after the clocks went forward",
    line: syslog("Mar 30 03:00:00"),
    want: "2025-03-30T01:00:00.000Z",
  },
  {
    name: "before the clocks go back",
    line: syslog("Oct 26 01:59:59"),
    want: "2025-10-25T23:59:59.000Z",
  },
  {
    name: "after the clocks went back",
    line: syslog("Oct 26 03:00:00"),
    want: "2025-10-26T02:00:00.000Z",
  },
])("Berlin, $name", ({ line, want }) => {
  expect(timeOf(line, "Europe/Berlin", "2026-01-16T12:00:00Z")).toEqual([want, ["year", "zone"]]);
});

test.for([
  { value: 1_768_478_340, want: "2026-01-15T11:59:00.000Z" },
  { value: 1_768_478_340.25, want: "2026-01-15T11:59:00.250Z" },
  { value: 1_768_478_340_001, want: "2026-01-15T11:59:00.001Z" },
  { value: 1_768_478_340_001_999, want: "2026-01-15T11:59:00.001Z" },
  { value: "1768478340", want: "2026-01-15T11:59:00.000Z" },
  { value: "2026-01-15", want: "2026-01-15T00:00:00.000Z" },
  { value: "15/Jan/2026:12:59:00 +0100", want: "2026-01-15T11:59:00.000Z" },
  { value: 0, want: "1970-01-01T00:00:00.000Z" },
  { value: 1e300, want: undefined },
  { value: Number.NaN, want: undefined },
  { value: "-", want: undefined },
  { value: "soon", want: undefined },
  { value: {}, want: undefined },
  { value: null, want: undefined },
])("a JSON time: $value", ({ value, want }) => {
  const time = anyTime(value, { zone: "UTC", latestMs: 0 });
  expect(time === undefined ? undefined : new Date(time.ms).toISOString()).toBe(want);
});

test.for([
  { event: { TimeGenerated: "2026-01-15T12:00:00Z" } },
  { event: { createdDateTime: "2026-01-15T12:00:00Z" } },
  {
    event: { activityDateTime: "2026-01-15T12:00:00.0Z", createdDateTime: "2020-01-01T00:00:00Z" },
  },
  { event: { eventTimestamp: "2026-01-15T12:00:00.0000000Z" } },
  { event: { requestReceivedTimestamp: "2026-01-15T12:00:00.000000Z" } },
  { event: { query_timestamp: "2026-01-15T12:00:00Z" } },
  { event: { _time: "1768478400.000" } },
  { event: { "@timestamp": "2026-01-15T12:00:00Z", TimeGenerated: "2026-01-15T13:00:00Z" } },
  { event: { TimeGenerated: "soon", _time: 1_768_478_400 } },
  { event: { UtcTime: "2026-01-15 12:00:00.000" } },
  { event: { CreationTime: "2026-01-15T12:00:00" } },
  { event: { EventTime: "2026-01-15 13:00:00" }, assumed: ["zone"] },
  { event: { TimeGenerated: "2026-01-15 13:00:00" }, assumed: ["zone"] },
])("the time of an event in JSON, of a source in Berlin: $event", ({ event, assumed = [] }) => {
  const found = timeOf(JSON.stringify(event), "Europe/Berlin", "2026-01-16T12:00:00Z");
  expect(found).toEqual(["2026-01-15T12:00:00.000Z", assumed]);
});

test("zones", () => {
  expect(["UTC", "Europe/Berlin", "Nowhere/Land", ""].map(isZone)).toEqual([
    true,
    true,
    false,
    false,
  ]);
  const wall = { year: 1, month: 0, day: 1, hour: 0, minute: 0, second: 0, offsetMs: 0 };
  const first = resolveTime(wall, { zone: "UTC", latestMs: 0 });
  expect(first?.ms).toBe(Date.parse("0001-01-01T00:00:00Z"));
});

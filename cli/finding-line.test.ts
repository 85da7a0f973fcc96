import { expect, test } from "vitest";
import type { Finding } from "../core/records.ts";
import { findingLine, findingText, foundText } from "./finding-line.ts";

const T0 = Date.UTC(2026, 0, 5);
const HOUR = 3_600_000;
const found = (more: Partial<Finding>): Finding =>
  ({
    ...{ id: "f1", rule: { title: "Heartbeat", level: "high" }, group: { "host.name": "hB" } },
    ...{ firstMs: T0, lastMs: T0 + 8 * HOUR, count: 8 },
    ...more,
  }) as Finding;
const absence = { what: ["hb"], spanMs: HOUR, sinceMs: T0, dueMs: T0 + HOUR };
const HEAD = "2026-01-05T00:00:00.000Z  high  Heartbeat: ";

test.for([
  { name: "what came", more: {}, want: "hB  8 events" },
  { name: "what came once", more: { count: 1 }, want: "hB  1 event" },
  { name: "what came in no group", more: { group: {} }, want: "8 events" },
  {
    name: "what did not come",
    more: { absence },
    want: "No hb from hB since 2026-01-05 00:00:00 UTC (8 h).",
  },
  {
    name: "what came again",
    more: { absence: { ...absence, endedMs: T0 + 9 * HOUR } },
    want: "hb from hB came again at 2026-01-05 09:00:00 UTC, after 9 h.",
  },
])("a finding for people: $name", ({ more, want }) => {
  expect(findingText(found(more))).toBe(`${HEAD}${want}  f1`);
});

test.for([
  { name: "what came", more: {}, want: "8 events" },
  { name: "what did not come", more: { absence }, want: "missed 8 times so far" },
  {
    name: "what was missed once and came again",
    more: { count: 1, absence: { ...absence, endedMs: T0 + 2 * HOUR } },
    want: "missed once",
  },
])("how much was found: $name", ({ more, want }) => {
  expect(foundText(found(more))).toBe(want);
});

test.for([
  { name: "what came", absence: undefined, want: undefined },
  { name: "what did not come", absence, want: "still" },
  { name: "what came again", absence: { ...absence, endedMs: T0 }, want: "ended" },
  {
    name: "what is no longer awaited",
    absence: { ...absence, endedMs: T0, forgotten: true as const },
    want: "forgotten",
  },
])("a finding for scripts, $name: missing is $want", ({ absence: about, want }) => {
  expect(findingLine(found(about ? { absence: about } : {})).missing).toBe(want);
});

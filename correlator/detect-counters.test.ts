import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { detectCounters } from "./detect-counters.ts";

test("each count goes into its metric once, and is set back", async () => {
  const metrics = new Registry();
  const add = detectCounters(metrics);
  const counts = {
    events: 7,
    matches: 5,
    missedGroups: 3,
    missedValues: 2,
    cutGroups: 9,
    cutValues: 8,
    behind: 1,
  };
  const values = async () =>
    (await metrics.getMetricsAsJSON()).map(({ name, values }) => [name, values[0]?.value]);
  const want = [
    ["wache_detect_events_total", 7],
    ["wache_detect_matches_total", 5],
    ["wache_detect_missed_groups_total", 3],
    ["wache_detect_missed_values_total", 2],
    ["wache_detect_cut_groups_total", 9],
    ["wache_detect_cut_values_total", 8],
    ["wache_detect_behind_total", 1],
  ];
  add(counts);
  expect(await values()).toEqual(want);
  add(counts);
  add(undefined);
  expect(await values()).toEqual(want);
});

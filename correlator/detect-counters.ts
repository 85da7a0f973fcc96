// detect-counters.ts — what the first stage counted, as metrics.
import { Counter, type Registry } from "prom-client";
import type { DetectCounts } from "./detection.ts";

const COUNTERS: {
  readonly [what in keyof DetectCounts]: readonly [name: string, help: string];
} = {
  events: ["wache_detect_events_total", "events that rules were tried on"],
  matches: ["wache_detect_matches_total", "rules that matched"],
  missedGroups: [
    "wache_detect_missed_groups_total",
    "matches that a correlation could not count: the event lacks a group-by field",
  ],
  missedValues: [
    "wache_detect_missed_values_total",
    "matches that a correlation could not count: the event has no value, or no number, in the condition's field",
  ],
  cutGroups: [
    "wache_detect_cut_groups_total",
    "matches that a correlation counted in their first 64 groups only: the event's group-by fields hold more",
  ],
  cutValues: [
    "wache_detect_cut_values_total",
    "matches of which a correlation counted the first values only: the event has more in the condition's field",
  ],
  behind: [
    "wache_detect_behind_total",
    "live events that came behind the clock, for nobody waited for their collector: correlations do not count them",
  ],
};

/** Adds what a stage counted since the last time, and sets it back. */
export function detectCounters(metrics: Registry): (counts: DetectCounts | undefined) => void {
  const all = Object.entries(COUNTERS).map(([what, [name, help]]) => ({
    what: what as keyof DetectCounts,
    counter: new Counter({ name, help, registers: [metrics] }),
  }));
  return (counts) => {
    if (!counts) return;
    for (const { what, counter } of all) {
      counter.inc(counts[what]);
      counts[what] = 0;
    }
  };
}

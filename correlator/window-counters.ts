// window-counters.ts — what the windows counted, as metrics; a bound that was reached is also said in the log and the status.
import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import type { StatusBoard } from "../core/service.ts";
import { type Counts, noCounts } from "./windows/processor.ts";

const RULES_MAX = 20; // named

/** Adds what a stage counted since the last time. */
export function windowCounters(
  metrics: Registry,
  {
    log,
    status,
  }: { readonly log: Pick<Logger, "warn">; readonly status: Pick<StatusBoard, "set"> },
): (counts: Counts | undefined) => void {
  const signals = new Counter({
    name: "wache_correlate_signals_total",
    help: "signals: added to a window; known already; overdue (counted before or too late); early (their rule was not announced yet); groupless and valueless (of a correlation whose event has no value, or number, where the next one wants one)",
    labelNames: ["outcome"],
    registers: [metrics],
  });
  const evicted = new Counter({
    name: "wache_correlate_groups_evicted_total",
    help: "groups dropped because correlator.groupsMax was reached; findings that may lack matches of them say bounded",
    registers: [metrics],
  });
  const forgotten = new Counter({
    name: "wache_correlate_matches_forgotten_total",
    help: "matches dropped because their group reached correlator.matchesMax or correlator.valuesMax; its findings say bounded",
    registers: [metrics],
  });
  const dropped = new Counter({
    name: "wache_correlate_streams_dropped_total",
    help: "imports whose windows were dropped before their end, because too many had not ended",
    registers: [metrics],
  });
  const tell = lossTeller(status);
  return (counts) => {
    if (!counts) return;
    tell(counts);
    if (counts.dropped > 0) {
      dropped.inc(counts.dropped);
      log.warn(
        { streams: counts.dropped },
        "too many imports have not ended: the windows of the oldest were dropped; end an import with end=true",
      );
    }
    for (const outcome of ["added", "known", "overdue", "early", "groupless", "valueless"] as const)
      if (counts[outcome] > 0) signals.inc({ outcome }, counts[outcome]);
    if (counts.evicted > 0) {
      evicted.inc(counts.evicted);
      log.warn(
        { groups: counts.evicted, rules: named(counts.evictedOf) },
        "correlator.groupsMax is reached: the groups whose last events are the oldest were dropped",
      );
    }
    if (counts.forgotten > 0) {
      forgotten.inc(counts.forgotten);
      log.warn(
        { matches: counts.forgotten, rules: named(counts.forgottenOf) },
        "correlator.matchesMax or valuesMax is reached: a group's oldest matches were forgotten, and its findings say bounded",
      );
    }
    Object.assign(counts, noCounts());
  };
}

const named = (rules: ReadonlySet<string>): readonly string[] => [...rules].slice(0, RULES_MAX);

/** Says on the status board what gave way since the start, and of which rules last; nothing until then. */
function lossTeller(status: Pick<StatusBoard, "set">): (counts: Counts) => void {
  let [groups, matches] = [0, 0];
  let rules: readonly string[] = []; // the last one first
  return ({ evicted, forgotten, evictedOf, forgottenOf }) => {
    if (evicted === 0 && forgotten === 0) return;
    groups += evicted;
    matches += forgotten;
    rules = named(new Set([...evictedOf, ...forgottenOf, ...rules]));
    const lost = [
      ...(groups > 0 ? [`${groups} groups gave way (correlator.groupsMax)`] : []),
      ...(matches > 0
        ? [`${matches} matches were forgotten (correlator.matchesMax or valuesMax)`]
        : []),
    ];
    status.set("windows", {
      ok: true,
      text: `bounds were reached since the start: ${lost.join(", ")}; findings that may lack matches say bounded`,
      data: { groups, matches, rules },
    });
  };
}

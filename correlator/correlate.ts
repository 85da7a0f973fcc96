// correlate.ts — the second stage: windows over event time, one group's signals all in one partition.
//
// In:    wache.signals (group `correlate`): rules, signals, ticks.
// Out:   wache.findings; wache.signals of the next level, for correlations of correlations.
// The path: windows/processor.ts takes a record, rule-windows.ts finds its group, group.ts its episodes, findings.ts tells.
// It also keeps events and findings in the store (core/store/keep.ts), with groups of their own.
import { Counter, Gauge } from "prom-client";
import { spanMs } from "../core/config-schema.ts";
import { TOPIC } from "../core/records.ts";
import { runProcessor } from "../core/runner.ts";
import type { Service, ServiceContext } from "../core/service.ts";
import { startKeep } from "../core/store/keep.ts";
import { startRetention } from "../core/store/retention.ts";
import { type Counts, WindowsProcessor } from "./windows/processor.ts";

export const correlateService: Service = {
  name: "correlate",
  start: async (context) => {
    const { bus, config, metrics } = context;
    const counters = windowCounters(metrics);
    const stages = new Map<number, WindowsProcessor>();
    const { matchesMax, groupsMax, evidenceMax, snapshot } = config.correlator;
    const running = await runProcessor(
      {
        name: "correlate",
        version: 2,
        topic: TOPIC.signals,
        snapshotEveryMs: spanMs(snapshot),
        make: (partition, parts) => {
          const stage = new WindowsProcessor(
            {
              partition,
              matchesMax,
              groupsMax,
              evidenceMax,
              eventPartitions: bus.partitions(TOPIC.events),
              signalPartitions: bus.partitions(TOPIC.signals),
              latenessMs: spanMs(config.time.lateness),
            },
            parts,
          );
          stages.set(partition, stage);
          return stage;
        },
      },
      {
        ...context,
        onGone: (partition) => stages.delete(partition),
        afterBatch: (partition) => counters(stages.get(partition)?.counts, context),
      },
    );
    new Gauge({
      name: "wache_correlate_groups",
      help: "groups with live windows",
      registers: [metrics],
      collect() {
        this.set([...stages.values()].reduce((sum, stage) => sum + stage.groups(), 0));
      },
    });
    const keeps = [
      await startKeep(context, { group: "keep-events", topic: TOPIC.events, into: "events" }),
      await startKeep(context, { group: "keep-findings", topic: TOPIC.findings, into: "findings" }),
    ];
    const stopRetention = startRetention(context, spanMs(config.store.retention));
    return {
      stop: async () => {
        stopRetention();
        await running.stop();
        for (const keep of keeps) await keep.stop();
      },
    };
  },
};

/** Adds what a stage counted since the last time to the metrics; a bound that was reached is also said in the log. */
function windowCounters(
  metrics: ServiceContext["metrics"],
): (counts: Counts | undefined, context: ServiceContext) => void {
  const signals = new Counter({
    name: "wache_correlate_signals_total",
    help: "signals: added to a window; known already; overdue (counted before or too late); early (their rule was not announced yet)",
    labelNames: ["outcome"],
    registers: [metrics],
  });
  const evicted = new Counter({
    name: "wache_correlate_groups_evicted_total",
    help: "groups dropped because correlator.groupsMax was reached",
    registers: [metrics],
  });
  const dropped = new Counter({
    name: "wache_correlate_streams_dropped_total",
    help: "imports whose windows were dropped before their end, because too many had not ended",
    registers: [metrics],
  });
  return (counts, { log }) => {
    if (!counts) return;
    if (counts.dropped > 0) {
      dropped.inc(counts.dropped);
      log.warn(
        { streams: counts.dropped },
        "too many imports have not ended: the windows of the oldest were dropped; end an import with end=true",
      );
    }
    for (const outcome of ["added", "known", "overdue", "early"] as const)
      if (counts[outcome] > 0) signals.inc({ outcome }, counts[outcome]);
    if (counts.evicted > 0) {
      evicted.inc(counts.evicted);
      log.warn(
        { groups: counts.evicted },
        "correlator.groupsMax is reached: the groups with the oldest events were dropped",
      );
    }
    Object.assign(counts, {
      added: 0,
      known: 0,
      overdue: 0,
      early: 0,
      evicted: 0,
      dropped: 0,
    } satisfies Counts);
  };
}

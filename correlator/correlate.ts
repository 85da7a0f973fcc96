// correlate.ts — the second stage: windows over event time, one group's signals all in one partition.
//
// In:    wache.signals (group `correlate`): rules, signals, ticks.
// Out:   wache.findings; wache.signals of the next level, for correlations of correlations.
// The path: windows/processor.ts takes a record, rule-windows.ts finds its group, group.ts its episodes, findings.ts tells.
// It also keeps events and findings in the store (core/store/keep.ts), with groups of their own.
import { Gauge } from "prom-client";
import { TOPIC } from "../core/records.ts";
import { runProcessor } from "../core/runner.ts";
import type { Service } from "../core/service.ts";
import { spanMs } from "../core/spans.ts";
import { startKeep } from "../core/store/keep.ts";
import { startRetention } from "../core/store/retention.ts";
import { worldOf } from "./backfill/kept-world.ts";
import { addBackfillRoutes } from "./backfill/routes.ts";
import { windowCounters } from "./window-counters.ts";
import { WindowsProcessor } from "./windows/processor.ts";

export const correlateService: Service = {
  name: "correlate",
  start: async (context) => {
    const { bus, config, metrics } = context;
    const counters = windowCounters(metrics, context);
    const stages = new Map<number, WindowsProcessor>();
    const { matchesMax, valuesMax, groupsMax, evidenceMax, snapshot } = config.correlator;
    const running = await runProcessor(
      {
        name: "correlate",
        version: 3,
        topic: TOPIC.signals,
        snapshotEveryMs: spanMs(snapshot),
        make: (partition, parts) => {
          const stage = new WindowsProcessor(
            {
              partition,
              matchesMax,
              valuesMax,
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
        afterBatch: (partition) => counters(stages.get(partition)?.counts),
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
    addBackfillRoutes(context.http, worldOf(context.store, bus));
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

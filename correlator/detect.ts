// detect.ts — the first stage: which rules an event satisfies, and what that means for whom.
//
// In:    wache.events (group `detect`); rules from their folders, reloaded while running.
// Out:   wache.signals (for correlations), wache.findings (rules that stand alone).
// The path: active-rules → match → signals; detection.ts is one partition's part of it.
import { TOPIC } from "../core/records.ts";
import { runProcessor } from "../core/runner.ts";
import type { Service, ServiceContext, StartedService } from "../core/service.ts";
import { spanMs } from "../core/spans.ts";
import { rulesInForce } from "./active-rules.ts";
import { startLateWatch } from "./backfill/late-watch.ts";
import { detectCounters } from "./detect-counters.ts";
import { type ActiveRules, DetectProcessor } from "./detection.ts";
import { silenceTeller } from "./silence.ts";

const SNAPSHOT_EVERY_MS_MAX = 5000; // the state is small: the clocks of the feeders

export const detectService: Service = {
  name: "detect",
  start: async (context) => {
    const rules = await rulesInForce(context);
    const running = await startDetection(context, rules.current);
    const stopLate = startLateWatch(context, {
      rules: rules.current,
      isMine: () => running.has(0),
    });
    return {
      stop: async () => {
        rules.stop();
        await stopLate();
        await running.stop();
      },
    };
  },
};

type RunningDetection = StartedService & { readonly has: (partition: number) => boolean };

/** The stage with rules from wherever they are. */
export async function startDetection(
  context: Omit<ServiceContext, "http" | "dataDir" | "rulesDirs">,
  rules: () => ActiveRules,
): Promise<RunningDetection> {
  const { bus, config, metrics } = context;
  const counters = detectCounters(metrics);
  const tellSilence = silenceTeller(context);
  const stages = new Map<number, DetectProcessor>();
  const running = await runProcessor(
    {
      name: "detect",
      version: 1,
      topic: TOPIC.events,
      snapshotEveryMs: Math.min(SNAPSHOT_EVERY_MS_MAX, spanMs(config.correlator.snapshot)),
      make: (partition, parts) => {
        const stage = new DetectProcessor(
          {
            ...{ partition, rules, signalPartitions: bus.partitions(TOPIC.signals) },
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
      afterBatch: (partition) => {
        counters(stages.get(partition)?.counts);
        tellSilence([...stages.values()].flatMap((stage) => stage.silent()));
      },
    },
  );
  return { stop: () => running.stop(), has: (partition) => stages.has(partition) };
}

// late-watch.ts — correlates late events by itself, every so often, where the configuration asks for it.
import { Counter } from "prom-client";
import { messageOf } from "../../core/errors.ts";
import { LIVE } from "../../core/event.ts";
import { TOPIC } from "../../core/records.ts";
import type { ServiceContext } from "../../core/service.ts";
import { spanMs } from "../../core/spans.ts";
import type { ActiveRules } from "../detection.ts";
import { worldOf } from "./kept-world.ts";
import { backfillLate } from "./late.ts";

const FIRST_LOOK_BACK_MS = 24 * 3600_000; // what was late longer ago is for `wache backfill --late`

const KEEPS = [
  { group: "keep-events", topic: TOPIC.events },
  { group: "keep-findings", topic: TOPIC.findings },
];
const LAG_MAX = 100_000; // records, a few seconds' worth under load

/** `isMine`: of several processes one does it. Gives what stops it, once a run under way has ended. */
export function startLateWatch(
  context: ServiceContext,
  parts: { readonly rules: () => ActiveRules; readonly isMine: () => boolean },
): () => Promise<void> {
  const { clock, config, log, metrics } = context;
  const { every, page } = config.correlator.late;
  if (every === undefined) return async () => {};
  const told = new Counter({
    name: "wache_backfill_late_findings_total",
    help: "findings that are new or fuller because of events that came later than the lateness",
    registers: [metrics],
  });
  const look = async (): Promise<void> => {
    // A store that was away and catches up has parts of episodes: what is found in them is poorer than what live found.
    const lag = await context.bus.lag(KEEPS);
    const behind = lag.reduce((sum, { end, committed }) => sum + end - committed, 0);
    if (behind > LAG_MAX)
      return log.info(`late events wait: the store is ${behind} records behind the bus`);
    const { set, matcher } = parts.rules();
    const world = worldOf(context.store, context.bus);
    const run = await backfillLate(
      world,
      { set, matcher, bounds: config.correlator },
      {
        page: ({ stream }) => page && stream === LIVE,
        settledMs: clock.now() - spanMs(config.time.lateness),
        sinceMs: clock.now() - FIRST_LOOK_BACK_MS,
      },
    );
    told.inc(run.told);
    if (run.told > 0) log.info(run, "late events: findings that are new or fuller");
  };
  let running: Promise<void> | undefined;
  const stop = clock.every(spanMs(every), () => {
    if (running !== undefined || !parts.isMine()) return;
    running = look()
      .catch((error: unknown) =>
        log.warn(`correlating late events failed, the next run tries again: ${messageOf(error)}`),
      )
      .finally(() => {
        running = undefined;
      });
  });
  return async () => {
    stop();
    await running;
  };
}

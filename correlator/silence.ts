// silence.ts — says which collectors the live clock waits for no more, and when they are heard again.
import { Gauge } from "prom-client";
import type { PartState, ServiceContext } from "../core/service.ts";
import type { SilentFeeder } from "./windows/feeders.ts";

const ALL_HEARD = "every collector that did not say farewell is heard";

/** What it gives is called with those that are silent now, as often as anything may have changed. */
export function silenceTeller({
  log,
  status,
  metrics,
}: Pick<ServiceContext, "log" | "status" | "metrics">): (silent: readonly SilentFeeder[]) => void {
  const known = new Map<string, number>(); // since when
  new Gauge({
    name: "wache_feeders_silent",
    help: "Collectors that did not say farewell and are not waited for any more.",
    registers: [metrics],
    collect() {
      this.set(known.size);
    },
  });
  status.set("feeders", { ok: true, text: ALL_HEARD });
  return (silent) => {
    const now = new Map<string, number>();
    for (const { feeder, lastMs } of silent)
      now.set(feeder, Math.max(lastMs, now.get(feeder) ?? lastMs));
    const gone = [...now].filter(([feeder]) => !known.has(feeder));
    const back = [...known].filter(([feeder]) => !now.has(feeder));
    if (gone.length + back.length === 0) return;
    for (const [feeder, lastMs] of gone)
      log.warn(
        { feeder, since: iso(lastMs) },
        `collector ${feeder} is silent since ${iso(lastMs)}: windows do not wait for it any more; what it still brings from then on counts only where it is not behind them`,
      );
    for (const [feeder, lastMs] of back)
      log.info({ feeder, since: iso(lastMs) }, `collector ${feeder} is heard again, or forgotten`);
    known.clear();
    for (const [feeder, lastMs] of now) known.set(feeder, lastMs);
    status.set("feeders", wordsOf(now));
  };
}

/** A process that detects is ready all the same: whoever is silent is another one. */
function wordsOf(silent: ReadonlyMap<string, number>): PartState {
  if (silent.size === 0) return { ok: true, text: ALL_HEARD };
  const list = [...silent].map(([feeder, lastMs]) => ({ feeder, since: iso(lastMs) }));
  const names = list.map(({ feeder, since }) => `${feeder} since ${since}`).join(", ");
  return {
    ...{ ok: false, ready: true },
    text: `silent and not waited for any more: ${names}; start these collectors again, or stop them with SIGTERM so that they say farewell`,
    data: { silent: list },
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

// lag.ts — how far each group is behind on the bus: for the status page, and as a metric to alert on.
import { Gauge } from "prom-client";
import type { Bus, Lag } from "../core/bus/bus.ts";
import { TOPIC } from "../core/records.ts";
import type { ServiceContext } from "../core/service.ts";

export type GroupLag = { readonly group: string; readonly topic: string; readonly records: number };

/** Who reads what, as `bus.lag` asks for it. */
const GROUPS = [
  { group: "detect", topic: TOPIC.events },
  { group: "keep-events", topic: TOPIC.events },
  { group: "correlate", topic: TOPIC.signals },
  { group: "route", topic: TOPIC.findings },
  { group: "keep-findings", topic: TOPIC.findings },
  { group: "incidents", topic: TOPIC.casework },
  { group: "keep-incidents", topic: TOPIC.incidents },
  { group: "deliver", topic: TOPIC.notifications },
] as const;

/** Over all partitions. */
export async function lagOf(bus: Pick<Bus, "lag">): Promise<GroupLag[]> {
  return sum(await bus.lag(GROUPS));
}

function sum(lags: readonly Lag[]): GroupLag[] {
  const sums = new Map<string, GroupLag>();
  for (const { group, topic, committed, end } of lags) {
    const key = `${group} ${topic}`;
    const records = (sums.get(key)?.records ?? 0) + Math.max(0, end - committed);
    sums.set(key, { group, topic, records });
  }
  return [...sums.values()];
}

const everyMs = 15_000;

/** Looked at beside the scrapes: a bus that is away must not hold up /metrics. The result ends it. */
export function watchLag(
  context: Pick<ServiceContext, "clock" | "metrics" | "log"> & { readonly bus: Pick<Bus, "lag"> },
): () => void {
  const { bus, clock, metrics, log } = context;
  const gauge = new Gauge({
    name: "wache_bus_lag_records",
    help: "records on the bus since the group last committed; stages that keep state commit once a minute",
    labelNames: ["group", "topic"],
    registers: [metrics],
  });
  let looking = false;
  const look = async (): Promise<void> => {
    try {
      for (const { group, topic, records } of await lagOf(bus))
        gauge.set({ group, topic }, records);
    } catch (error) {
      gauge.reset(); // no figure rather than an old one
      log.debug({ err: error }, "the bus does not say how far its groups are");
    }
  };
  return clock.every(everyMs, () => {
    if (looking) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  });
}

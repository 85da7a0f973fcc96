// alert.ts — from findings to people: gives each finding its case, keeps the incidents, sends what is to be said.
//
// In:    wache.findings, and what people ask for on wache.casework.
// Out:   wache.incidents (copied to the store by keep), wache.notifications, and messages in the channels.
// Holds: each step commits what it read only once what it wrote is durable; paging does not need the store.
import { Counter, Gauge } from "prom-client";
import type { Config } from "../core/config-schema.ts";
import { TOPIC } from "../core/records.ts";
import { runProcessor } from "../core/runner.ts";
import type { Service, ServiceContext } from "../core/service.ts";
import { spanMs } from "../core/spans.ts";
import { startKeep } from "../core/store/keep.ts";
import { channelsOf } from "./delivery/channels.ts";
import { Delivery, type DeliveryOptions } from "./delivery/deliver.ts";
import { DeliveryQueue } from "./delivery/queue.ts";
import { deliveryReport } from "./delivery/report.ts";
import { IncidentsProcessor } from "./incidents/processor.ts";
import { route } from "./routing/route.ts";
import { routesOf } from "./routing/routes.ts";

const KEEP = { group: "keep-incidents", topic: TOPIC.incidents, into: "incidents" } as const;

type StageContext = Pick<ServiceContext, "bus" | "clock" | "config" | "log" | "metrics" | "random">;
type Step = { readonly stop: () => Promise<void> };

export const alertService: Service = {
  name: "alert",
  start: async (context) => {
    const routes = routesOf(context.config.alerting);
    const steps: Step[] = [];
    const stop = async (): Promise<void> => {
      for (const step of steps.reverse()) await step.stop();
    };
    try {
      // The last step starts first: whoever takes records is there before they are made.
      steps.push(await startKeep(context, KEEP));
      steps.push(await startDelivery(context));
      steps.push(await startIncidents(context, routes));
      steps.push(await startRoute(context));
    } catch (error) {
      await stop();
      throw error;
    }
    return { stop };
  },
};

/** wache.findings → wache.casework: keeps nothing, so it needs no snapshot. */
export async function startRoute({ bus }: Pick<ServiceContext, "bus">): Promise<Step> {
  const consumer = await bus.consume({
    group: "route",
    topic: TOPIC.findings,
    onBatch: async ({ partition, records }, from) => {
      await bus.produce(records.map(route));
      const last = records.at(-1);
      if (last !== undefined) await from.commit(partition, last.offset + 1);
    },
  });
  return { stop: () => consumer.close() };
}

/** wache.casework → wache.incidents and wache.notifications. */
export async function startIncidents(
  context: StageContext,
  routes: ReturnType<typeof routesOf>,
): Promise<Step> {
  const kept = new Map<number, IncidentsProcessor>();
  const closed = incidentMetrics(context, kept);
  const told = new Map<number, number>();
  return runProcessor(
    {
      ...{ name: "incidents", version: 1, topic: TOPIC.casework },
      snapshotEveryMs: spanMs(context.config.alerting.snapshot),
      make: (partition, parts) => {
        const processor = new IncidentsProcessor(routes, parts);
        kept.set(partition, processor);
        told.set(partition, processor.counts().closedByBound);
        return processor;
      },
    },
    {
      ...context,
      onGone: (partition) => void kept.delete(partition),
      afterBatch: (partition) => {
        const count = kept.get(partition)?.counts().closedByBound ?? 0;
        const more = count - (told.get(partition) ?? count);
        if (more <= 0) return;
        told.set(partition, count);
        closed.inc(more);
        context.log.warn(
          { partition, closed: more },
          "too many incidents are open: those untouched longest were closed",
        );
      },
    },
  );
}

function incidentMetrics(
  { metrics }: StageContext,
  kept: ReadonlyMap<number, IncidentsProcessor>,
): Counter {
  new Gauge({
    name: "wache_incidents_open",
    help: "keys with an open or acknowledged incident, in the partitions of this process",
    registers: [metrics],
    collect() {
      this.set([...kept.values()].reduce((sum, processor) => sum + processor.counts().open, 0));
    },
  });
  return new Counter({
    name: "wache_incidents_closed_by_bound_total",
    help: "incidents that were closed because too many were open",
    registers: [metrics],
  });
}

/** wache.notifications → Slack, email, webhooks; the outcomes go back to wache.notifications. */
async function startDelivery(context: ServiceContext): Promise<Step> {
  const { config, bus, clock, random, log, metrics, status } = context;
  const channels = channelsOf(config.alerting.channels, globalThis.fetch);
  const report = deliveryReport({
    channels: [...channels.keys()],
    pending: () => delivery.pending(),
    givenUp: () => delivery.givenUp(),
    ...{ status, metrics, log },
  });
  const options = deliveryOptions(config);
  const delivery = new Delivery({ bus, channels, options, clock, random, log, report });
  const { onReady, onGone, afterBatch } = delivery;
  const runner = await runProcessor(
    {
      ...{ name: "deliver", version: 1, topic: TOPIC.notifications },
      snapshotEveryMs: spanMs(config.alerting.snapshot),
      make: (_partition, parts) => new DeliveryQueue(parts),
    },
    { ...{ bus, clock, random, log, metrics }, onReady, onGone, afterBatch },
  );
  report.look();
  return {
    stop: async () => {
      await delivery.stop();
      await runner.stop();
    },
  };
}

function deliveryOptions({ alerting, api }: Config): DeliveryOptions {
  const { attemptsMax, backoff, backoffMax, timeout } = alerting.delivery;
  return {
    attemptsMax,
    backoffMs: spanMs(backoff),
    backoffMsMax: spanMs(backoffMax),
    timeoutMs: spanMs(timeout),
    publicUrl: api.publicUrl,
  };
}

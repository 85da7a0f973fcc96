// report.ts — what operators see of delivery: counters, the queue's length, and the last failure in words.
import type { Logger } from "pino";
import { Counter, Gauge, type Registry } from "prom-client";
import type { NotificationOutcome } from "../../core/records.ts";
import type { StatusBoard } from "../../core/service.ts";
import { utc } from "../incidents/timeline.ts";

export type DeliveryReport = {
  readonly outcome: (outcome: NotificationOutcome, id: string) => void;
};

export function deliveryReport(args: {
  readonly channels: readonly string[];
  readonly pending: () => ReadonlyMap<string, number>;
  readonly status: StatusBoard;
  readonly metrics: Registry;
  readonly log: Logger;
}): DeliveryReport {
  const { channels, pending, status, metrics, log } = args;
  const counter = new Counter({
    name: "wache_notifications_total",
    help: "attempts to deliver a message, by what came of them",
    labelNames: ["channel", "outcome"],
    registers: [metrics],
  });
  for (const channel of channels)
    for (const outcome of ["delivered", "retry", "failed"]) counter.inc({ channel, outcome }, 0);
  new Gauge({
    name: "wache_deliveries_pending",
    help: "messages that are not delivered yet",
    labelNames: ["channel"],
    registers: [metrics],
    collect() {
      this.reset();
      for (const [channel, count] of pending()) this.set({ channel }, count);
    },
  });
  const failures = new Map<string, string>();
  const say = (): void => {
    const none = channels.length === 0 ? "no channel is configured: nobody is paged" : "ok";
    const text = failures.size === 0 ? none : [...failures.values()].join("; ");
    status.set("delivery", { ok: failures.size === 0, ready: true, text });
  };
  say();
  return {
    outcome: (outcome, id) => {
      const { channel, attempt, detail } = outcome;
      counter.inc({ channel, outcome: outcome.outcome });
      if (outcome.outcome === "delivered") failures.delete(channel);
      else {
        const what =
          outcome.outcome === "failed" ? "failed, see the dead letter" : "is tried again";
        failures.set(
          channel,
          `${channel}: a message ${what}, ${utc(outcome.atMs)}: ${detail ?? ""}`,
        );
      }
      const fields = { notification: id, incident: outcome.incidentId, channel, attempt };
      if (outcome.outcome === "failed") log.error(fields, `delivery failed: ${detail ?? ""}`);
      else if (outcome.outcome === "retry") log.warn(fields, `delivery put off: ${detail ?? ""}`);
      else log.info(fields, `delivered${detail === undefined ? "" : `: ${detail}`}`);
      say();
    },
  };
}

// report.ts — what operators see of delivery: counters, the queue's length, the last failure and what was given up in words.
import type { Logger } from "pino";
import { Counter, Gauge, type Registry } from "prom-client";
import type { NotificationOutcome } from "../../core/records.ts";
import type { StatusBoard } from "../../core/service.ts";
import { utc } from "../incidents/timeline.ts";
import { type GivenUp, givenUpText } from "./given-up.ts";

export type DeliveryReport = {
  readonly outcome: (outcome: NotificationOutcome, id: string) => void;
  /** Says anew how it stands. */
  readonly look: () => void;
};

export function deliveryReport(args: {
  readonly channels: readonly string[];
  readonly pending: () => ReadonlyMap<string, number>;
  readonly givenUp: () => ReadonlyMap<string, GivenUp>;
  readonly status: StatusBoard;
  readonly metrics: Registry;
  readonly log: Logger;
}): DeliveryReport {
  const { channels, givenUp, status, log } = args;
  const counter = deliveryMetrics(args);
  const failures = new Map<string, string>();
  const none = channels.length === 0 ? "no channel is configured: nobody is paged" : "ok";
  let said: string | undefined;
  const say = (): void => {
    const lost = [...givenUp()].map(([channel, one]) => givenUpText(channel, one));
    const faults = [...failures.values(), ...lost];
    const text = faults.length === 0 ? none : faults.join("; ");
    if (text === said) return;
    said = text;
    status.set("delivery", { ok: faults.length === 0, ready: true, text });
  };
  return {
    look: say,
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
      else if (outcome.receivers !== undefined)
        log.warn(fields, `delivered, but not to everyone: ${detail ?? ""}`);
      else log.info(fields, `delivered${detail === undefined ? "" : `: ${detail}`}`);
      say();
    },
  };
}

function deliveryMetrics(about: {
  readonly channels: readonly string[];
  readonly pending: () => ReadonlyMap<string, number>;
  readonly givenUp: () => ReadonlyMap<string, GivenUp>;
  readonly metrics: Registry;
}): Counter {
  const { channels, pending, givenUp, metrics } = about;
  const labelNames = ["channel"];
  const registers = [metrics];
  const counter = new Counter({
    name: "wache_notifications_total",
    help: "attempts to deliver a message, by what came of them",
    labelNames: ["channel", "outcome"],
    registers,
  });
  for (const channel of channels)
    for (const outcome of ["delivered", "retry", "failed"]) counter.inc({ channel, outcome }, 0);
  new Gauge({
    name: "wache_deliveries_pending",
    help: "messages that are not delivered yet",
    ...{ labelNames, registers },
    collect() {
      this.reset();
      for (const [channel, count] of pending()) this.set({ channel }, count);
    },
  });
  new Gauge({
    name: "wache_deliveries_given_up",
    help: "messages that not everyone got, until seven days after the channel's last one",
    ...{ labelNames, registers },
    collect() {
      this.reset();
      for (const channel of channels) this.set({ channel }, 0);
      for (const [channel, { messages }] of givenUp()) this.set({ channel }, messages);
    },
  });
  return counter;
}

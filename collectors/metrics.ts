// metrics.ts — the collectors' figures in /metrics.
import { Counter, Gauge, type Registry } from "prom-client";

export type CollectorMetrics = {
  readonly received: (input: string, events: number) => void;
  readonly late: (events: number) => void;
  readonly implausible: (events: number) => void;
  readonly deadLetters: (count: number) => void;
  readonly dropped: (input: string, lines: number) => void;
  readonly refusedConnections: () => void;
  readonly queueBytes: (bytes: number) => void;
  readonly spoolBytes: (bytes: number) => void;
};

export function collectorMetrics(registry: Registry): CollectorMetrics {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const received = counter("wache_events_received_total", "Events taken in.", ["input"]);
  const late = counter("wache_events_late_total", "Events later than the allowed lateness.");
  const implausible = counter(
    "wache_events_implausible_total",
    "Events of a day ahead of their clock or before 1980.",
  );
  const dead = counter("wache_dead_letters_total", "Lines that could not become an event.");
  const dropped = counter(
    "wache_lines_dropped_total",
    "Lines that came by an input that cannot wait while the queue was full.",
    ["input"],
  );
  const refused = counter(
    "wache_syslog_connections_refused_total",
    "TCP connections beyond collectors.syslog.connectionsMax.",
  );
  const queue = gauge("wache_collector_queue_bytes", "Events in memory on their way to the bus.");
  const spool = gauge("wache_spool_bytes", "Events on disk on their way to the bus.");
  return {
    received: (input, events) => received.inc({ input }, events),
    late: (events) => late.inc(events),
    implausible: (events) => implausible.inc(events),
    deadLetters: (count) => dead.inc(count),
    dropped: (input, lines) => dropped.inc({ input }, lines),
    refusedConnections: () => refused.inc(),
    queueBytes: (bytes) => queue.set(bytes),
    spoolBytes: (bytes) => spool.set(bytes),
  };
}

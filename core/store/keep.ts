// keep.ts — copies a topic to the store, with a consumer group of its own; nothing waits for it.
//
// In:    events, findings or incidents from the bus.
// Out:   the store; what no store can ever take goes to the dead letter.
// Holds: the offset is committed only once the records are durable in the store. While the store is away the bus keeps
//        them, and the same batch is tried again until the store takes it.
import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import type { Batch, Bus, BusRecord, OutRecord } from "../bus/bus.ts";
import { deadLetterOf } from "../dead-letter.ts";
import { messageOf } from "../errors.ts";
import type { EcsEvent } from "../event.ts";
import type { TopicName } from "../records.ts";
import type { Clock, StatusBoard } from "../service.ts";
import { refusalOf } from "./indices.ts";
import type { Collection, Document, KeptEvent, Store } from "./store.ts";

const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 15_000;
const COMMIT_EVERY_MS = 1000;
const BATCH_RECORDS_MAX = 1000;
const EVENT_PREFIX = '{"kind":"event","event":';

export type KeepDeps = {
  readonly bus: Bus;
  readonly store: Store;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly status: StatusBoard;
};
export type KeepWhat = {
  readonly group: string;
  readonly topic: TopicName;
  readonly into: "events" | Collection;
};

export async function startKeep(
  deps: KeepDeps,
  what: KeepWhat,
): Promise<{ readonly stop: () => Promise<void> }> {
  const { bus, clock } = deps;
  const stored = storedCounter(deps.metrics);
  const stopping = new AbortController();
  const pending = new Map<number, { next: number; committedAtMs: number }>();
  const consumer = await bus.consume({
    group: what.group,
    topic: what.topic,
    batchRecordsMax: BATCH_RECORDS_MAX,
    onAssigned: async (partitions) => {
      for (const partition of pending.keys()) // another member has gone on with it
        if (!partitions.includes(partition)) pending.delete(partition);
    },
    onBatch: async (batch, from) => {
      if (stopping.signal.aborted) return; // the batch before it may not have been taken
      const { kept, dead } = sorted(batch, what, clock.now());
      if (!(await untilTaken(deps, what, kept, stopping.signal))) return;
      await bus.produce(dead);
      stored.inc({ into: what.into }, kept.length);
      const { partition } = batch;
      const next = (batch.records.at(-1)?.offset ?? -1) + 1;
      const done = pending.get(partition) ?? { next, committedAtMs: 0 };
      pending.set(partition, done);
      done.next = next;
      if (clock.now() - done.committedAtMs < COMMIT_EVERY_MS) return;
      done.committedAtMs = clock.now();
      await from.commit(partition, next);
    },
  });
  return {
    stop: async () => {
      stopping.abort();
      for (const [partition, { next }] of pending) await consumer.commit(partition, next);
      await consumer.close();
    },
  };
}

type Kept = readonly (KeptEvent | Document)[];

/** What the store takes, and what it never can. Ticks are neither. */
function sorted(
  batch: Batch,
  { into }: KeepWhat,
  nowMs: number,
): { readonly kept: Kept; readonly dead: OutRecord[] } {
  const kept: (KeptEvent | Document)[] = [];
  const dead: OutRecord[] = [];
  for (const record of batch.records) {
    if (into !== "events") {
      const document = documentOf(record);
      if (document) kept.push(document);
      continue;
    }
    const value = record.value as { readonly kind?: unknown; readonly event?: unknown } | undefined;
    if (value?.kind !== "event") continue;
    const refusal = refusalOf(value.event);
    if (refusal) dead.push(deadLetterOf(record, refusal, nowMs));
    else kept.push({ event: value.event as EcsEvent, text: eventText(record, value.event) });
  }
  return { kept, dead };
}

function documentOf({ value }: BusRecord): Document | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const body = value as Readonly<Record<string, unknown>>;
  const { id, revision } = body;
  return typeof id === "string" && typeof revision === "number"
    ? { id, revision, body }
    : undefined;
}

/** The event's JSON as it came, cut out of its record. */
const eventText = ({ text }: BusRecord, event: unknown): string =>
  text.startsWith(EVENT_PREFIX) && text.endsWith("}}")
    ? text.slice(EVENT_PREFIX.length, -1)
    : JSON.stringify(event);

/** False when the stage is stopped before the store took it. */
async function untilTaken(
  { store, log, clock, status }: KeepDeps,
  what: KeepWhat,
  kept: Kept,
  signal: AbortSignal,
): Promise<boolean> {
  const part = `keep-${what.into}`;
  for (let wait = RETRY_FIRST_MS; ; wait = Math.min(wait * 2, RETRY_MOST_MS)) {
    try {
      if (what.into === "events") await store.putEvents(kept as readonly KeptEvent[]);
      else await store.putDocuments(what.into, kept as readonly Document[]);
      if (wait > RETRY_FIRST_MS) {
        log.info(`${part}: the store takes records again`);
        status.set(part, { ok: true, text: "works" });
      }
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      log.warn(
        `${part}: the store did not take ${kept.length} records, trying again in ${wait} ms: ${messageOf(error)}`,
      );
      // Paging goes on without the store, so the process stays ready.
      status.set(part, {
        ok: true,
        text: `waiting for the store, the bus keeps what comes: ${messageOf(error)}`,
      });
      await clock.sleep(wait, signal).catch(() => {});
      if (signal.aborted) return false;
    }
  }
}

function storedCounter(metrics: Registry): Counter {
  const name = "wache_store_records_total";
  const known = metrics.getSingleMetric(name);
  return known instanceof Counter
    ? known
    : new Counter({
        name,
        help: "records that the store took",
        labelNames: ["into"],
        registers: [metrics],
      });
}

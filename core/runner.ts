// runner.ts — runs a deterministic processor over the partitions of a topic: load, process, publish, snapshot, commit.
//
// In:    the topic's records, at least once, in order.
// Out:   what the processor puts out, durable before anything after it is processed.
// Holds: the offset is committed only after the snapshot that covers it; records below the snapshot's offset are skipped.
//        So a crash between any two steps repeats outputs word for word and loses none.
import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import type { Batch, Bus, BusRecord, Consumer, OutRecord } from "./bus/bus.ts";
import { deadLetterOf } from "./dead-letter.ts";
import { messageOf } from "./errors.ts";
import type { Processor, ProcessorSpec } from "./processor.ts";
import type { Clock } from "./service.ts";
import { forgetSnapshots, loadSnapshot, type SnapshotKey, saveSnapshot } from "./snapshot.ts";

const REPLAY_RECORDS_MAX = 1000;

export type RunnerHooks = {
  /** The partition's state is loaded and no newer record is processed yet. */
  readonly onReady?: (partition: number, processor: Processor) => void;
  readonly onGone?: (partition: number) => void;
  /** The batch's outputs are durable. */
  readonly afterBatch?: (partition: number, processor: Processor) => void;
};
export type RunnerDeps = RunnerHooks & {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: () => string; // names a snapshot
  readonly log: Logger;
  readonly metrics?: Registry;
};

type Slot = {
  readonly processor: Processor;
  readonly restored: boolean;
  next: number; // offset of the first record that the state does not hold
  saved: number; // next as of the last snapshot
  savedAtMs: number;
  keys: readonly SnapshotKey[]; // of snapshots not forgotten yet: those found, and one's own
};

export async function runProcessor(
  spec: ProcessorSpec,
  deps: RunnerDeps,
): Promise<{ readonly stop: () => Promise<void> }> {
  const runner = new Runner(spec, deps);
  const consumer = await deps.bus.consume({
    group: spec.name,
    topic: spec.topic,
    onAssigned: (partitions) => runner.assigned(partitions),
    onBatch: (batch, from) => runner.batch(batch, from),
  });
  return {
    stop: async () => {
      await runner.drain(consumer);
      await consumer.close();
    },
  };
}

class Runner {
  readonly #spec: ProcessorSpec;
  readonly #deps: RunnerDeps;
  readonly #slots = new Map<number, Promise<Slot>>();
  readonly #busy = new Map<number, Promise<void>>();
  readonly #records: Counter | undefined;
  #stopping = false;

  constructor(spec: ProcessorSpec, deps: RunnerDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#records = deps.metrics && recordsCounter(deps.metrics);
  }

  async assigned(partitions: readonly number[]): Promise<void> {
    if (this.#stopping) return;
    for (const partition of [...this.#slots.keys()])
      if (!partitions.includes(partition)) this.#drop(partition);
    await Promise.all(partitions.map((partition) => this.#slot(partition)));
  }

  async batch(batch: Batch, consumer: Consumer): Promise<void> {
    if (this.#stopping) return;
    const work = this.#work(batch, consumer);
    this.#busy.set(
      batch.partition,
      work.catch(() => {}),
    );
    await work;
  }

  /** Lets the batches under way end, then snapshots and commits what they did. */
  async drain(consumer: Consumer): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#busy.values());
    for (const [partition, loading] of [...this.#slots]) {
      const slot = await loading.catch(() => undefined); // what could not be loaded did nothing
      if (slot) await this.#save(partition, slot, consumer);
    }
    for (const partition of [...this.#slots.keys()]) this.#drop(partition);
  }

  async #work(batch: Batch, consumer: Consumer): Promise<void> {
    const { partition } = batch;
    const slot = await this.#current(batch);
    await this.#take(slot, batch);
    this.#deps.afterBatch?.(partition, slot.processor);
    if (this.#deps.clock.now() - slot.savedAtMs >= this.#spec.snapshotEveryMs)
      await this.#save(partition, slot, consumer);
  }

  async #take(
    slot: Slot,
    { partition, records }: Pick<Batch, "partition" | "records">,
  ): Promise<void> {
    const out: OutRecord[] = [];
    for (const record of records) {
      if (record.offset < slot.next) continue;
      try {
        slot.processor.process(record, out);
      } catch (error) {
        this.#deps.log.error(
          { err: error, topic: record.topic, partition, offset: record.offset },
          `${this.#spec.name}: a record could not be processed; it is in the dead letter`,
        );
        const why = { code: "processor.failed", reason: `${this.#spec.name}: ${messageOf(error)}` };
        out.push(deadLetterOf(record, why, this.#deps.clock.now()));
      }
      slot.next = record.offset + 1;
    }
    try {
      await this.#deps.bus.produce(out);
    } catch (error) {
      this.#drop(partition); // its state is ahead of what was published
      throw error;
    }
    this.#records?.inc({ processor: this.#spec.name }, records.length);
  }

  /**
   * The partition's state, up to the batch: another member may have gone on meanwhile, or a snapshot may be older than the
   * commit. Where records in between are gone, somebody has taken them: then there is a later snapshot, unless it is lost.
   */
  async #current(batch: Batch): Promise<Slot> {
    const first = batch.records[0]?.offset ?? 0;
    let slot = await this.#slot(batch.partition);
    for (let tried: number | undefined; first > slot.next; tried = slot.saved) {
      this.#drop(batch.partition);
      slot = await this.#slot(batch.partition);
      if (first <= slot.next) break;
      const overGaps = slot.saved === tried;
      if (await this.#replay(slot, batch, { until: first, overGaps })) break;
    }
    return slot;
  }

  /** False where records are missing, and are not to be passed over. */
  async #replay(
    slot: Slot,
    { topic, partition }: Batch,
    { until, overGaps }: { readonly until: number; readonly overGaps: boolean },
  ): Promise<boolean> {
    let next = slot.next;
    let gap: { readonly from: number; readonly to: number } | undefined;
    let records: BusRecord[] = [];
    for await (const record of this.#deps.bus.read(topic, partition, next)) {
      if (record.offset >= until) break;
      if (record.offset > next) {
        if (!overGaps) return false;
        gap ??= { from: next, to: record.offset };
      }
      next = record.offset + 1;
      records.push(record);
      if (records.length < REPLAY_RECORDS_MAX) continue;
      await this.#take(slot, { partition, records });
      records = [];
    }
    if (next < until) {
      if (!overGaps) return false;
      gap ??= { from: next, to: until };
    }
    await this.#take(slot, { partition, records });
    slot.next = Math.max(slot.next, until);
    if (gap) this.#tellMissing(slot, { topic, partition, ...gap });
    return true;
  }

  /** A commit follows its snapshot, so this is a lost snapshot, a log that was cut too early, or a processor's first start on an old log. */
  #tellMissing({ restored }: Slot, at: Readonly<Record<string, unknown>>): void {
    const state = restored ? "its snapshot ends before them" : "it has no snapshot";
    this.#deps.log.error(
      at,
      `${this.#spec.name}: records are missing: ${state}, and the bus does not have them any more`,
    );
  }

  #slot(partition: number): Promise<Slot> {
    const known = this.#slots.get(partition);
    if (known !== undefined) return known;
    const loading = this.#load(partition);
    this.#slots.set(partition, loading);
    loading.catch(() => this.#slots.delete(partition));
    return loading;
  }

  async #load(partition: number): Promise<Slot> {
    const { bus, clock, log } = this.#deps;
    const found = await loadSnapshot(bus, this.#spec, partition);
    if (found.otherVersion)
      log.warn(
        `${this.#spec.name}/${partition}: a snapshot of format ${found.otherVersion} is left aside; this one reads ${this.#spec.version}`,
      );
    const processor = this.#spec.make(partition, found.parts);
    this.#deps.onReady?.(partition, processor);
    return {
      processor,
      restored: found.parts !== undefined,
      next: found.next,
      saved: found.next,
      savedAtMs: clock.now(),
      keys: found.keys,
    };
  }

  async #save(partition: number, slot: Slot, consumer: Consumer): Promise<void> {
    slot.savedAtMs = this.#deps.clock.now();
    if (slot.next === slot.saved) return;
    const { next } = slot;
    const own: SnapshotKey[] = [];
    try {
      await saveSnapshot(this.#deps.bus, this.#spec, partition, {
        name: this.#deps.random(),
        next,
        parts: slot.processor.snapshot(),
        onKey: (key) => own.push(key),
      });
      slot.saved = next;
      await consumer.commit(partition, next);
      const isCovered = (key: SnapshotKey): boolean => key.next <= next;
      await forgetSnapshots(this.#deps.bus, partition, slot.keys.filter(isCovered));
      slot.keys = slot.keys.filter((key) => !isCovered(key));
    } finally {
      slot.keys = [...slot.keys, ...own];
    }
  }

  #drop(partition: number): void {
    if (this.#slots.delete(partition)) this.#deps.onGone?.(partition);
  }
}

function recordsCounter(metrics: Registry): Counter {
  const name = "wache_processor_records_total";
  const known = metrics.getSingleMetric(name);
  return known instanceof Counter
    ? known
    : new Counter({
        name,
        help: "records that a processor took",
        labelNames: ["processor"],
        registers: [metrics],
      });
}

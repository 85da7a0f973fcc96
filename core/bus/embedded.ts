// embedded.ts — the bus inside one process: a log in SQLite, consumers woken by the producers, nothing polled.
//
// In:    produce calls of any size; what gathers during one turn of the event loop is one transaction, one fsync.
// Out:   batches to each group's members, one partition's one after the other.
// Holds: a full or failing disk delays produce, it never loses a record: the flush is tried again until it succeeds.
import { join } from "node:path";
import { onDisk } from "../disk-fault.ts";
import { messageOf, UserError } from "../errors.ts";
import type { TopicName } from "../records.ts";
import type { Clock } from "../service.ts";
import type { Bus, BusRecord, ConsumeOptions, Lag, OutRecord } from "./bus.ts";
import { EmbeddedGroups } from "./embedded-group.ts";
import { type Chunk, type Commit, EmbeddedLog, type Keyed, type Row } from "./embedded-log.ts";
import { partitionOf } from "./partitioner.ts";

const RECORD_BYTES_MAX = 16_777_216;
const ROW_RECORDS_MAX = 1000;
const ROW_CHARS_MAX = 1_048_576;
const TAIL_CHARS_MAX = 8_388_608; // of all partitions, kept in memory for consumers that are close behind
const FLUSH_GAP_MS = 4; // after a small flush: what comes meanwhile shares one fsync
const FLUSH_SMALL = 1000; // records
const RETRY_MS = 1000;
const EXPIRE_EVERY_MS_MIN = 100;
const EXPIRE_EVERY_MS_MAX = 600_000;

export type EmbeddedBusOptions = {
  readonly dir: string; // must exist
  readonly clock: Clock;
  readonly warn?: (message: string) => void;
};

type Waiting = {
  readonly chunks: readonly Chunk[];
  readonly commit?: Commit;
  readonly resolve: () => void;
};
type Tail = Row[];

export function openEmbeddedBus(options: EmbeddedBusOptions): EmbeddedBus {
  return new EmbeddedBus(options);
}

export class EmbeddedBus implements Bus {
  readonly kind = "embedded";
  readonly #log: EmbeddedLog;
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;
  readonly #tails = new Map<string, Tail>();
  #tailOrder: Tail[] = []; // a tail for each of its rows, the oldest row first
  #tailChars = 0;
  readonly #groups: EmbeddedGroups;
  #stopExpiry: () => void = () => {};
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #failure: string | undefined;
  #closed = false;

  constructor({ dir, clock, warn }: EmbeddedBusOptions) {
    const file = join(dir, "bus.db");
    this.#log = onDisk(file, () => new EmbeddedLog(file));
    this.#clock = clock;
    this.#warn = warn ?? (() => {});
    this.#groups = new EmbeddedGroups({
      log: this.#log,
      row: (topic, partition, offset) => this.#row(topic, partition, offset),
      commit: (commit) => this.#durable({ chunks: [], commit }),
      clock,
      warn: this.#warn,
    });
  }

  partitions(topic: TopicName): number {
    return this.#log.topic(topic).spec.partitions;
  }

  async ensureTopics(specs: Parameters<Bus["ensureTopics"]>[0]): Promise<void> {
    for (const spec of specs) this.#log.ensureTopic(spec);
    const spans = [...this.#log.topics.values()].map(({ spec }) => spec.retentionMs / 4);
    const everyMs = Math.max(EXPIRE_EVERY_MS_MIN, Math.min(EXPIRE_EVERY_MS_MAX, ...spans));
    this.#stopExpiry();
    this.#stopExpiry = this.#clock.every(everyMs, () => this.#expireIfPossible());
  }

  async produce(records: readonly OutRecord[]): Promise<void> {
    if (this.#closed) throw new UserError("bus.closed", "the bus is closed");
    if (records.length === 0) return;
    await this.#durable({ chunks: this.#chunks(records) });
  }

  consume(options: ConsumeOptions): ReturnType<Bus["consume"]> {
    return this.#groups.join(options);
  }

  async *read(topic: TopicName, partition: number, fromOffset: number): AsyncGenerator<BusRecord> {
    const end = this.#log.end(topic, partition);
    for (let offset = fromOffset; offset < end; ) {
      const row = this.#row(topic, partition, offset);
      if (!row) return;
      for (const record of row.records)
        if (record.offset >= offset && record.offset < end) yield record;
      offset = Math.max(offset, row.first + row.records.length);
    }
  }

  async lag(groups: Parameters<Bus["lag"]>[0]): Promise<Lag[]> {
    return groups.flatMap(({ group, topic }) =>
      Array.from({ length: this.partitions(topic) }, (_, partition) => ({
        group,
        topic,
        partition,
        committed: this.#log.committed(group, topic, partition),
        end: this.#log.end(topic, partition),
      })),
    );
  }

  /** Removes what is older than its topic's retention and was read by every group. */
  expire(): void {
    this.#tails.clear();
    this.#tailOrder = [];
    this.#tailChars = 0;
    this.#log.expire(this.#clock.now());
  }

  /** Even to remove takes space: on a full disk old records stay until there is some. */
  #expireIfPossible(): void {
    try {
      this.expire();
    } catch (error) {
      this.#warn(`bus: old records stay for now, removing them failed: ${messageOf(error)}`);
    }
  }

  async check(): Promise<void> {
    if (this.#failure)
      throw new UserError(
        "bus.write-failed",
        `the bus cannot write to its folder: ${this.#failure}; free space or mend the disk, Wache goes on by itself`,
      );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#groups.close();
    this.#stopExpiry();
    this.#closed = true;
    await this.#flushing;
    await this.#log.close();
  }

  #chunks(records: readonly OutRecord[]): Chunk[] {
    const byPartition = new Map<
      string,
      { topic: TopicName; partition: number; records: Keyed[] }
    >();
    for (const { topic, key, value, partition: wanted } of records) {
      const text = value === null ? "" : JSON.stringify(value);
      if (text.length > RECORD_BYTES_MAX)
        throw new UserError(
          "bus.record-too-large",
          `a record for ${topic} has ${text.length} characters, the most is ${RECORD_BYTES_MAX}`,
        );
      const partition = wanted ?? partitionOf(key, this.partitions(topic));
      this.#log.end(topic, partition); // refuses one that is not there, before anything is written
      const name = `${topic}/${partition}`;
      const chunk = byPartition.get(name);
      const record = { key, text, value: value ?? undefined };
      if (chunk) chunk.records.push(record);
      else byPartition.set(name, { topic, partition, records: [record] });
    }
    return [...byPartition.values()];
  }

  #durable(what: Omit<Waiting, "resolve">): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ ...what, resolve });
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      const rows = await this.#append(waiting);
      for (const row of rows) this.#remember(row);
      for (const { resolve } of waiting) resolve();
      this.#groups.wake(rows);
      const records = rows.reduce((sum, row) => sum + row.records.length, 0);
      if (records < FLUSH_SMALL && !this.#closed) await this.#clock.sleep(FLUSH_GAP_MS);
    }
    this.#flushing = undefined;
  }

  async #append(waiting: readonly Waiting[]): Promise<Row[]> {
    const chunks = merge(waiting.flatMap((one) => one.chunks));
    const commits = waiting.flatMap(({ commit }) => commit ?? []);
    for (;;) {
      try {
        const rows = await this.#log.append(chunks, commits, this.#clock.now());
        this.#failure = undefined;
        return rows;
      } catch (error) {
        if (this.#closed) throw error;
        if (!this.#failure)
          this.#warn(`bus: writing failed, trying again every second: ${messageOf(error)}`);
        this.#failure = messageOf(error);
        await this.#clock.sleep(RETRY_MS);
      }
    }
  }

  #remember(row: Row): void {
    const first = row.records[0];
    if (!first) return;
    const name = `${first.topic}/${first.partition}`;
    const tail = this.#tails.get(name) ?? [];
    this.#tails.set(name, tail);
    tail.push(row);
    this.#tailOrder.push(tail);
    this.#tailChars += charsOf(row);
    let gone = 0;
    for (; this.#tailChars > TAIL_CHARS_MAX && gone < this.#tailOrder.length - 1; gone++) {
      const oldest = this.#tailOrder[gone]?.shift();
      if (oldest) this.#tailChars -= charsOf(oldest);
    }
    if (gone > 0) this.#tailOrder = this.#tailOrder.slice(gone);
  }

  #row(topic: TopicName, partition: number, offset: number): Row | undefined {
    const rows = this.#tails.get(`${topic}/${partition}`) ?? [];
    const oldest = rows[0];
    if (!oldest || offset < oldest.first || this.#log.topic(topic).spec.compacted)
      return this.#log.row(topic, partition, offset);
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((rows[middle]?.first ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const found = rows[low];
    return found && offset < found.first + found.records.length ? found : rows[low + 1];
  }
}

const charsOf = (row: Row): number => row.records.reduce((sum, { text }) => sum + text.length, 0);

/** Chunks of one partition become one, and none grows beyond what one delivery should hold. */
function merge(chunks: readonly Chunk[]): Chunk[] {
  const merged: {
    topic: TopicName;
    partition: number;
    records: Keyed[];
    chars: number;
  }[] = [];
  const open = new Map<string, (typeof merged)[number]>();
  for (const { topic, partition, records } of chunks) {
    const name = `${topic}/${partition}`;
    for (const record of records) {
      let chunk = open.get(name);
      if (!chunk || chunk.records.length >= ROW_RECORDS_MAX || chunk.chars >= ROW_CHARS_MAX) {
        chunk = { topic, partition, records: [], chars: 0 };
        merged.push(chunk);
        open.set(name, chunk);
      }
      chunk.records.push(record);
      chunk.chars += record.text.length;
    }
  }
  return merged;
}

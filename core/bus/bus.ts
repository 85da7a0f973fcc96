// bus.ts — the bus as every stage sees it: topics with partitions, on SQLite or on Kafka.
//
// Holds: produce resolves only when every record is durable; records of one partition keep the order of the calls;
//        a consumer group sees each record at least once, in order, and goes on from what it committed.
import type { TopicName } from "../records.ts";

export type TopicSpec = {
  readonly name: TopicName;
  readonly partitions: number;
  readonly retentionMs: number; // of a compacted topic: how long it tells that a key was removed
  readonly compacted: boolean; // the newest record of each key is kept for ever
};

export type OutRecord = {
  readonly topic: TopicName;
  readonly key: string;
  readonly value: unknown; // plain JSON, never changed afterwards; null removes the key from a compacted topic
  readonly partition?: number; // else by the key
};

export type BusRecord = {
  readonly topic: TopicName;
  readonly partition: number;
  readonly offset: number; // grows by one a record; compaction and Kafka may leave gaps
  readonly key: string;
  readonly value: unknown; // undefined where the bytes are not JSON: see `text`
  readonly text: string; // the value as JSON text, "" for a removed key
  readonly timestampMs: number; // when it was produced
};

export type Batch = {
  readonly topic: TopicName;
  readonly partition: number;
  readonly records: readonly BusRecord[]; // never empty
};

export type ConsumeOptions = {
  readonly group: string;
  readonly topic: TopicName;
  readonly batchRecordsMax?: number;
  /** Called with batches of one partition one after the other; several partitions may be under way at once. A rejection is retried with the same batch. */
  readonly onBatch: (batch: Batch, consumer: Consumer) => Promise<void>;
  /** The whole of what this member now reads; called at the start and after every rebalance, before batches of new partitions. */
  readonly onAssigned?: (partitions: readonly number[], consumer: Consumer) => Promise<void>;
};

export type Consumer = {
  /** The group goes on from `nextOffset` after a restart or rebalance. Resolves when durable. */
  commit(partition: number, nextOffset: number): Promise<void>;
  /** Waits for the batches under way, then leaves the group. */
  close(): Promise<void>;
};

export type Lag = {
  readonly group: string;
  readonly topic: TopicName;
  readonly partition: number;
  readonly committed: number;
  readonly end: number;
};

export type Bus = {
  readonly kind: "embedded" | "kafka";
  partitions(topic: TopicName): number;
  /** Creates what is missing. A topic that has other than the wanted number of partitions keeps its own. */
  ensureTopics(specs: readonly TopicSpec[]): Promise<void>;
  produce(records: readonly OutRecord[]): Promise<void>;
  consume(options: ConsumeOptions): Promise<Consumer>;
  /** Every record of a partition from `fromOffset` to the end as it is now, outside of any group. */
  read(topic: TopicName, partition: number, fromOffset: number): AsyncIterable<BusRecord>;
  lag(groups: readonly { readonly group: string; readonly topic: TopicName }[]): Promise<Lag[]>;
  /** Refuses with a reason when the bus cannot be reached. */
  check(): Promise<void>;
  close(): Promise<void>;
};

// kafka-consumer.ts — one member of a consumer group: batches in order, again until they are taken, commits by the caller.
//
// In:    what kafkajs fetched of the partitions that this member was given.
// Out:   onAssigned after each rebalance, then batches of those partitions.
// Holds: onAssigned never runs while a batch is under way; what follows a rebalance starts at the committed offset;
//        a member that crashed is made anew until it is closed.
import type { EachBatchPayload, Kafka, Consumer as KafkaConsumer } from "kafkajs";
import { messageOf } from "../errors.ts";
import type { Batch, ConsumeOptions, Consumer } from "./bus.ts";
import { bounded, type KafkaDeps, type KafkaNames, kafkaErrorType } from "./kafka-client.ts";
import { KafkaRecord } from "./kafka-record.ts";

const BATCH_RECORDS_MAX = 1000;
const PARTITIONS_AT_ONCE_MAX = 64;
const REBALANCE_MS_MAX = 60_000;
const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 5000;
const FINISH_MS_MAX = 10_000;
const DISCONNECT_MS_MAX = 3000;
/** What a member hears that is no longer of the group's generation: its work comes again, to somebody. */
const STALE = new Set([
  "ILLEGAL_GENERATION",
  "UNKNOWN_MEMBER_ID",
  "REBALANCE_IN_PROGRESS",
  "FENCED_INSTANCE_ID",
]);

export type ConsumerPace = {
  readonly sessionMs: number; // a member that was silent for so long has left
  readonly heartbeatMs: number; // how soon a member hears of a rebalance
  readonly waitMs: number; // how long a fetch waits for something to come
};
type Parts = {
  readonly kafka: Kafka;
  readonly names: KafkaNames;
  readonly deps: KafkaDeps;
  readonly pace: ConsumerPace;
  readonly options: ConsumeOptions;
};

export class KafkaMember implements Consumer {
  readonly #parts: Parts;
  readonly #topic: string;
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  #member: KafkaConsumer | undefined;
  #rejoining = false;
  #generation = 0;
  #partitions: ReadonlySet<number> = new Set();
  #assigned: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#topic = parts.names.topic(parts.options.topic);
  }

  async start(): Promise<void> {
    const { kafka, names, pace, options } = this.#parts;
    const member = kafka.consumer({
      groupId: names.group(options.group),
      allowAutoTopicCreation: false,
      sessionTimeout: pace.sessionMs,
      heartbeatInterval: pace.heartbeatMs,
      rebalanceTimeout: REBALANCE_MS_MAX,
      maxWaitTimeInMs: pace.waitMs,
      // A few tries and a fresh start after that: a member whose coordinator died would try that one only.
      retry: {
        retries: 3,
        initialRetryTime: 200,
        maxRetryTime: 1000,
        restartOnFailure: async () => false,
      },
    });
    member.on(member.events.GROUP_JOIN, ({ payload }) => {
      if (this.#member === member) this.#joined(payload.memberAssignment[this.#topic] ?? []);
    });
    member.on(member.events.CRASH, ({ payload }) => {
      if (this.#member === member) void this.#rejoin(payload.error);
    });
    this.#member = member;
    try {
      await member.connect();
      await member.subscribe({ topics: [this.#topic], fromBeginning: true });
      await member.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE_MAX,
        eachBatch: (payload) => this.#eachBatch(payload),
      });
    } catch (error) {
      this.#member = undefined;
      await this.#leave(member);
      throw error;
    }
  }

  async commit(partition: number, nextOffset: number): Promise<void> {
    const { options, deps } = this.#parts;
    const at = { group: options.group, topic: options.topic, partition, nextOffset };
    const member = this.#member;
    if (member === undefined || !this.#partitions.has(partition)) {
      deps.log.debug(at, "bus: a commit of a partition that is no longer ours is left out");
      return;
    }
    try {
      await member.commitOffsets([{ topic: this.#topic, partition, offset: String(nextOffset) }]);
    } catch (error) {
      if (!STALE.has(kafkaErrorType(error))) throw error;
      deps.log.debug({ ...at, err: error }, "bus: a commit came too late; its records come again");
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { clock, log } = this.#parts.deps;
    this.#closing.abort();
    const failed = (error: unknown) => log.debug({ err: error }, "bus: closing a consumer");
    await bounded(Promise.all(this.#underWay), { ms: FINISH_MS_MAX, clock, failed });
    const member = this.#member;
    if (member !== undefined) await this.#leave(member);
    this.#member = undefined;
    this.#partitions = new Set();
  }

  async #leave(member: KafkaConsumer): Promise<void> {
    const { clock, log } = this.#parts.deps;
    const failed = (error: unknown) => log.debug({ err: error }, "kafka: disconnecting");
    await bounded(member.disconnect(), { ms: DISCONNECT_MS_MAX, clock, failed });
  }

  /** A new member in place of a crashed one, which kafkajs has disconnected. */
  async #rejoin(cause: unknown): Promise<void> {
    this.#member = undefined;
    if (this.#rejoining) return;
    this.#rejoining = true;
    const { deps, options } = this.#parts;
    const { signal } = this.#closing;
    const at = { group: options.group, topic: options.topic };
    deps.log.warn(at, `bus: a consumer lost its group: ${messageOf(cause)}; joining again`);
    for (let waitMs = RETRY_FIRST_MS; this.#member === undefined; waitMs = longer(waitMs)) {
      await deps.clock.sleep(waitMs, signal);
      if (signal.aborted) break;
      try {
        await this.start();
      } catch (error) {
        deps.log.debug({ ...at, err: error }, "bus: a consumer could not join again");
      }
    }
    this.#rejoining = false;
    if (!signal.aborted) deps.log.info(at, "bus: a consumer joined its group again");
    else if (this.#member !== undefined) await this.#leave(this.#member);
  }

  #joined(partitions: readonly number[]): void {
    const generation = ++this.#generation;
    this.#partitions = new Set(partitions);
    this.#assigned = this.#assigned.then(() => this.#tellAssigned(generation, partitions));
  }

  async #tellAssigned(generation: number, partitions: readonly number[]): Promise<void> {
    const { options } = this.#parts;
    await Promise.all(this.#underWay);
    const told = async () =>
      options.onAssigned?.(
        [...partitions].sort((a, b) => a - b),
        this,
      );
    await this.#untilTaken(told, () => generation !== this.#generation);
  }

  async #eachBatch({
    batch,
    heartbeat,
    resolveOffset,
    isRunning,
  }: EachBatchPayload): Promise<void> {
    const { options, pace, deps } = this.#parts;
    const generation = this.#generation;
    let lost: unknown;
    const stale = () => lost !== undefined || !isRunning() || generation !== this.#generation;
    const stopPulse = deps.clock.every(pace.heartbeatMs, () => {
      heartbeat().catch((error: unknown) => {
        lost ??= error;
      });
    });
    try {
      await this.#assigned;
      const most = options.batchRecordsMax ?? BATCH_RECORDS_MAX;
      for (let from = 0; from < batch.messages.length && !stale(); from += most) {
        const records = batch.messages
          .slice(from, from + most)
          .map((message) => new KafkaRecord(options.topic, batch.partition, message));
        const taken = await this.#deliver(
          { topic: options.topic, partition: batch.partition, records },
          stale,
        );
        if (!taken || generation !== this.#generation) break;
        resolveOffset(String(records.at(-1)?.offset));
      }
    } finally {
      stopPulse();
    }
    if (lost !== undefined) throw lost;
  }

  async #deliver(batch: Batch, stale: () => boolean): Promise<boolean> {
    const work = this.#untilTaken(() => this.#parts.options.onBatch(batch, this), stale);
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /** Calls again while it rejects; false when closing or a rebalance ended that. */
  async #untilTaken(call: () => Promise<void>, stale: () => boolean): Promise<boolean> {
    const { deps, options } = this.#parts;
    const { signal } = this.#closing;
    for (let waitMs = RETRY_FIRST_MS; !signal.aborted && !stale(); waitMs = longer(waitMs)) {
      try {
        await call();
        return true;
      } catch (error) {
        deps.log.warn(
          { group: options.group, topic: options.topic, err: error },
          `bus: ${options.group} did not take a batch: ${messageOf(error)}; trying again`,
        );
        await deps.clock.sleep(waitMs, signal);
      }
    }
    return false;
  }
}

const longer = (waitMs: number): number => Math.min(waitMs * 2, RETRY_MOST_MS);

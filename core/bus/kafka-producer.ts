// kafka-producer.ts — produce on Kafka: a lane a partition, one send in flight in each, what queued meanwhile goes together.
//
// In:    produce calls of any size.
// Out:   each call's promise, once all its records are on the in-sync replicas.
// Holds: records of one partition keep the order of the calls; an outage delays, it never loses; at most `bytesMax` queue here
//        (and the call that passed it), later calls wait in line.
// Why:   a send over several partitions can lose acknowledged records when a leader dies (tulios/kafkajs#1303), and two sends
//        in flight for one partition can swap.
import type { Message, Producer } from "kafkajs";
import { messageOf, UserError } from "../errors.ts";
import type { TopicName } from "../records.ts";
import type { OutRecord } from "./bus.ts";
import { bounded, type KafkaDeps, type KafkaNames, kafkaErrorType } from "./kafka-client.ts";
import { partitionOf } from "./partitioner.ts";

/** Of a key and its value; topics that Wache creates take a little more. */
export const RECORD_BYTES_MAX = 4_000_000;
const SEND_BYTES_MAX = 900_000;
const SEND_RECORDS_MAX = 2000; // kafkajs groups a send's records in quadratic time
const RETRY_FIRST_MS = 200;
const RETRY_MOST_MS = 5000;
const TROUBLE_EVERY_MS = 30_000;
const DRAIN_MS_MAX = 5000;
const DISCONNECT_MS_MAX = 3000;
const TOO_LARGE = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]);
const REFUSED = new Set([
  "TOPIC_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "POLICY_VIOLATION",
  "INVALID_RECORD",
]);

type Call = {
  readonly records: readonly OutRecord[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  left: number;
};
type Queued = { readonly message: Message; readonly bytes: number; readonly call: Call };
type Lane = {
  readonly topic: TopicName;
  readonly partition: number;
  queue: Queued[];
  sending: readonly Queued[];
  busy: boolean;
};
type Parts = {
  readonly producer: Producer;
  readonly names: KafkaNames;
  readonly partitions: (topic: TopicName) => number;
  readonly bytesMax: number;
  readonly deps: KafkaDeps;
};

export class KafkaLanes {
  readonly #parts: Parts;
  readonly #lanes = new Map<string, Lane>();
  readonly #callers: Call[] = [];
  readonly #ended = new AbortController();
  #bytes = 0;
  #full = false;
  #troubleToldMs: number | undefined;
  #closed = false;
  #idle: (() => void) | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  produce(records: readonly OutRecord[]): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#callers.push({ records, resolve, reject, left: records.length });
      this.#admit();
    });
  }

  /** Sends what is queued, for a while; what could not be sent by then is rejected. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { producer, deps } = this.#parts;
    const { clock, log } = deps;
    const drained = new Promise<void>((resolve) => {
      this.#idle = resolve;
      this.#tellIdle();
    });
    await bounded(drained, { ms: DRAIN_MS_MAX, clock, failed: () => {} });
    this.#ended.abort();
    for (const lane of this.#lanes.values()) {
      for (const { call } of [...lane.sending, ...lane.queue]) call.reject(closedError());
      lane.queue = [];
    }
    for (const call of this.#callers.splice(0)) call.reject(closedError());
    const failed = (error: unknown) => log.debug({ err: error }, "kafka: disconnecting");
    await bounded(producer.disconnect(), { ms: DISCONNECT_MS_MAX, clock, failed });
  }

  #admit(): void {
    const { bytesMax, deps } = this.#parts;
    while (this.#bytes < bytesMax) {
      const call = this.#callers.shift();
      if (call === undefined) {
        this.#full = false;
        return;
      }
      try {
        this.#enqueue(call);
      } catch (error) {
        call.reject(error);
      }
    }
    if (this.#callers.length === 0 || this.#full) return;
    this.#full = true;
    deps.log.warn(`bus: ${this.#bytes} bytes wait for Kafka (at most ${bytesMax}); producers wait`);
  }

  #enqueue(call: Call): void {
    const encoded = call.records.map((record) => this.#encode(record, call)); // all or nothing
    for (const { lane, queued } of encoded) {
      lane.queue.push(queued);
      this.#bytes += queued.bytes;
      if (!lane.busy) void this.#run(lane);
    }
  }

  #encode(record: OutRecord, call: Call): { readonly lane: Lane; readonly queued: Queued } {
    const { topic, key } = record;
    const value = record.value === null ? null : JSON.stringify(record.value);
    if (value === undefined) throw new TypeError(`a record for ${topic} has no value`);
    const bytes = Buffer.byteLength(key) + (value === null ? 0 : Buffer.byteLength(value));
    if (bytes > RECORD_BYTES_MAX) throw tooLarge(topic, bytes, `the most is ${RECORD_BYTES_MAX}`);
    const count = this.#parts.partitions(topic);
    const partition = record.partition ?? partitionOf(key, count);
    if (!Number.isInteger(partition) || partition < 0 || partition >= count) {
      throw new UserError(
        "bus.unknown-partition",
        `${topic} has ${count} partitions, not a partition ${partition}`,
      );
    }
    const lane = this.#lane(topic, partition);
    return { lane, queued: { message: { key, value, partition }, bytes, call } };
  }

  #lane(topic: TopicName, partition: number): Lane {
    const name = `${topic}/${partition}`;
    const known = this.#lanes.get(name);
    if (known) return known;
    const lane: Lane = { topic, partition, queue: [], sending: [], busy: false };
    this.#lanes.set(name, lane);
    return lane;
  }

  async #run(lane: Lane): Promise<void> {
    lane.busy = true;
    while (lane.queue.length > 0) {
      await new Promise<void>((resolve) => setImmediate(resolve)); // what this turn produces goes together
      lane.sending = take(lane.queue);
      await this.#send(lane, lane.sending);
      for (const { bytes } of lane.sending) this.#bytes -= bytes;
      lane.sending = [];
      this.#admit();
    }
    lane.busy = false;
    this.#tellIdle();
  }

  async #send(lane: Lane, batch: readonly Queued[]): Promise<void> {
    for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(waitMs * 2, RETRY_MOST_MS)) {
      const error = await this.#try(lane, batch);
      if (error === undefined) return this.#settle(batch);
      if (TOO_LARGE.has(kafkaErrorType(error)) && batch.length > 1) {
        const middle = batch.length >> 1;
        await this.#send(lane, batch.slice(0, middle));
        return this.#send(lane, batch.slice(middle));
      }
      const refusal = refusalOf(lane, batch, error);
      if (refusal !== undefined || this.#ended.signal.aborted) {
        for (const { call } of batch) call.reject(refusal ?? closedError());
        return;
      }
      this.#tellTrouble(lane, error);
      await this.#parts.deps.clock.sleep(waitMs, this.#ended.signal);
    }
  }

  /** Undefined when the batch is durable. */
  async #try({ topic, partition }: Lane, batch: readonly Queued[]): Promise<unknown> {
    const { producer, names } = this.#parts;
    try {
      const messages = batch.map(({ message }) => message);
      const written = await producer.send({ topic: names.topic(topic), messages, acks: -1 });
      if (written.some((part) => part.partition === partition)) return undefined;
      return new Error("the answer does not name the partition");
    } catch (error) {
      return error ?? new Error("no reason given");
    }
  }

  #settle(batch: readonly Queued[]): void {
    if (this.#troubleToldMs !== undefined)
      this.#parts.deps.log.info("bus: Kafka takes records again");
    this.#troubleToldMs = undefined;
    for (const { call } of batch) {
      call.left -= 1;
      if (call.left === 0) call.resolve();
    }
  }

  /** One line for an outage and one each half minute that it lasts, however many partitions wait. */
  #tellTrouble({ topic, partition }: Lane, error: unknown): void {
    const { log, clock } = this.#parts.deps;
    const nowMs = clock.now();
    if (nowMs - (this.#troubleToldMs ?? Number.NEGATIVE_INFINITY) < TROUBLE_EVERY_MS) return;
    this.#troubleToldMs = nowMs;
    log.warn(
      { topic, partition, waitingBytes: this.#bytes },
      `bus: Kafka does not take records: ${messageOf(error)}; trying again until it does`,
    );
  }

  #tellIdle(): void {
    const busy = [...this.#lanes.values()].some((lane) => lane.busy);
    if (!busy && this.#callers.length === 0) this.#idle?.();
  }
}

/** Takes the first records off the queue: at least one, then as many as a send should carry. */
function take(queue: Queued[]): Queued[] {
  let count = 0;
  for (let bytes = 0; count < queue.length && count < SEND_RECORDS_MAX; count++) {
    bytes += queue[count]?.bytes ?? 0;
    if (count > 0 && bytes > SEND_BYTES_MAX) break;
  }
  return queue.splice(0, count);
}

function refusalOf(lane: Lane, batch: readonly Queued[], error: unknown): UserError | undefined {
  const type = kafkaErrorType(error);
  if (TOO_LARGE.has(type)) {
    return tooLarge(lane.topic, batch[0]?.bytes ?? 0, "the topic's max.message.bytes is lower");
  }
  if (!REFUSED.has(type)) return undefined;
  const text = `Kafka refuses records for ${lane.topic}: ${messageOf(error)}; check what bus.kafka's user may write`;
  return new UserError("bus.refused", text, { cause: error });
}

const tooLarge = (topic: TopicName, bytes: number, limit: string): UserError =>
  new UserError("bus.record-too-large", `a record for ${topic} has ${bytes} bytes, ${limit}`);

const closedError = (): UserError => new UserError("bus.closed", "the bus is closed");

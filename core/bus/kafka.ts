// kafka.ts — the bus on Kafka: puts producer, group members and reader behind the Bus interface, and makes the topics.
//
// Holds: a topic that exists keeps its partitions; an outage delays produce and consume, it ends neither.
import type { Admin, ITopicConfig, Kafka, RetryOptions } from "kafkajs";
import { messageOf, UserError } from "../errors.ts";
import type { TopicName } from "../records.ts";
import type { Bus, BusRecord, ConsumeOptions, Consumer, Lag, OutRecord, TopicSpec } from "./bus.ts";
import {
  bounded,
  type KafkaDeps,
  type KafkaNames,
  type KafkaOptions,
  kafkaClient,
  kafkaErrorType,
  kafkaNames,
  TRIES_FEW,
  TRIES_MANY,
  unreachable,
} from "./kafka-client.ts";
import { type ConsumerPace, KafkaMember } from "./kafka-consumer.ts";
import { KafkaLanes } from "./kafka-producer.ts";
import { KafkaReader } from "./kafka-reader.ts";

const MESSAGE_BYTES_MAX = 4_194_304; // of topics that are created
const QUEUE_BYTES_MAX = 33_554_432;
const DISCONNECT_MS_MAX = 3000;
const PACE: ConsumerPace = { sessionMs: 10_000, heartbeatMs: 1000, waitMs: 1000 };

export type KafkaTuning = Partial<ConsumerPace> & { readonly queueBytesMax?: number };

/** Connects; rejects with `bus.unreachable` when Kafka cannot be used now. */
export async function openKafkaBus(
  options: KafkaOptions & KafkaTuning,
  deps: KafkaDeps,
): Promise<Bus> {
  const bus = new KafkaBus(options, deps);
  await bus.open();
  return bus;
}

const VISIBLE_TRIES_MAX = 100;
const VISIBLE_RETRY_MS = 100;

class KafkaBus implements Bus {
  readonly kind = "kafka";
  readonly #options: KafkaOptions & KafkaTuning;
  readonly #deps: KafkaDeps;
  readonly #names: KafkaNames;
  readonly #kafka: Kafka;
  readonly #lanes: KafkaLanes;
  readonly #reader: KafkaReader;
  readonly #connect: () => Promise<void>;
  readonly #partitions = new Map<TopicName, number>();
  readonly #members = new Set<KafkaMember>();

  constructor(options: KafkaOptions & KafkaTuning, deps: KafkaDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#names = kafkaNames(options);
    this.#kafka = kafkaClient(options, deps, TRIES_MANY);
    const producer = this.#kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0, // the lanes name it
    });
    this.#connect = () => producer.connect();
    this.#lanes = new KafkaLanes({
      producer,
      deps,
      names: this.#names,
      partitions: (topic) => this.partitions(topic),
      bytesMax: options.queueBytesMax ?? QUEUE_BYTES_MAX,
    });
    this.#reader = new KafkaReader(this.#kafka, this.#names, deps);
  }

  async open(): Promise<void> {
    await this.check();
    try {
      await this.#connect();
    } catch (error) {
      throw unreachable(this.#options.brokers, error);
    }
  }

  partitions(topic: TopicName): number {
    const count = this.#partitions.get(topic);
    if (count !== undefined) return count;
    throw new UserError(
      "bus.unknown-topic",
      `the bus has no topic ${topic}; create it with ensureTopics`,
    );
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    await this.#admin(TRIES_MANY, async (admin) => {
      const there = new Set(await admin.listTopics());
      for (const spec of specs) {
        if (!there.has(this.#names.topic(spec.name))) await this.#create(admin, spec);
      }
      const topics = specs.map(({ name }) => this.#names.topic(name));
      const found = await this.#visible(admin, topics);
      const counts = new Map(found.topics.map(({ name, partitions }) => [name, partitions.length]));
      for (const { name } of specs) {
        this.#partitions.set(name, counts.get(this.#names.topic(name)) ?? 0);
      }
    });
  }

  produce(records: readonly OutRecord[]): Promise<void> {
    return this.#lanes.produce(records);
  }

  async consume(options: ConsumeOptions): Promise<Consumer> {
    const { waitMs, heartbeatMs, sessionMs } = { ...PACE, ...this.#options };
    const pace = { waitMs, heartbeatMs, sessionMs };
    const member = new KafkaMember({
      kafka: this.#kafka,
      names: this.#names,
      deps: this.#deps,
      pace,
      options,
    });
    try {
      await member.start();
    } catch (error) {
      throw unreachable(this.#options.brokers, error);
    }
    this.#members.add(member);
    return {
      commit: (partition, nextOffset) => member.commit(partition, nextOffset),
      close: async () => {
        await member.close();
        this.#members.delete(member);
      },
    };
  }

  read(topic: TopicName, partition: number, fromOffset: number): AsyncIterable<BusRecord> {
    return this.#reader.read(topic, partition, fromOffset);
  }

  async lag(groups: Parameters<Bus["lag"]>[0]): Promise<Lag[]> {
    return this.#admin(TRIES_FEW, async (admin) => {
      const lags = await Promise.all(
        groups.map(async ({ group, topic }) => {
          const name = this.#names.topic(topic);
          const groupId = this.#names.group(group);
          const [ends, [committed]] = await Promise.all([
            admin.fetchTopicOffsets(name),
            admin.fetchOffsets({ groupId, topics: [name] }),
          ]);
          const next = new Map(
            committed?.partitions.map((at) => [at.partition, Number(at.offset)]),
          );
          return ends
            .map(({ partition, low, high }): Lag => {
              const at = next.get(partition) ?? -1; // -1: nothing committed, it begins at the oldest
              return {
                group,
                topic,
                partition,
                committed: at < 0 ? Number(low) : at,
                end: Number(high),
              };
            })
            .sort((a, b) => a.partition - b.partition);
        }),
      );
      return lags.flat();
    });
  }

  async check(): Promise<void> {
    await this.#admin(TRIES_FEW, (admin) => admin.describeCluster());
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members].map((member) => member.close()));
    this.#members.clear();
    await Promise.all([this.#lanes.close(), this.#reader.close()]);
  }

  async #create(admin: Admin, spec: TopicSpec): Promise<void> {
    const { replicationFactor } = this.#options;
    const topic = topicConfig(this.#names.topic(spec.name), spec, replicationFactor);
    try {
      await admin.createTopics({ topics: [topic], waitForLeaders: false });
    } catch (error) {
      const type = kafkaErrorType(error) || typeOfFirst(error);
      if (type === "TOPIC_ALREADY_EXISTS") return; // another process was first
      throw topicRefused(topic, type || messageOf(error), error);
    }
  }

  /** A topic just made is not known to every broker at once: asks until it is, for a bounded while. */
  async #visible(
    admin: Admin,
    topics: string[],
  ): Promise<Awaited<ReturnType<Admin["fetchTopicMetadata"]>>> {
    for (let tries = 1; ; tries++) {
      try {
        const found = await admin.fetchTopicMetadata({ topics });
        const led = found.topics.every(({ partitions }) => partitions.every((p) => p.leader >= 0));
        if (led || tries >= VISIBLE_TRIES_MAX) return found;
      } catch (error) {
        const type = kafkaErrorType(error) || typeOfFirst(error);
        const soon = type === "UNKNOWN_TOPIC_OR_PARTITION" || type === "LEADER_NOT_AVAILABLE";
        if (!soon || tries >= VISIBLE_TRIES_MAX) throw error;
      }
      await this.#deps.clock.sleep(VISIBLE_RETRY_MS);
    }
  }

  async #admin<T>(retry: RetryOptions, work: (admin: Admin) => Promise<T>): Promise<T> {
    const { clock, log } = this.#deps;
    const admin = kafkaClient(this.#options, this.#deps, retry).admin();
    try {
      await admin.connect();
      return await work(admin);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw unreachable(this.#options.brokers, error);
    } finally {
      const failed = (error: unknown) => log.debug({ err: error }, "kafka: disconnecting");
      await bounded(admin.disconnect(), { ms: DISCONNECT_MS_MAX, clock, failed });
    }
  }
}

function topicConfig(topic: string, spec: TopicSpec, replicationFactor: number): ITopicConfig {
  const settings: Readonly<Record<string, string | number>> = {
    "max.message.bytes": MESSAGE_BYTES_MAX,
    ...(replicationFactor >= 3 ? { "min.insync.replicas": 2 } : {}),
    // Small segments: only closed ones are compacted, and a reader of the topic reads all that is left.
    ...(spec.compacted
      ? {
          "cleanup.policy": "compact",
          "segment.bytes": 67_108_864,
          "min.cleanable.dirty.ratio": 0.2,
          "delete.retention.ms": spec.retentionMs,
        }
      : { "cleanup.policy": "delete", "retention.ms": spec.retentionMs }),
  };
  return {
    topic,
    numPartitions: spec.partitions,
    replicationFactor,
    configEntries: Object.entries(settings).map(([name, value]) => ({
      name,
      value: String(value),
    })),
  };
}

const topicRefused = (topic: ITopicConfig, reason: string, cause: unknown): UserError =>
  new UserError(
    "bus.topic-refused",
    `Kafka does not create the topic ${topic.topic} with ${topic.numPartitions} partitions and ` +
      `bus.kafka.replicationFactor ${topic.replicationFactor}: ${reason}; ` +
      "lower the factor to the number of brokers, or let bus.kafka's user create topics",
    { cause },
  );

/** kafkajs gives a list of errors, one a topic. */
function typeOfFirst(error: unknown): string {
  if (!(error instanceof Error) || !("errors" in error) || !Array.isArray(error.errors)) return "";
  return kafkaErrorType(error.errors[0]);
}

// kafka-reader.ts — reads one partition from an offset to its end, outside of any consumer group.
//
// Holds: ends at the end as of the call, also where compaction has emptied the tail or the middle.
// Why:   kafkajs reads by groups only, and joining one takes seconds on a broker with its default settings. A consumer that
//        is connected but never run gives its partition assigners the cluster (kafkajs, "Custom partition assigner"),
//        and the cluster's brokers fetch.
import { type Cluster, type Consumer, type Kafka, PartitionAssigners } from "kafkajs";
import type { TopicName } from "../records.ts";
import type { BusRecord } from "./bus.ts";
import { bounded, type KafkaDeps, type KafkaNames, kafkaErrorType } from "./kafka-client.ts";
import { KafkaRecord, type RawMessage } from "./kafka-record.ts";

const FETCH_BYTES_MAX = 8_388_608;
const FETCH_WAIT_MS = 200;
const TRIES_MAX = 20;
const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 2000;
const DISCONNECT_MS_MAX = 3000;

type Fetched = {
  readonly highWatermark: string;
  readonly messages: readonly (RawMessage & { readonly isControlRecord?: boolean })[];
};
type FetchResponse = { readonly responses: readonly { readonly partitions: readonly Fetched[] }[] };
type At = { readonly topic: string; readonly partition: number };

export class KafkaReader {
  readonly #names: KafkaNames;
  readonly #deps: KafkaDeps;
  readonly #consumer: Consumer;
  #cluster: Cluster | undefined;
  #connected: Promise<void> | undefined;

  constructor(kafka: Kafka, names: KafkaNames, deps: KafkaDeps) {
    this.#names = names;
    this.#deps = deps;
    this.#consumer = kafka.consumer({
      groupId: names.group("reader"),
      allowAutoTopicCreation: false,
      partitionAssigners: [
        (config) => {
          this.#cluster = config.cluster;
          return PartitionAssigners.roundRobin(config);
        },
      ],
    });
  }

  async *read(name: TopicName, partition: number, from: number): AsyncGenerator<BusRecord> {
    const at = { topic: this.#names.topic(name), partition };
    const { first, end } = await this.#patiently((cluster) => range(cluster, at));
    for (let next = Math.max(from, first); next < end; ) {
      const { messages, highWatermark } = await this.#patiently((cluster) =>
        fetch(cluster, at, next),
      );
      const last = messages.at(-1);
      if (last === undefined) {
        if (Number(highWatermark) >= end) return; // compaction left nothing
        continue; // a new leader that does not know yet how far its followers are
      }
      for (const message of messages) {
        const offset = Number(message.offset);
        if (offset >= end) return;
        if (offset < next || message.isControlRecord === true) continue;
        yield new KafkaRecord(name, partition, message);
      }
      next = Math.max(next, Number(last.offset) + 1);
    }
  }

  async close(): Promise<void> {
    if (this.#connected === undefined) return;
    const { clock, log } = this.#deps;
    const failed = (error: unknown) => log.debug({ err: error }, "kafka: disconnecting");
    await bounded(this.#consumer.disconnect(), { ms: DISCONNECT_MS_MAX, clock, failed });
  }

  async #patiently<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
    for (let tries = 1, waitMs = RETRY_FIRST_MS; ; tries++) {
      try {
        const cluster = await this.#connect();
        return await work(cluster);
      } catch (error) {
        if (tries >= TRIES_MAX) throw error;
        this.#deps.log.debug({ err: error, type: kafkaErrorType(error) }, "kafka: reading again");
      }
      await this.#deps.clock.sleep(waitMs);
      waitMs = Math.min(waitMs * 2, RETRY_MOST_MS);
      await this.#cluster?.refreshMetadata().catch(() => {
        this.#connected = undefined;
      });
    }
  }

  async #connect(): Promise<Cluster> {
    this.#connected ??= this.#consumer.connect();
    try {
      await this.#connected;
    } catch (error) {
      this.#connected = undefined;
      throw error;
    }
    if (this.#cluster === undefined) throw new Error("kafkajs gave its assigners no cluster");
    return this.#cluster;
  }
}

async function range(cluster: Cluster, { topic, partition }: At) {
  await cluster.addTargetTopic(topic);
  const offset = async (fromBeginning: boolean): Promise<number> => {
    const [answer] = await cluster.fetchTopicsOffset([
      { topic, partitions: [{ partition }], fromBeginning },
    ]);
    return Number(answer?.partitions.find((part) => part.partition === partition)?.offset);
  };
  const end = await offset(false);
  return { first: await offset(true), end };
}

async function fetch(cluster: Cluster, { topic, partition }: At, from: number): Promise<Fetched> {
  await cluster.refreshMetadataIfNecessary();
  const leaders = cluster.findLeaderForPartitions(topic, [partition]);
  const [nodeId] = Object.keys(leaders);
  if (nodeId === undefined) throw new Error(`${topic}/${partition} has no leader now`);
  const broker = await cluster.findBroker({ nodeId });
  const response: FetchResponse = await broker.fetch({
    maxWaitTime: FETCH_WAIT_MS,
    minBytes: 1,
    maxBytes: FETCH_BYTES_MAX,
    isolationLevel: 1,
    topics: [
      { topic, partitions: [{ partition, fetchOffset: String(from), maxBytes: FETCH_BYTES_MAX }] },
    ],
  });
  const fetched = response.responses[0]?.partitions[0];
  if (fetched === undefined) throw new Error(`no answer for ${topic}/${partition}`);
  return fetched;
}

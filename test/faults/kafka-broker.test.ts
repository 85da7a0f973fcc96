// Brokers are killed and stopped under load: what produce acknowledged stays, in order, and consumers get all of it.
import { Kafka, logLevel } from "kafkajs";
import pino from "pino";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Bus, BusRecord, OutRecord } from "../../core/bus/bus.ts";
import { type KafkaTuning, openKafkaBus } from "../../core/bus/kafka.ts";
import { partitionOf } from "../../core/bus/partitioner.ts";
import { systemClock } from "../../core/clock.ts";
import { TOPIC } from "../../core/records.ts";
import { type RunningKafka, startKafka } from "../servers/kafka.ts";

const PARTITIONS = 4;
const KEYS = 40;
const CALLS_AT_ONCE = 50;
const WAIT_MS_MAX = 90_000;
const TEST_MS_MAX = 240_000;
const log = pino({ level: process.env.WACHE_TEST_LOG ?? "silent" });
const partitions = Array.from({ length: PARTITIONS }, (_, p) => p);

type Numbered = { readonly n: number };

async function setUp(brokers: number, tuning: KafkaTuning = {}) {
  const started = await startKafka({ brokers });
  if ("skip" in started) return undefined;
  onTestFinished(() => started.stop());
  const bus = await openKafkaBus(
    {
      brokers: started.brokers,
      clientId: "faults",
      replicationFactor: brokers,
      ssl: false,
      sessionMs: 6000,
      ...tuning,
    },
    { log, clock: systemClock },
  );
  onTestFinished(() => bus.close());
  const spec = {
    name: TOPIC.events,
    partitions: PARTITIONS,
    retentionMs: 3_600_000,
    compacted: false,
  };
  await bus.ensureTopics([spec]);
  return { kafka: started, bus };
}

describe("Kafka under faults", { timeout: TEST_MS_MAX }, () => {
  test("the leader of a partition is killed, twice: nothing acknowledged is lost or out of order", async (context) => {
    const set = await setUp(3);
    if (set === undefined) return context.skip("no Java or Maven here, see test/servers/kafka.ts");
    const { kafka, bus } = set;
    const load = startLoad(bus);
    const seen = await followAll(bus);
    for (const partition of [0, 1]) {
      await load.passed(1500);
      const node = await leaderOf(kafka, partition);
      await node.kill9();
      await load.passed(1500);
      await node.start();
    }
    await load.passed(1500);
    const acknowledged = await load.end();
    expect(acknowledged.length).toBeGreaterThan(7000);
    const want = numbersByPartition(acknowledged);
    expect(await storedNumbers(bus)).toEqual(want);
    await vi.waitFor(
      () =>
        expect(firstOfEach(seen).map((all) => all.length)).toEqual(want.map((all) => all.length)),
      {
        timeout: WAIT_MS_MAX,
        interval: 100,
      },
    );
    expect(firstOfEach(seen)).toEqual(want);
  });

  test("the only broker is stopped and comes back: produce waits, bounded, and goes on; so does the group", async (context) => {
    const set = await setUp(1, { queueBytesMax: 100_000 });
    if (set === undefined) return context.skip("no Java or Maven here, see test/servers/kafka.ts");
    const { kafka, bus } = set;
    const seen = await followAll(bus);
    const load = startLoad(bus);
    await load.passed(1500);
    await kafka.nodes[0]?.kill9();
    await expect(bus.check()).rejects.toMatchObject({ code: "bus.unreachable" });
    await kafka.nodes[0]?.start();
    await load.passed(1500);
    const want = numbersByPartition(await load.end());
    expect(await storedNumbers(bus)).toEqual(want);
    await vi.waitFor(() => expect(firstOfEach(seen)).toEqual(want), {
      timeout: WAIT_MS_MAX,
      interval: 100,
    });
    expect(await bus.check()).toBeUndefined();
  });
});

/** Sends numbered records without end, some calls at once, and notes which were acknowledged. */
function startLoad(bus: Bus) {
  const sent: OutRecord[] = [];
  let acknowledged = 0;
  let stop = false;
  const refused: unknown[] = [];
  const worker = async () => {
    while (!stop) {
      const first = sent.length;
      const records = [0, 1, 2].map((i): OutRecord => {
        const n = first + i;
        return { topic: TOPIC.events, key: `host-${n % KEYS}`, value: { n } };
      });
      sent.push(...records);
      try {
        await bus.produce(records);
        acknowledged += records.length;
      } catch (error) {
        refused.push(error);
      }
    }
  };
  const workers = Promise.all(Array.from({ length: CALLS_AT_ONCE }, worker));
  return {
    /** So many more records were acknowledged. */
    passed: async (count: number) => {
      const goal = acknowledged + count;
      await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(goal), {
        timeout: WAIT_MS_MAX,
        interval: 20,
      });
    },
    end: async (): Promise<readonly OutRecord[]> => {
      stop = true;
      await workers;
      expect(refused).toEqual([]);
      return sent;
    },
  };
}

async function leaderOf(kafka: RunningKafka, partition: number) {
  const admin = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [TOPIC.events] });
    const leader = topics[0]?.partitions.find(
      ({ partitionId }) => partitionId === partition,
    )?.leader;
    const node = kafka.nodes.find(({ id }) => id === leader);
    if (node === undefined) throw new Error(`partition ${partition} has no leader among our nodes`);
    return node;
  } finally {
    await admin.disconnect();
  }
}

async function followAll(bus: Bus): Promise<readonly BusRecord[]> {
  const seen: BusRecord[] = [];
  await bus.consume({
    group: "faults",
    topic: TOPIC.events,
    onBatch: async ({ partition, records }, consumer) => {
      seen.push(...records);
      await consumer.commit(partition, (records.at(-1)?.offset ?? -1) + 1);
    },
  });
  return seen;
}

const numbersByPartition = (sent: readonly OutRecord[]): number[][] =>
  partitions.map((p) =>
    sent
      .filter(({ key }) => partitionOf(key, PARTITIONS) === p)
      .map(({ value }) => (value as Numbered).n),
  );

async function storedNumbers(bus: Bus): Promise<number[][]> {
  const stored: BusRecord[] = [];
  for (const p of partitions)
    for await (const one of bus.read(TOPIC.events, p, 0)) stored.push(one);
  return firstOfEach(stored);
}

/** A retried send may stand in the log twice: what counts is where each number stands first. */
function firstOfEach(records: readonly BusRecord[]): number[][] {
  return partitions.map((p) => {
    const mine = records.filter(({ partition }) => partition === p);
    return [...new Set(mine.map(({ value }) => (value as Numbered).n))];
  });
}

// bus.ts — prints how fast each bus takes records and gives them back: 1 KB records, keyed, 500 a call.
//
// Run:   node bench/bus.ts [records]
// Note:  everything shares this machine's cores, Kafka's broker too: the figures compare, they do not promise.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import type { Bus, OutRecord } from "../core/bus/bus.ts";
import { openEmbeddedBus } from "../core/bus/embedded.ts";
import { openKafkaBus } from "../core/bus/kafka.ts";
import { systemClock } from "../core/clock.ts";
import { TOPIC } from "../core/records.ts";
import { startKafka } from "../test/servers/kafka.ts";
import { quantile } from "./figures.ts";

const RECORDS = Number(process.argv[2] ?? 200_000);
const CALL_RECORDS = 500;
const CALLS_AT_ONCE = 16;
const PARTITIONS = 4;
const LATENCY_ROUNDS = 200;
const log = pino({ level: "error" });

type Row = Readonly<Record<string, string | number>>;

const rows: Row[] = [await embedded()];
const onKafka = await kafka();
if (onKafka !== undefined) rows.push(onKafka);
console.table(rows);

async function embedded(): Promise<Row> {
  const dir = mkdtempSync(join(tmpdir(), "wache-bench-bus-"));
  const bus = openEmbeddedBus({ dir, clock: systemClock });
  try {
    return await measure("embedded", bus);
  } finally {
    await bus.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function kafka(): Promise<Row | undefined> {
  const server = await startKafka();
  if ("skip" in server) {
    console.log(`Kafka is left out: ${server.skip}`);
    return undefined;
  }
  try {
    const options = { clientId: "bench", prefix: "bench", replicationFactor: 1, ssl: false };
    const bus = await openKafkaBus(
      { ...options, brokers: server.brokers },
      { log, clock: systemClock },
    );
    const row = await measure("kafka", bus);
    await bus.close();
    return row;
  } finally {
    await server.stop();
  }
}

async function measure(name: string, bus: Bus): Promise<Row> {
  const spec = {
    name: TOPIC.events,
    partitions: PARTITIONS,
    retentionMs: 3_600_000,
    compacted: false,
  };
  await bus.ensureTopics([spec]);
  await produceAll(bus, RECORDS / 10); // warm
  const produceS = await seconds(() => produceAll(bus, RECORDS));
  const stored = RECORDS + RECORDS / 10;
  const consumeS = await seconds(() => consumeAll(bus, stored));
  const readS = await seconds(() => readAll(bus));
  const latencies = await latencyMs(bus);
  const cpu = await idleCpuPercent(bus);
  return {
    bus: name,
    "produce/s": Math.round(RECORDS / produceS),
    "consume/s": Math.round(stored / consumeS),
    "read/s": Math.round(stored / readS),
    "latency p50 ms": Number(quantile(latencies, 0.5).toFixed(1)),
    "p99 ms": Number(quantile(latencies, 0.99).toFixed(1)),
    "idle CPU % (one consumer)": cpu,
    "RSS MB": Math.round(process.memoryUsage.rss() / 1e6),
  };
}

async function produceAll(bus: Bus, count: number): Promise<void> {
  const message = "x".repeat(950);
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const first = next;
      next += CALL_RECORDS;
      await bus.produce(
        Array.from({ length: CALL_RECORDS }, (_, i): OutRecord => {
          const n = first + i;
          return { topic: TOPIC.events, key: `host-${n % 1000}`, value: { n, message } };
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, worker));
}

async function consumeAll(bus: Bus, count: number): Promise<void> {
  const all = Promise.withResolvers<void>();
  let seen = 0;
  const consumer = await bus.consume({
    group: "all",
    topic: TOPIC.events,
    onBatch: async ({ partition, records }, self) => {
      for (const { value } of records) if (value !== undefined) seen += 1;
      await self.commit(partition, (records.at(-1)?.offset ?? -1) + 1);
      if (seen >= count) all.resolve();
    },
  });
  await all.promise;
  await consumer.close();
}

async function readAll(bus: Bus): Promise<void> {
  for (let p = 0; p < PARTITIONS; p++) {
    for await (const { value } of bus.read(TOPIC.events, p, 0)) if (value === undefined) return;
  }
}

/** From the call of produce to the consumer's handler, one record at a time. */
async function latencyMs(bus: Bus): Promise<number[]> {
  const latencies: number[] = [];
  let arrived = () => {};
  const consumer = await bus.consume({
    group: "all",
    topic: TOPIC.events,
    onBatch: async () => arrived(),
  });
  for (let round = 0; round < LATENCY_ROUNDS; round++) {
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const startMs = performance.now();
    const done = bus.produce([{ topic: TOPIC.events, key: `k${round}`, value: round }]);
    await arrival;
    latencies.push(performance.now() - startMs);
    await done;
  }
  await consumer.close();
  return latencies.slice(LATENCY_ROUNDS / 10).sort((a, b) => a - b);
}

async function idleCpuPercent(bus: Bus): Promise<number> {
  const consumer = await bus.consume({
    group: "all",
    topic: TOPIC.events,
    onBatch: async () => {},
  });
  const before = process.cpuUsage();
  const startMs = performance.now();
  await systemClock.sleep(5000);
  const { user, system } = process.cpuUsage(before);
  const spentMs = performance.now() - startMs;
  await consumer.close();
  return Number(((user + system) / 10 / spentMs).toFixed(2));
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}

import fc from "fast-check";
import { Partitioners } from "kafkajs";
import { expect, test } from "vitest";
import { partitionOf } from "./partitioner.ts";

const kafkajs = Partitioners.DefaultPartitioner();
const byKafkajs = (key: string, partitions: number): number =>
  kafkajs({
    topic: "t",
    message: { key, value: null },
    partitionMetadata: Array.from({ length: partitions }, (_, partitionId) => ({
      partitionId,
      partitionErrorCode: 0,
      leader: 1,
      replicas: [1],
      isr: [1],
    })),
  });

// The hashes that Apache Kafka's own tests expect.
test.for([
  { key: "21", partitions: 1000, murmur2: -973932308 },
  { key: "foobar", partitions: 1000, murmur2: -790332482 },
  { key: "a-little-bit-long-string", partitions: 1000, murmur2: -985981536 },
  { key: "a-little-bit-longer-string", partitions: 1000, murmur2: -1486304829 },
  { key: "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", partitions: 1000, murmur2: -58897971 },
  { key: "abc", partitions: 1000, murmur2: 479470107 },
])("partitionOf: $key as Kafka has it", ({ key, partitions, murmur2 }) => {
  expect(partitionOf(key, partitions)).toBe((murmur2 & 0x7fffffff) % partitions);
});

test.for([
  "",
  "a",
  "ab",
  "abc",
  "abcd",
  "héllo",
  "日本語のログ",
  "🛡️",
  "\u0000",
  "\ud800",
  "x".repeat(10_001),
])("partitionOf: the key %j as kafkajs has it", (key) => {
  for (const partitions of [1, 2, 3, 4, 7, 64, 256]) {
    expect(partitionOf(key, partitions)).toBe(byKafkajs(key, partitions));
  }
});

test("partitionOf: any key as kafkajs has it", () => {
  const anyKey = fc.string({ unit: "binary", maxLength: 64 });
  fc.assert(
    fc.property(anyKey, fc.integer({ min: 1, max: 256 }), (key, partitions) => {
      expect(partitionOf(key, partitions)).toBe(byKafkajs(key, partitions));
    }),
    { numRuns: 2000 },
  );
});

test("partitionOf: a thousand keys reach each of 16 partitions", () => {
  const reached = new Set(Array.from({ length: 1000 }, (_, n) => partitionOf(`host-${n}`, 16)));
  expect([...reached].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, p) => p));
});

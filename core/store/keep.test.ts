import { expect, test } from "vitest";
import type { Bus, ConsumeOptions, Consumer } from "../bus/bus.ts";
import { systemClock } from "../clock.ts";
import { createLog } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import { TOPIC } from "../records.ts";
import { startKeep } from "./keep.ts";
import type { Store } from "./store.ts";

test("stopped while the store is away, it commits nothing past what the store took", async () => {
  const commits: number[] = [];
  let given: ConsumeOptions | undefined;
  const consumer: Consumer = {
    commit: async (_partition, next) => void commits.push(next),
    close: async () => {},
  };
  const bus: Partial<Bus> = {
    consume: async (options) => {
      given = options;
      return consumer;
    },
    produce: async () => {},
  };
  const refused = Promise.withResolvers<void>();
  let isAway = false;
  const taken: unknown[] = [];
  const store: Partial<Store> = {
    putDocuments: async (_into, documents) => {
      if (isAway) {
        refused.resolve();
        throw new Error("the store is away");
      }
      taken.push(...documents.map(({ id }) => id));
    },
  };
  const keep = await startKeep(
    {
      bus: bus as Bus,
      store: store as Store,
      clock: systemClock,
      log: createLog({ level: "silent" }),
      metrics: createMetrics({ version: "test" }),
      status: { set: () => {}, all: () => ({}) },
    },
    { group: "keep-findings", topic: TOPIC.findings, into: "findings" },
  );
  const batch = async (offset: number) => {
    const value = { id: `f${offset}`, revision: 1 };
    const at = { topic: TOPIC.findings, partition: 0 };
    const record = { ...at, offset, key: "k", value, text: JSON.stringify(value), timestampMs: 0 };
    await given?.onBatch({ ...at, records: [record] }, consumer);
  };
  await batch(0);
  isAway = true;
  const second = batch(1);
  await refused.promise;
  const stopped = keep.stop();
  await second;
  isAway = false;
  await batch(2);
  await stopped;
  expect(taken).toEqual(["f0"]);
  expect(new Set(commits)).toEqual(new Set([1]));
});

test("of a partition that went to another member, it commits nothing when it stops", async () => {
  const commits: (readonly [partition: number, next: number])[] = [];
  let given: ConsumeOptions | undefined;
  const consumer: Consumer = {
    commit: async (partition, next) => void commits.push([partition, next]),
    close: async () => {},
  };
  const bus: Partial<Bus> = {
    consume: async (options) => {
      given = options;
      return consumer;
    },
    produce: async () => {},
  };
  const keep = await startKeep(
    {
      bus: bus as Bus,
      store: { putDocuments: async () => {} } as Partial<Store> as Store,
      clock: systemClock,
      log: createLog({ level: "silent" }),
      metrics: createMetrics({ version: "test" }),
      status: { set: () => {}, all: () => ({}) },
    },
    { group: "keep-findings", topic: TOPIC.findings, into: "findings" },
  );
  const batch = async (partition: number, offset: number) => {
    const value = { id: `f${offset}`, revision: 1 };
    const at = { topic: TOPIC.findings, partition };
    const record = { ...at, offset, key: "k", value, text: JSON.stringify(value), timestampMs: 0 };
    await given?.onBatch({ ...at, records: [record] }, consumer);
  };
  await given?.onAssigned?.([0, 1], consumer);
  await batch(0, 0);
  await batch(1, 4);
  await given?.onAssigned?.([1], consumer);
  await given?.onAssigned?.([0, 1], consumer);
  commits.length = 0;
  await keep.stop();
  expect(commits).toEqual([[1, 5]]);
});

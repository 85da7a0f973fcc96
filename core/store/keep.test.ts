import { expect, test } from "vitest";
import type { Bus, ConsumeOptions, Consumer } from "../bus/bus.ts";
import { systemClock } from "../clock.ts";
import { createLog } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import { TOPIC } from "../records.ts";
import { startKeep } from "./keep.ts";
import type { Store } from "./store.ts";

/** Findings are kept from a bus that does what the test says, into such a store. */
async function keeping(store: Partial<Store>) {
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
      store: store as Store,
      clock: systemClock,
      log: createLog({ level: "silent" }),
      metrics: createMetrics({ version: "test" }),
      status: { set: () => {}, all: () => ({}) },
    },
    { group: "keep-findings", topic: TOPIC.findings, into: "findings" },
  );
  return {
    commits,
    stop: () => keep.stop(),
    assigned: async (partitions: readonly number[]) => given?.onAssigned?.(partitions, consumer),
    batch: async (partition: number, offset: number) => {
      const value = { id: `f${offset}`, revision: 1 };
      const at = { topic: TOPIC.findings, partition };
      const text = JSON.stringify(value);
      const record = { ...at, offset, key: "k", value, text, timestampMs: 0 };
      await given?.onBatch({ ...at, records: [record] }, consumer);
    },
  };
}

test("stopped while the store is away, it commits nothing past what the store took", async () => {
  const refused = Promise.withResolvers<void>();
  let isAway = false;
  const taken: unknown[] = [];
  const { commits, stop, batch } = await keeping({
    putDocuments: async (_into, documents) => {
      if (isAway) {
        refused.resolve();
        throw new Error("the store is away");
      }
      taken.push(...documents.map(({ id }) => id));
    },
  });
  await batch(0, 0);
  isAway = true;
  const second = batch(0, 1);
  await refused.promise;
  const stopped = stop();
  await second;
  isAway = false;
  await batch(0, 2);
  await stopped;
  expect(taken).toEqual(["f0"]);
  expect(new Set(commits.map(([, next]) => next))).toEqual(new Set([1]));
});

test("of a partition that went to another member, it commits nothing when it stops", async () => {
  const { commits, stop, assigned, batch } = await keeping({ putDocuments: async () => {} });
  await assigned([0, 1]);
  await batch(0, 0);
  await batch(1, 4);
  await assigned([1]);
  await assigned([0, 1]);
  commits.length = 0;
  await stop();
  expect(commits).toEqual([[1, 5]]);
});

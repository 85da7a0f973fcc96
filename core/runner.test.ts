// A processor that sums, on a real bus: what its state holds, and what it says when the log no longer gives that.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Bus, OutRecord } from "./bus/bus.ts";
import { type EmbeddedBus, openEmbeddedBus } from "./bus/embedded.ts";
import { randomId, systemClock } from "./clock.ts";
import { createLog } from "./log.ts";
import type { ProcessorSpec } from "./processor.ts";
import { TOPIC } from "./records.ts";
import { runProcessor } from "./runner.ts";
import { forgetSnapshots, loadSnapshot, saveSnapshot } from "./snapshot.ts";

const DAY_MS = 86_400_000;
const CHUNK = "x".repeat(200_000); // two of them do not fit one chunk

/** Puts out the sum so far after each record, so only the whole state says the right one. Snapshots after each batch. */
const summing: ProcessorSpec = {
  name: "summing",
  version: 1,
  topic: TOPIC.signals,
  snapshotEveryMs: 0,
  make: (_partition, parts) => {
    let sum = Number(parts?.[0] ?? 0);
    return {
      process: (record, out) => {
        sum += Number(record.value);
        out.push({ topic: TOPIC.findings, key: String(record.offset), value: sum });
      },
      snapshot: () => [String(sum)],
    };
  },
};

type World = { readonly bus: EmbeddedBus; readonly said: string[]; nowMs: number };

async function world(): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), "wache-runner-"));
  const clock = { ...systemClock, now: () => at.nowMs };
  const at: World = { bus: openEmbeddedBus({ dir, clock }), said: [], nowMs: 1_000_000 };
  onTestFinished(async () => {
    await at.bus.close();
    rmSync(dir, { recursive: true });
  });
  const topic = { partitions: 1, compacted: false };
  await at.bus.ensureTopics([
    { ...topic, name: TOPIC.signals, retentionMs: 1000 },
    { ...topic, name: TOPIC.findings, retentionMs: DAY_MS },
    { ...topic, name: TOPIC.state, retentionMs: DAY_MS, compacted: true },
  ]);
  return at;
}

const started = (at: World, bus: Bus = at.bus, spec: ProcessorSpec = summing) =>
  runProcessor(spec, {
    bus,
    random: randomId,
    clock: { ...systemClock, now: () => at.nowMs },
    log: createLog({ level: "warn", write: (line) => void at.said.push(JSON.parse(line).msg) }),
  });

/** Sends each number as a batch of its own and waits for the sum after it; the last one's. */
async function sumAfter(at: World, numbers: readonly number[]): Promise<unknown> {
  let last: unknown;
  for (const value of numbers) {
    await at.bus.produce([{ topic: TOPIC.signals, key: "k", value }]);
    const [lag] = await at.bus.lag([{ group: "summing", topic: TOPIC.signals }]);
    const offset = String((lag?.end ?? 0) - 1);
    await expect
      .poll(async () => {
        last = undefined;
        for await (const said of at.bus.read(TOPIC.findings, 0, 0))
          if (said.key === offset) last = said.value;
        return last;
      })
      .toBeDefined();
  }
  return last;
}

/** Leaves of the log what nobody has read, and the newest record. */
function forget(at: World): void {
  at.nowMs += 10_000;
  at.bus.expire();
}

test("a snapshot carries what the bus has removed", async () => {
  const at = await world();
  const first = await started(at);
  await sumAfter(at, [1, 2, 3]);
  await first.stop();
  forget(at);
  const second = await started(at);
  expect(await sumAfter(at, [4])).toBe(10);
  await second.stop();
  expect(at.said).toEqual([]);
});

test("without its snapshot the log gives the state; where the log is cut too, that is said", async () => {
  const at = await world();
  const without = async () => {
    for await (const { key } of at.bus.read(TOPIC.state, 0, 0))
      await at.bus.produce([{ topic: TOPIC.state, key, value: null }]);
    return started(at);
  };
  const first = await started(at);
  await sumAfter(at, [1, 2, 3]);
  await first.stop();
  const second = await without();
  expect(await sumAfter(at, [4])).toBe(10);
  await second.stop();
  expect(at.said).toEqual([]);
  forget(at);
  const third = await without();
  expect(await sumAfter(at, [5]), "the newest record stays in the log").toBe(9);
  await third.stop();
  expect(at.said).toEqual([
    "summing: records are missing: it has no snapshot, and the bus does not have them any more",
  ]);
});

test("a snapshot that ends before what the log still has: that is said", async () => {
  const at = await world();
  const first = await started(at);
  await sumAfter(at, [1]);
  await first.stop();
  await at.bus.produce([2, 3, 4].map((value) => ({ topic: TOPIC.signals, key: "k", value })));
  const other = await at.bus.consume({
    group: "summing",
    topic: TOPIC.signals,
    onBatch: async () => {},
  });
  await other.commit(0, 4);
  await other.close();
  await at.bus.produce([{ topic: TOPIC.signals, key: "k", value: 5 }]);
  forget(at);
  const second = await started(at);
  expect(await sumAfter(at, [6])).toBe(12);
  await second.stop();
  expect(at.said).toEqual([
    "summing: records are missing: its snapshot ends before them, and the bus does not have them any more",
  ]);
});

test("records go while they are read again, as another member took them: its snapshot is loaded", async () => {
  const at = await world();
  const first = await started(at);
  await sumAfter(at, [1, 2, 3]);
  await first.stop();
  for await (const { key } of at.bus.read(TOPIC.state, 0, 0))
    await at.bus.produce([{ topic: TOPIC.state, key, value: null }]);
  let reads = 0;
  const bus = over(at.bus, {
    read: async function* (topic, partition, from) {
      if (topic === TOPIC.signals && reads++ === 0) {
        await saveSnapshot(at.bus, summing, 0, { name: "another", next: 3, parts: ["6"] });
        forget(at);
      }
      yield* at.bus.read(topic, partition, from);
    },
  });
  const second = await started(at, bus);
  expect(await sumAfter(at, [4])).toBe(10);
  await second.stop();
  expect([reads, at.said]).toEqual([1, []]);
});

test("a snapshot replaces those before it, after its commit, and no key is written twice", async () => {
  const at = await world();
  const written: string[] = [];
  const bus = over(at.bus, {
    produce: async (records) => {
      for (const { topic, key, value } of records)
        if (topic === TOPIC.state && value !== null) written.push(key);
      await at.bus.produce(records);
    },
  });
  const names = async (): Promise<Set<string | undefined>> => {
    const { keys } = await loadSnapshot(at.bus, summing, 0);
    return new Set(keys.map(({ key }) => key.split("/")[2]));
  };
  const first = await started(at, bus);
  await sumAfter(at, [1, 2, 3]);
  await first.stop();
  const before = await names();
  expect(before.size).toBe(1);
  const second = await started(at, bus);
  expect(await names()).toEqual(before);
  await sumAfter(at, [4]);
  await second.stop();
  const after = await names();
  expect(after.size).toBe(1);
  expect(after).not.toEqual(before);
  expect(written.length).toBe(8); // a chunk and a manifest each
  expect(new Set(written).size).toBe(written.length);
});

test("one that a forerunner still writes, further on, is not forgotten until it is covered", async () => {
  const at = await world();
  const records: OutRecord[] = [];
  const held = over(at.bus, { produce: async (some) => void records.push(...some) });
  await saveSnapshot(held, summing, 0, { name: "forerunner", next: 4, parts: ["10"] });
  const [chunk, manifest] = records;
  if (!chunk || !manifest) throw new Error("a chunk and a manifest");
  await at.bus.produce([chunk]);
  const successor = await started(at);
  await sumAfter(at, [1, 2]);
  await at.bus.produce([manifest]);
  expect(await loadSnapshot(at.bus, summing, 0)).toMatchObject({ next: 4, parts: ["10"] });
  await sumAfter(at, [3, 4]);
  await successor.stop();
  const { next, parts, keys } = await loadSnapshot(at.bus, summing, 0);
  expect({ next, parts }).toEqual({ next: 4, parts: ["10"] });
  const left = { key: "summing/0/forerunner/manifest", next: 4 }; // of what came after its loading it does not know
  expect(keys.filter(({ key }) => key.includes("forerunner"))).toEqual([left]);
});

test.for([
  { name: "nothing", parts: [] },
  { name: "an empty part", parts: [""] },
  { name: "small parts", parts: ["a", "b", "", "c"] },
  { name: "one as large as a chunk, between others", parts: ["a", "x".repeat(262_144), "b"] },
  { name: "one that is a character larger", parts: ["a", "x".repeat(262_145), "b"] },
  {
    name: "one of several chunks, cut within characters",
    parts: ["a", "\u{1F513}x".repeat(400_000)],
  },
  { name: "large ones after one another", parts: ["1", "2"].map((n) => n.repeat(900_000)) },
])("a snapshot of $name comes back as it was, in records of half a megabyte", async ({ parts }) => {
  const at = await world();
  await saveSnapshot(at.bus, summing, 0, { name: "p", next: 3, parts });
  expect((await loadSnapshot(at.bus, summing, 0)).parts).toEqual(parts);
  for await (const { text } of at.bus.read(TOPIC.state, 0, 0))
    expect(text.length).toBeLessThanOrEqual(524_288);
});

test("two owners that snapshot at once: the later of the complete ones is loaded, and what is left goes", async () => {
  const at = await world();
  const hold = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const slow = over(at.bus, {
    produce: async (records) => {
      await at.bus.produce(records);
      held.resolve();
      await hold.promise;
    },
  });
  const parts = (name: string) => [`${name}0${CHUNK}`, `${name}1${CHUNK}`];
  const old = saveSnapshot(slow, summing, 0, { name: "p", next: 7, parts: parts("old") });
  await held.promise; // its first chunk is written
  await saveSnapshot(at.bus, summing, 0, { name: "q", next: 5, parts: parts("new") });
  expect(await loadSnapshot(at.bus, summing, 0)).toMatchObject({ next: 5, parts: parts("new") });
  hold.resolve();
  await old;
  const found = await loadSnapshot(at.bus, summing, 0);
  expect(found).toMatchObject({ next: 7, parts: parts("old") });
  await saveSnapshot(at.bus, summing, 0, { name: "r", next: 9, parts: ["whole"] });
  await forgetSnapshots(at.bus, 0, found.keys);
  expect(await loadSnapshot(at.bus, summing, 0)).toEqual({
    next: 9,
    parts: ["whole"],
    keys: ["summing/0/r/0", "summing/0/r/manifest"].map((key) => ({ key, next: 9 })),
  });
});

test("a save that was refused and is stored all the same, later, does not break the one after it", async () => {
  const at = await world();
  let late: readonly OutRecord[] | undefined;
  const bus: Bus = {
    ...{ kind: at.bus.kind, partitions: (topic) => at.bus.partitions(topic) },
    ...{ read: at.bus.read.bind(at.bus), consume: at.bus.consume.bind(at.bus) },
    ...{ ensureTopics: at.bus.ensureTopics.bind(at.bus), lag: at.bus.lag.bind(at.bus) },
    ...{ check: () => at.bus.check(), close: () => at.bus.close() },
    produce: async (records) => {
      const isSave = records.some(({ topic, value }) => topic === TOPIC.state && value !== null);
      if (!isSave || late !== undefined) return at.bus.produce(records);
      late = records;
      throw new Error("not acknowledged in time");
    },
  };
  const first = await started(at, bus, { ...summing, snapshotEveryMs: 1000 });
  at.nowMs += 1000;
  await sumAfter(at, [1, 2, 3]); // what is refused holds the first
  expect(late).toBeDefined();
  at.nowMs += 1000;
  await sumAfter(at, [4]);
  await first.stop();
  await at.bus.produce(late ?? []);
  forget(at);
  const second = await started(at);
  expect(await sumAfter(at, [5])).toBe(15);
  await second.stop();
  expect(at.said).toEqual([]);
});

test("stopped while state is loaded in vain, it stops", async () => {
  const at = await world();
  const loading = Promise.withResolvers<void>();
  const away = Promise.withResolvers<void>();
  const bus = over(at.bus, {
    consume: async ({ onAssigned }) => {
      const consumer = { commit: async () => {}, close: async () => {} };
      onAssigned?.([0], consumer).catch(() => {});
      return consumer;
    },
    // biome-ignore lint/correctness/useYield: it never gets so far
    read: async function* () {
      loading.resolve();
      await away.promise;
      throw new Error("the bus is away");
    },
  });
  const running = await started(at, bus);
  await loading.promise;
  const stopped = running.stop();
  away.resolve();
  await stopped;
});

const over = (bus: Bus, more: Partial<Bus>): Bus => ({
  kind: bus.kind,
  partitions: (topic) => bus.partitions(topic),
  ensureTopics: (specs) => bus.ensureTopics(specs),
  produce: (records: readonly OutRecord[]) => bus.produce(records),
  consume: (options) => bus.consume(options),
  read: (topic, partition, from) => bus.read(topic, partition, from),
  lag: (groups) => bus.lag(groups),
  check: () => bus.check(),
  close: () => bus.close(),
  ...more,
});

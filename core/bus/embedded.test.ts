import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../clock.ts";
import { TOPIC } from "../records.ts";
import { busContract } from "./bus.contract.ts";
import { openEmbeddedBus } from "./embedded.ts";

const folder = (): string => mkdtempSync(join(tmpdir(), "wache-bus-"));
const remove = (dir: string) => rmSync(dir, { recursive: true, force: true });
const openAt = (dir: string, now = systemClock.now) =>
  openEmbeddedBus({ dir, clock: { ...systemClock, now } });

busContract("embedded bus", async () => {
  const dir = folder();
  let bus = openAt(dir);
  return {
    bus,
    reopen: async () => {
      await bus.close();
      bus = openAt(dir);
      return bus;
    },
    dispose: async () => {
      await bus.close();
      remove(dir);
    },
  };
});

test("retention removes what every group has read and nothing else", async () => {
  const dir = folder();
  onTestFinished(() => remove(dir));
  let nowMs = 1_000_000;
  const spec = { name: TOPIC.events, partitions: 1, retentionMs: 1000, compacted: false };
  const bus = openAt(dir, () => nowMs);
  onTestFinished(() => bus.close());
  await bus.ensureTopics([spec]);
  const reader = await bus.consume({ group: "slow", topic: TOPIC.events, onBatch: async () => {} });
  for (const value of [1, 2, 3]) {
    await bus.produce([{ topic: TOPIC.events, key: "k", value }]);
    nowMs += 2000;
  }
  const kept = async () => {
    const values: unknown[] = [];
    for await (const { value } of bus.read(TOPIC.events, 0, 0)) values.push(value);
    return values;
  };
  bus.expire();
  expect(await kept()).toEqual([1, 2, 3]);
  await reader.commit(0, 1);
  bus.expire();
  expect(await kept()).toEqual([2, 3]);
  await reader.commit(0, 3);
  bus.expire();
  expect(await kept(), "the newest row stays, so that offsets go on").toEqual([3]);
});

test("old records that cannot be removed now stay until they can", async () => {
  const dir = folder();
  onTestFinished(() => remove(dir));
  let nowMs = 1_000_000;
  let expire = (): void => {};
  const every = (_: number, run: () => void) => {
    expire = run;
    return () => {};
  };
  const said: string[] = [];
  const bus = openEmbeddedBus({
    dir,
    clock: { ...systemClock, now: () => nowMs, every },
    warn: (text) => said.push(text),
  });
  onTestFinished(() => bus.close());
  await bus.ensureTopics([
    { name: TOPIC.events, partitions: 1, retentionMs: 1000, compacted: false },
  ]);
  for (const value of [1, 2]) await bus.produce([{ topic: TOPIC.events, key: "k", value }]);
  nowMs += 2000;
  const kept = async () => {
    const values: unknown[] = [];
    for await (const { value } of bus.read(TOPIC.events, 0, 0)) values.push(value);
    return values;
  };
  const other = new DatabaseSync(join(dir, "bus.db"));
  const [table] = other
    .prepare("SELECT name FROM sqlite_master WHERE name LIKE 'log!_%!_0' ESCAPE '!'")
    .all();
  other.exec(
    `CREATE TRIGGER full BEFORE DELETE ON ${table?.["name"]} BEGIN SELECT RAISE(FAIL, 'disk is full'); END`,
  );
  expire();
  expect([await kept(), said.length]).toEqual([[1, 2], 1]);
  other.exec("DROP TRIGGER full");
  other.close();
  expire();
  expect([await kept(), said.length]).toEqual([[2], 1]);
});

test("what removed a key of a compacted topic goes in time, and the keys that are there stay", async () => {
  const dir = folder();
  onTestFinished(() => remove(dir));
  let nowMs = 1_000_000;
  const bus = openAt(dir, () => nowMs);
  onTestFinished(() => bus.close());
  await bus.ensureTopics([
    { name: TOPIC.state, partitions: 1, retentionMs: 1000, compacted: true },
  ]);
  for (const [key, value] of [
    ["a", 1],
    ["b", 2],
    ["a", null],
    ["c", 3],
  ] as const)
    await bus.produce([{ topic: TOPIC.state, key, value }]);
  const kept = async () => {
    const found: unknown[] = [];
    for await (const { key, value } of bus.read(TOPIC.state, 0, 0)) found.push([key, value]);
    return found;
  };
  bus.expire();
  expect(await kept()).toEqual([
    ["b", 2],
    ["a", undefined],
    ["c", 3],
  ]);
  nowMs += 2000;
  bus.expire();
  expect(await kept()).toEqual([
    ["b", 2],
    ["c", 3],
  ]);
});

test("how often it looks for what may go follows from the shortest retention", async () => {
  const dir = folder();
  onTestFinished(() => remove(dir));
  const everyMs: number[] = [];
  const every = (ms: number) => {
    everyMs.push(ms);
    return () => {};
  };
  const bus = openEmbeddedBus({ dir, clock: { ...systemClock, every } });
  onTestFinished(() => bus.close());
  const spec = { name: TOPIC.events, partitions: 1, compacted: false };
  for (const retentionMs of [7 * 86_400_000, 2_400_001, 2_400_000, 1000, 400, 399, 0])
    await bus.ensureTopics([{ ...spec, retentionMs }]);
  expect(everyMs).toEqual([600_000, 600_000, 600_000, 250, 100, 100, 100]);
});

// bus.contract.ts — what every bus must do; each implementation's test calls it with a way to make one.
import { describe, expect, onTestFinished, test } from "vitest";
import { TOPIC } from "../records.ts";
import type { Bus, TopicSpec } from "./bus.ts";
import { describeClose, describeGroups, describeMembers } from "./bus-groups.contract.ts";
import {
  allPartitions,
  EVENTS,
  everything,
  expectedByPartition,
  follow,
  gather,
  type Open,
  PARTITIONS,
  place,
  record,
  valuesByPartition,
} from "./fixtures/bus-contract-kit.ts";
import { partitionOf } from "./partitioner.ts";

export type BusUnderTest = {
  readonly bus: Bus; // without topics
  /** Closes what is open and opens the bus again on the same data. */
  readonly reopen: () => Promise<Bus>;
  readonly dispose: () => Promise<void>;
};

const STATE = TOPIC.state;
const TEST_MS_MAX = 40_000;
const BIG_CHARS = 300_000;
const OVERSIZE_CHARS = 17_000_000;

const specs: readonly TopicSpec[] = [
  { name: EVENTS, partitions: PARTITIONS, retentionMs: 3_600_000, compacted: false },
  { name: STATE, partitions: 2, retentionMs: 3_600_000, compacted: true },
];

export function busContract(name: string, make: () => Promise<BusUnderTest>): void {
  const open = async () => {
    const made = await make();
    onTestFinished(() => made.dispose());
    await made.bus.ensureTopics(specs);
    const reopen = async () => {
      const bus = await made.reopen();
      await bus.ensureTopics(specs);
      return bus;
    };
    return { bus: made.bus, reopen };
  };
  describe(name, { timeout: TEST_MS_MAX }, () => {
    describeTopics(open);
    describeProduce(open);
    describeRead(open);
    describeGroups(open);
    describeMembers(open);
    describeClose(open);
  });
}

function describeTopics(open: Open): void {
  test("a topic that is there keeps its partitions, a missing one is made", async () => {
    const { bus } = await open();
    await bus.ensureTopics([
      { name: EVENTS, partitions: 9, retentionMs: 1000, compacted: false },
      { name: TOPIC.signals, partitions: 3, retentionMs: 1000, compacted: false },
    ]);
    expect([EVENTS, STATE, TOPIC.signals].map((topic) => bus.partitions(topic))).toEqual([4, 2, 3]);
  });

  test("a topic that nobody made is refused", async () => {
    const { bus } = await open();
    const refused = { code: "bus.unknown-topic" };
    expect(() => bus.partitions(TOPIC.findings)).toThrow(expect.objectContaining(refused));
    await expect(bus.produce([record("a", 1, { topic: TOPIC.findings })])).rejects.toMatchObject(
      refused,
    );
  });

  test("a working bus passes its check", async () => {
    const { bus } = await open();
    expect(await bus.check()).toBeUndefined();
  });
}

function describeProduce(open: Open): void {
  test("records of one partition keep the order of calls that were not waited for", async () => {
    const { bus } = await open();
    const sent = Array.from({ length: 900 }, (_, n) => record(`key-${n % 7}`, n));
    const calls: Promise<void>[] = [];
    for (let from = 0; from < sent.length; from += 3) {
      calls.push(bus.produce(sent.slice(from, from + 3)));
    }
    await Promise.all(calls);
    expect(await valuesByPartition(bus)).toEqual(expectedByPartition(sent));
  });

  test("what produce resolved for is there after a restart, with consecutive offsets", async () => {
    const { bus, reopen } = await open();
    await bus.produce([record("a", { n: 1 }), record("b", { n: 2 })]);
    await bus.produce([record("a", { n: 3 })]);
    const before = await everything(bus);
    const after = await everything(await reopen());
    expect(after).toEqual(before);
    const p = partitionOf("a", PARTITIONS);
    expect(after.filter(({ key }) => key === "a")).toEqual([
      { partition: p, offset: 0, key: "a", value: { n: 1 }, text: '{"n":1}' },
      {
        partition: p,
        offset: p === partitionOf("b", PARTITIONS) ? 2 : 1,
        key: "a",
        value: { n: 3 },
        text: '{"n":3}',
      },
    ]);
  });

  test.for([
    {
      what: "an object with other scripts",
      value: { Grüße: "日本語 🛡️", nested: [1, { a: null }] },
    },
    { what: "line breaks, tabs and controls", value: "a\nb\tc\r\n\u0000\u2028" },
    { what: "a lone surrogate", value: "\ud800" },
    { what: "a number", value: -1.5e300 },
    { what: "false", value: false },
    { what: "an empty string", value: "" },
    { what: "an empty list", value: [] },
  ])("$what arrives as it was sent", async ({ value }) => {
    const { bus } = await open();
    await bus.produce([record("k", value)]);
    const p = partitionOf("k", PARTITIONS);
    const text = JSON.stringify(value);
    expect(await everything(bus)).toEqual([{ partition: p, offset: 0, key: "k", value, text }]);
  });

  test("a key decides the partition by Kafka's rule, whatever its script; a named partition wins", async () => {
    const { bus } = await open();
    const keys = ["", "host-1", "Größe", "日本語", "🛡️", "a\tb\nc", "k".repeat(300)];
    const many = Array.from({ length: 100 }, (_, n) => `10.0.0.${n}`);
    const sent = [...keys, ...many].map((key) => record(key, key));
    const named = allPartitions.map((partition) => record("same", partition, { partition }));
    await bus.produce([...sent, ...named]);
    const got = await everything(bus);
    expect(
      got
        .filter(({ key }) => key !== "same")
        .map(place)
        .sort(),
    ).toEqual(
      [...keys, ...many]
        .map((key) => place({ key, partition: partitionOf(key, PARTITIONS) }))
        .sort(),
    );
    expect(got.filter(({ key }) => key === "same").map(({ partition }) => partition)).toEqual(
      allPartitions,
    );
    expect(new Set(got.map(({ partition }) => partition)).size).toBe(PARTITIONS);
  });

  test("a partition that the topic does not have is refused", async () => {
    const { bus } = await open();
    for (const partition of [-1, PARTITIONS, 1.5]) {
      await expect(bus.produce([record("a", 1, { partition })])).rejects.toMatchObject({
        code: "bus.unknown-partition",
      });
    }
    await bus.produce([record("a", 2)]);
    expect((await everything(bus)).map(({ value }) => value)).toEqual([2]);
  });

  test("a record over the limit is refused with topic and size, and nothing of its call is written", async () => {
    const { bus } = await open();
    const oversize = record("big", "x".repeat(OVERSIZE_CHARS));
    await expect(bus.produce([record("a", 1), oversize, record("b", 2)])).rejects.toMatchObject({
      code: "bus.record-too-large",
      message: expect.stringMatching(/wache\.events.*1700\d{4}/),
    });
    await bus.produce([record("a", 3)]);
    expect((await everything(bus)).map(({ value }) => value)).toEqual([3]);
  });

  test("big records among small ones, more than one send holds", async () => {
    const { bus } = await open();
    const sent = Array.from({ length: 24 }, (_, n) =>
      record(`k${n % 2}`, n % 2 === 0 ? { n, big: `${n}`.padStart(BIG_CHARS, "é") } : { n }),
    );
    await Promise.all(sent.map((one) => bus.produce([one])));
    expect(await valuesByPartition(bus)).toEqual(expectedByPartition(sent));
  });

  test("ten thousand small records in one call", async () => {
    const { bus } = await open();
    const sent = Array.from({ length: 10_000 }, (_, n) => record(`host-${n % 251}`, n));
    await bus.produce(sent);
    expect(await valuesByPartition(bus)).toEqual(expectedByPartition(sent));
  });

  test("a call without records resolves", async () => {
    const { bus } = await open();
    await bus.produce([]);
    expect(await everything(bus)).toEqual([]);
  });
}

function describeRead(open: Open): void {
  test("read gives what is from an offset to the end as it was at the call", async () => {
    const { bus } = await open();
    const at = { partition: 1 };
    await bus.produce([0, 1, 2, 3, 4].map((n) => record("k", n, at)));
    const read = async (from: number) =>
      (await gather(bus.read(EVENTS, 1, from))).map(({ offset, value }) => [offset, value]);
    expect(await read(0)).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
    expect(await read(3)).toEqual([
      [3, 3],
      [4, 4],
    ]);
    expect(await read(5)).toEqual([]);
    expect(await read(50)).toEqual([]);
    expect(await gather(bus.read(EVENTS, 2, 0))).toEqual([]);
    const during: unknown[] = [];
    for await (const { value } of bus.read(EVENTS, 1, 0)) {
      if (during.length === 0) await bus.produce([record("k", 5, at), record("k", 6, at)]);
      during.push(value);
    }
    expect(during).toEqual([0, 1, 2, 3, 4]);
    expect(await read(4)).toEqual([
      [4, 4],
      [5, 5],
      [6, 6],
    ]);
  });

  test("reads of several partitions at once do not disturb one another", async () => {
    const { bus } = await open();
    const sent = Array.from({ length: 2000 }, (_, n) =>
      record(`h${n % 97}`, { n, pad: "x".repeat(200) }),
    );
    await bus.produce(sent);
    const [first, second] = await Promise.all([valuesByPartition(bus), valuesByPartition(bus)]);
    expect(first).toEqual(expectedByPartition(sent));
    expect(second).toEqual(first);
  });

  test("a compacted topic gives the newest value of each key; a removed key has no value", async () => {
    const { bus, reopen } = await open();
    const state = (key: string, value: unknown) =>
      record(key, value, { topic: STATE, partition: 0 });
    await bus.produce([state("a", 1), state("b", 1), state("a", 2), state("c", 1)]);
    await bus.produce([state("b", null), state("a", 3)]);
    const newest = async (from: Bus) => {
      const found = new Map<string, unknown>();
      for await (const { key, value, text } of from.read(STATE, 0, 0)) {
        if (text === "") found.delete(key);
        else found.set(key, value);
      }
      return found;
    };
    const want = new Map([
      ["a", 3],
      ["c", 1],
    ]);
    expect(await newest(bus)).toEqual(want);
    const again = await reopen();
    expect(await newest(again)).toEqual(want);
    await again.produce([state("b", 9)]);
    expect(await newest(again)).toEqual(new Map([...want, ["b", 9]]));
  });

  test("lag is the distance from what a group committed to the end", async () => {
    const { bus } = await open();
    await bus.produce([0, 1, 2, 3, 4].map((n) => record("k", n, { partition: 2 })));
    await bus.produce([record("k", 5, { partition: 0 })]);
    const group = await follow(bus, "lagging");
    await group.until("all six", (seen) => seen.length === 6);
    await group.consumer.commit(2, 3);
    const asked = [
      { group: "lagging", topic: EVENTS },
      { group: "never-seen", topic: STATE },
    ];
    expect(await bus.lag(asked)).toEqual([
      { ...asked[0], partition: 0, committed: 0, end: 1 },
      { ...asked[0], partition: 1, committed: 0, end: 0 },
      { ...asked[0], partition: 2, committed: 3, end: 5 },
      { ...asked[0], partition: 3, committed: 0, end: 0 },
      { ...asked[1], partition: 0, committed: 0, end: 0 },
      { ...asked[1], partition: 1, committed: 0, end: 0 },
    ]);
    await group.consumer.close();
  });
}

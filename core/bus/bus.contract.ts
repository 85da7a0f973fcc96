// bus.contract.ts — what every bus must do; each implementation's test calls it with a way to make one.
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { TOPIC, type TopicName } from "../records.ts";
import type { Batch, Bus, BusRecord, ConsumeOptions, OutRecord, TopicSpec } from "./bus.ts";
import { partitionOf } from "./partitioner.ts";

export type BusUnderTest = {
  readonly bus: Bus; // without topics
  /** Closes what is open and opens the bus again on the same data. */
  readonly reopen: () => Promise<Bus>;
  readonly dispose: () => Promise<void>;
};

const EVENTS = TOPIC.events;
const STATE = TOPIC.state;
const PARTITIONS = 4;
const WAIT_MS_MAX = 25_000;
const TEST_MS_MAX = 40_000;
const BIG_CHARS = 300_000;
const OVERSIZE_CHARS = 17_000_000;

const specs: readonly TopicSpec[] = [
  { name: EVENTS, partitions: PARTITIONS, retentionMs: 3_600_000, compacted: false },
  { name: STATE, partitions: 2, retentionMs: 3_600_000, compacted: true },
];
const allPartitions = [0, 1, 2, 3];

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

type Open = () => Promise<{ readonly bus: Bus; readonly reopen: () => Promise<Bus> }>;

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

function describeGroups(open: Open): void {
  test("a new group begins at the oldest record and goes on with what comes", async () => {
    const { bus } = await open();
    const sent = Array.from({ length: 500 }, (_, n) => record(`h${n % 31}`, n));
    await bus.produce(sent.slice(0, 300));
    const group = await follow(bus, "g");
    await group.until("the first 300", (seen) => seen.length >= 300);
    await bus.produce(sent.slice(300));
    await group.until("all 500", (seen) => seen.length >= 500);
    expect(byPartition(group.seen)).toEqual(expectedByPartition(sent));
    expect(group.atOnceMost).toBe(1);
  });

  test("after a restart a group goes on from its commit; what was not committed comes again", async () => {
    const { bus, reopen } = await open();
    const sent = Array.from({ length: 10 }, (_, n) => record("k", n, { partition: 3 }));
    await bus.produce(sent.slice(0, 6));
    const first = await follow(bus, "g");
    await first.until("six", (seen) => seen.length === 6);
    await first.consumer.commit(3, 4);
    const again = await reopen();
    await again.produce(sent.slice(6));
    const second = await follow(again, "g");
    await second.until("the rest", (seen) => seen.length >= 6);
    expect(second.seen.map(({ offset, value }) => [offset, value])).toEqual(
      [4, 5, 6, 7, 8, 9].map((n) => [n, n]),
    );
  });

  test("two groups do not see one another's commits", async () => {
    const { bus, reopen } = await open();
    await bus.produce([1, 2, 3].map((n) => record("k", n, { partition: 0 })));
    const [one, two] = [await follow(bus, "one"), await follow(bus, "two")];
    await one.until("three", (seen) => seen.length === 3);
    await two.until("three", (seen) => seen.length === 3);
    await one.consumer.commit(0, 3);
    const again = await reopen();
    const [oneAgain, twoAgain] = [await follow(again, "one"), await follow(again, "two")];
    await again.produce([record("k", 4, { partition: 0 })]);
    await oneAgain.until("the new one", (seen) => seen.some(({ value }) => value === 4));
    await twoAgain.until("the new one", (seen) => seen.some(({ value }) => value === 4));
    expect(oneAgain.seen.map(({ value }) => value)).toEqual([4]);
    expect(twoAgain.seen.map(({ value }) => value)).toEqual([1, 2, 3, 4]);
  });

  test("a batch that is rejected comes again, the same one, and then what follows it", async () => {
    const { bus } = await open();
    await bus.produce([0, 1, 2, 3].map((n) => record("k", n, { partition: 1 })));
    const tries: number[][] = [];
    const group = await follow(bus, "g", {
      batchRecordsMax: 2,
      onBatch: async ({ records }) => {
        tries.push(records.map(({ offset }) => offset));
        if (tries.length <= 2) throw new Error("not now");
      },
    });
    await group.until("both batches", (seen) => seen.length === 4);
    await bus.produce([record("k", 4, { partition: 1 })]);
    await group.until("one more", (seen) => seen.length === 5);
    expect(tries).toEqual([[0, 1], [0, 1], [0, 1], [2, 3], [4]]);
  });

  test("no batch is longer than asked for, none is empty", async () => {
    const { bus } = await open();
    const sent = Array.from({ length: 103 }, (_, n) => record("k", n, { partition: 0 }));
    await bus.produce(sent);
    const sizes: number[] = [];
    const group = await follow(bus, "g", {
      batchRecordsMax: 10,
      onBatch: async ({ records }) => {
        sizes.push(records.length);
      },
    });
    await group.until("all", (seen) => seen.length === sent.length);
    expect([Math.min(...sizes) > 0, Math.max(...sizes)]).toEqual([true, 10]);
  });

  test("the assignment is told, and taken, before the first batch", async () => {
    const { bus } = await open();
    await bus.produce(allPartitions.map((partition) => record("k", partition, { partition })));
    const order: string[] = [];
    const group = await follow(bus, "g", {
      onAssigned: async (partitions) => {
        order.push(`assigned ${partitions.join()}`);
        await bus.produce([record("k", "slow", { partition: 0 })]);
        order.push("ready");
      },
      onBatch: async () => {
        order.push("batch");
      },
    });
    await group.until("all", (seen) => seen.length === 5);
    expect(order.slice(0, 3)).toEqual(["assigned 0,1,2,3", "ready", "batch"]);
    expect(order.filter((word) => word !== "batch")).toEqual(["assigned 0,1,2,3", "ready"]);
  });
}

function describeMembers(open: Open): void {
  test("two members share the partitions; what one leaves, the other takes, and nothing is missing", async () => {
    const { bus } = await open();
    const sent = Array.from({ length: 1200 }, (_, n) => record(`h${n % 61}`, n));
    const committing = { onBatch: commitAll };
    const one = await follow(bus, "g", committing);
    await one.untilAssigned("all", (mine) => mine.length === PARTITIONS);
    const two = await follow(bus, "g", committing);
    await two.untilAssigned("half", (mine) => mine.length === PARTITIONS / 2);
    await one.untilAssigned("half", (mine) => mine.length === PARTITIONS / 2);
    expect([...one.assigned, ...two.assigned].sort()).toEqual(allPartitions);
    await bus.produce(sent.slice(0, 600));
    const seen = () => [...one.seen, ...two.seen];
    await one.until("all of 600", () => distinct(seen()) === 600);
    expect(new Set(one.seen.map(({ partition }) => partition))).toEqual(new Set(one.assigned));
    const load = sent.slice(600).map((record) => bus.produce([record]));
    await one.consumer.close();
    await Promise.all(load);
    await two.untilAssigned("all", (mine) => mine.length === PARTITIONS);
    await two.until("all of 1200", () => distinct(seen()) === 1200);
    expect(firstSeen(seen())).toEqual(expectedByPartition(sent));
  });

  test("what a member that left had not committed, the other is given", async () => {
    const { bus } = await open();
    await bus.produce(allPartitions.map((partition) => record("k", partition, { partition })));
    const one = await follow(bus, "g");
    await one.until("all", (seen) => seen.length === PARTITIONS);
    await one.consumer.commit(2, 1);
    const two = await follow(bus, "g");
    await two.untilAssigned("some", (mine) => mine.length > 0);
    await one.consumer.close();
    await two.until("the uncommitted", (seen) => distinct(seen) === 3);
    const got = new Set(two.seen.map(({ partition }) => partition));
    expect([...got].sort()).toEqual([0, 1, 3]);
  });
}

function describeClose(open: Open): void {
  test("a closing member waits for the batch under way, and takes no other", async () => {
    const { bus } = await open();
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    let ended = 0;
    const group = await follow(bus, "g", {
      onBatch: async (batch, consumer) => {
        begun += 1;
        await gate.promise;
        ended += 1;
        await commitAll(batch, consumer);
      },
    });
    await bus.produce([record("k", 1, { partition: 0 })]);
    await vi.waitFor(() => expect(begun).toBe(1), { timeout: WAIT_MS_MAX });
    const closed = group.consumer.close().then(() => [begun, ended]);
    await bus.produce([record("k", 2, { partition: 0 }), record("k", 3, { partition: 1 })]);
    gate.resolve();
    expect(await closed).toEqual([1, 1]);
    expect(
      (await bus.lag([{ group: "g", topic: EVENTS }])).map(({ committed }) => committed),
    ).toEqual([1, 0, 0, 0]);
  });

  test("closed under load: what was acknowledged is there, in order, and every call has ended", async () => {
    const { bus, reopen } = await open();
    const sent = Array.from({ length: 400 }, (_, n) =>
      record(`h${n % 17}`, { n, pad: "x".repeat(2000) }),
    );
    const group = await follow(bus, "g", { onBatch: commitAll });
    const calls = sent.map((one) => bus.produce([one]));
    const outcomes = Promise.allSettled(calls);
    const closing = bus.close();
    const taken = (await outcomes).map(({ status }) => status === "fulfilled");
    await closing;
    await expect(bus.produce([record("late", 1)])).rejects.toMatchObject({ code: "bus.closed" });
    const acknowledged = sent.filter((_, index) => taken[index]);
    const again = await reopen();
    const got = await valuesByPartition(again);
    expect(got.map((values) => values.filter((value) => isOneOf(value, acknowledged)))).toEqual(
      expectedByPartition(acknowledged),
    );
    expect(distinct(group.seen)).toBe(group.seen.length);
  });

  test("closing twice, and what is closed, is harmless", async () => {
    const { bus } = await open();
    const group = await follow(bus, "g");
    await group.consumer.close();
    await group.consumer.close();
    await bus.close();
    expect(await bus.close()).toBeUndefined();
  });
}

const record = (key: string, value: unknown, more: Partial<OutRecord> = {}): OutRecord => ({
  topic: EVENTS,
  key,
  value,
  ...more,
});

async function gather(records: AsyncIterable<BusRecord>): Promise<BusRecord[]> {
  const all: BusRecord[] = [];
  for await (const one of records) all.push(one);
  return all;
}

const plain = ({ partition, offset, key, value, text }: BusRecord) => ({
  partition,
  offset,
  key,
  value,
  text,
});
const place = ({ key, partition }: { key: string; partition: number }) => `${partition} ${key}`;

async function everything(bus: Bus, topic: TopicName = EVENTS) {
  const parts = Array.from({ length: bus.partitions(topic) }, (_, p) =>
    gather(bus.read(topic, p, 0)),
  );
  return (await Promise.all(parts)).flat().map(plain);
}

const byPartition = (records: readonly { partition: number; value: unknown }[]): unknown[][] =>
  allPartitions.map((p) => records.filter((one) => one.partition === p).map(({ value }) => value));

const valuesByPartition = async (bus: Bus) => byPartition(await everything(bus));

const expectedByPartition = (sent: readonly OutRecord[]): unknown[][] =>
  byPartition(
    sent.map(({ key, value, partition }) => ({
      partition: partition ?? partitionOf(key, PARTITIONS),
      value,
    })),
  );

const isOneOf = (value: unknown, records: readonly OutRecord[]): boolean =>
  records.some((one) => JSON.stringify(one.value) === JSON.stringify(value));

const identity = ({ partition, offset }: BusRecord) => `${partition}/${offset}`;
const distinct = (records: readonly BusRecord[]): number => new Set(records.map(identity)).size;

/** Each record once, in the order of first delivery: at least once may mean twice, never the other way round. */
function firstSeen(records: readonly BusRecord[]): unknown[][] {
  const seen = new Set<string>();
  return byPartition(records.filter((one) => !seen.has(identity(one)) && seen.add(identity(one))));
}

const commitAll: ConsumeOptions["onBatch"] = async ({ partition, records }, consumer) =>
  consumer.commit(partition, (records.at(-1)?.offset ?? -1) + 1);

/** A member that notes what it was given; a record counts once its batch was taken. */
async function follow(bus: Bus, group: string, options: Partial<ConsumeOptions> = {}) {
  const seen: BusRecord[] = [];
  const state = { assigned: [] as readonly number[], atOnceMost: 0 };
  const atOnce = new Map<number, number>();
  const count = (partition: number, by: number) => {
    const now = (atOnce.get(partition) ?? 0) + by;
    atOnce.set(partition, now);
    state.atOnceMost = Math.max(state.atOnceMost, now);
  };
  const consumer = await bus.consume({
    group,
    topic: EVENTS,
    ...options,
    onAssigned: async (partitions, self) => {
      await options.onAssigned?.(partitions, self);
      state.assigned = partitions;
    },
    onBatch: async (batch: Batch, self) => {
      count(batch.partition, 1);
      try {
        await options.onBatch?.(batch, self);
        seen.push(...batch.records);
      } finally {
        count(batch.partition, -1);
      }
    },
  });
  const wait = (what: string, check: () => boolean) =>
    vi.waitFor(() => expect(check(), what).toBe(true), { timeout: WAIT_MS_MAX, interval: 10 });
  return {
    consumer,
    seen,
    get assigned() {
      return state.assigned;
    },
    get atOnceMost() {
      return state.atOnceMost;
    },
    until: (what: string, check: (seen: readonly BusRecord[]) => boolean) =>
      wait(what, () => check(seen)),
    untilAssigned: (what: string, check: (mine: readonly number[]) => boolean) =>
      wait(`assigned: ${what}`, () => check(state.assigned)),
  };
}

// bus-groups.contract.ts — what every bus must do for consumer groups: commits, assignments, members that come and go.
import { expect, test, vi } from "vitest";
import {
  allPartitions,
  byPartition,
  commitAll,
  distinct,
  EVENTS,
  expectedByPartition,
  firstSeen,
  follow,
  isOneOf,
  type Open,
  PARTITIONS,
  record,
  valuesByPartition,
  WAIT_MS_MAX,
} from "./fixtures/bus-contract-kit.ts";

export function describeGroups(open: Open): void {
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

export function describeMembers(open: Open): void {
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

export function describeClose(open: Open): void {
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

import { createServer } from "node:net";
import { Kafka, logLevel } from "kafkajs";
import pino from "pino";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type RunningKafka, startKafka } from "../../test/servers/kafka.ts";
import { randomId, systemClock } from "../clock.ts";
import { TOPIC } from "../records.ts";
import { busContract } from "./bus.contract.ts";
import type { Bus, BusRecord, Consumer, OutRecord } from "./bus.ts";
import { type KafkaTuning, openKafkaBus } from "./kafka.ts";

const TEST_MS_MAX = 40_000;
const WAIT_MS_MAX = 25_000;
const pace = { sessionMs: 6000, heartbeatMs: 200, waitMs: 200 };
const events = { name: TOPIC.events, partitions: 2, retentionMs: 3_600_000, compacted: false };

const started = await startKafka();
const none: RunningKafka = { brokers: [], nodes: [], stop: async () => {} };
const kafka = "skip" in started ? none : started;
const reason = "skip" in started ? ` (skipped: ${started.skip})` : "";

const lines: string[] = [];
const log = pino({ level: "warn" }, { write: (line: string) => lines.push(line) });
const freshPrefix = () =>
  `t${randomId()
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "")}`;
const openAt = (prefix: string, more: KafkaTuning & { replicationFactor?: number } = {}) =>
  openKafkaBus(
    {
      brokers: kafka.brokers,
      clientId: "test",
      prefix,
      replicationFactor: 1,
      ssl: false,
      ...pace,
      ...more,
    },
    { log, clock: systemClock },
  );
const openFresh = async (more: KafkaTuning = {}): Promise<{ bus: Bus; prefix: string }> => {
  const prefix = freshPrefix();
  const bus = await openAt(prefix, more);
  onTestFinished(() => bus.close());
  await bus.ensureTopics([events]);
  return { bus, prefix };
};
const record = (value: unknown, partition = 0): OutRecord => ({
  topic: TOPIC.events,
  key: "k",
  value,
  partition,
});
async function gather(records: AsyncIterable<BusRecord>): Promise<BusRecord[]> {
  const all: BusRecord[] = [];
  for await (const one of records) all.push(one);
  return all;
}

describe.skipIf("skip" in started)(`Kafka${reason}`, { timeout: TEST_MS_MAX }, () => {
  afterAll(() => kafka.stop());

  busContract("bus contract", async () => {
    const prefix = freshPrefix();
    let bus = await openAt(prefix);
    return {
      bus,
      reopen: async () => {
        await bus.close();
        bus = await openAt(prefix);
        return bus;
      },
      dispose: () => bus.close(),
    };
  });

  test("bytes of others that are not JSON have a text and no value", async () => {
    const { bus, prefix } = await openFresh();
    const foreign = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).producer();
    await foreign.connect();
    onTestFinished(() => foreign.disconnect());
    const values = ["{", "plain words", '{"a":1}', "", null, Buffer.from([0xff, 0x41])];
    for (const value of values) {
      await foreign.send({ topic: `${prefix}.events`, messages: [{ value, partition: 0 }] });
    }
    const got = await gather(bus.read(TOPIC.events, 0, 0));
    expect(got.map(({ key, text, value }) => [key, text, value])).toEqual([
      ["", "{", undefined],
      ["", "plain words", undefined],
      ["", '{"a":1}', { a: 1 }],
      ["", "", undefined],
      ["", "", undefined],
      ["", "\ufffdA", undefined],
    ]);
  });

  test("two installations share a Kafka and see nothing of each other", async () => {
    const [one, two] = [await openFresh(), await openFresh()];
    await one.bus.produce([record("of one")]);
    expect(await gather(two.bus.read(TOPIC.events, 0, 0))).toEqual([]);
    expect((await gather(one.bus.read(TOPIC.events, 0, 0))).map(({ value }) => value)).toEqual([
      "of one",
    ]);
  });

  test("a record that the topic's own limit refuses is told, those around it are written", async () => {
    const { bus, prefix } = await openFresh();
    const admin = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: 2,
          name: `${prefix}.events`,
          configEntries: [{ name: "max.message.bytes", value: "10000" }],
        },
      ],
    });
    const sizes = [10, 6000, 50, 20_000, 6000, 70];
    const calls = sizes.map((size) => bus.produce([record("x".repeat(size))]));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual(
      sizes.map((size) => size < 10_000),
    );
    await expect(calls[3]).rejects.toMatchObject({
      code: "bus.record-too-large",
      message: expect.stringContaining("wache.events has 20003 bytes"),
    });
    const got = await gather(bus.read(TOPIC.events, 0, 0));
    expect(got.map(({ text }) => text.length - 2)).toEqual([10, 6000, 50, 6000, 70]);
  });

  test("beyond the queue's bound producers wait in line, which is logged, and keep their order", async () => {
    const { bus } = await openFresh({ queueBytesMax: 10_000 });
    lines.length = 0;
    const pad = "x".repeat(1000);
    const calls = Array.from({ length: 200 }, (_, n) => bus.produce([record({ n, pad })]));
    expect(lines.filter((line) => line.includes("producers wait"))).toHaveLength(1);
    await Promise.all(calls);
    const got = await gather(bus.read(TOPIC.events, 0, 0));
    expect(got.map(({ value }) => value)).toEqual(calls.map((_, n) => ({ n, pad })));
  });

  test("a commit of a partition that is another member's does not move the group", async () => {
    const { bus } = await openFresh();
    const assigned = new Map<Consumer, readonly number[]>();
    const join = () =>
      bus.consume({
        group: "g",
        topic: TOPIC.events,
        onAssigned: async (partitions, self) => {
          assigned.set(self, partitions);
        },
        onBatch: async () => {},
      });
    const members = [await join(), await join()];
    await vi.waitFor(
      () => expect([...assigned.values()].map((mine) => mine.length)).toEqual([1, 1]),
      { timeout: WAIT_MS_MAX },
    );
    await bus.produce([record(1, 0), record(2, 1)]);
    for (const [self, mine] of assigned) await self.commit(mine[0] === 0 ? 1 : 0, 1);
    const asked = [{ group: "g", topic: TOPIC.events }];
    expect((await bus.lag(asked)).map(({ committed }) => committed)).toEqual([0, 0]);
    for (const [self, mine] of assigned) await self.commit(mine[0] ?? -1, 1);
    expect((await bus.lag(asked)).map(({ committed }) => committed)).toEqual([1, 1]);
    for (const member of members) await member.close();
  });

  test("no timer is set to the past: what kafkajs does idly, every millisecond", async () => {
    const { bus } = await openFresh();
    const timers = vi.spyOn(globalThis, "setTimeout");
    onTestFinished(() => timers.mockRestore());
    await bus.produce([record(1)]);
    await bus.check();
    const delays = timers.mock.calls.map(([, ms]) => ms ?? 0);
    expect(delays.length).toBeGreaterThan(0);
    expect(delays.filter((ms) => ms < 0)).toEqual([]);
  });

  test("more replicas than brokers are refused with what to change", async () => {
    const bus = await openAt(freshPrefix(), { replicationFactor: 7 });
    onTestFinished(() => bus.close());
    await expect(bus.ensureTopics([events])).rejects.toMatchObject({
      code: "bus.topic-refused",
      message: expect.stringMatching(/replicationFactor 7: INVALID_REPLICATION_FACTOR; lower/),
    });
  });
});

test("a Kafka that is not there is refused by name, with what to do", {
  timeout: TEST_MS_MAX,
}, async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise((resolve) => server.close(resolve));
  const broker = `127.0.0.1:${port}`;
  const opening = openKafkaBus(
    { brokers: [broker], clientId: "test", replicationFactor: 1, ssl: false },
    { log, clock: systemClock },
  );
  await expect(opening).rejects.toMatchObject({
    code: "bus.unreachable",
    message: expect.stringMatching(
      new RegExp(`bus.kafka.brokers: .* ${broker}: .*check that it runs`),
    ),
  });
});

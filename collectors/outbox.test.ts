// outbox.test.ts — the order of events and ticks, whatever the bus does.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import type { Bus } from "../core/bus/bus.ts";
import type { EventRecord } from "../core/records.ts";
import {
  LATENESS_MS,
  makeRig,
  PARTITIONS,
  presentIn,
  type Rig,
  turn,
  until,
} from "./fixtures/rig.ts";
import { collectorMetrics } from "./metrics.ts";
import { Outbox } from "./outbox.ts";
import { Spool } from "./spool.ts";
import type { Entry } from "./stamp.ts";

type Made = Rig & { readonly outbox: Outbox; readonly spool: Spool; readonly said: string[] };
type Disk = NonNullable<Parameters<typeof presentIn>[1]>;
function make(
  options: {
    readonly spoolBytesMax?: number;
    readonly dir?: string;
    readonly disk?: Disk;
    readonly isAway?: boolean;
  } = {},
): Made {
  const rig = makeRig(options.dir === undefined ? {} : { dir: options.dir });
  if (options.isAway) rig.bus.mode = "refuses";
  const said: string[] = [];
  const { log, clock } = rig.context;
  const spool = new Spool({
    dir: join(rig.dir, "spool"),
    bytesMax: options.spoolBytesMax ?? 1e6,
    segmentBytesMax: 1000,
    log,
  });
  const outbox = new Outbox({
    bus: rig.bus as unknown as Bus,
    spool,
    clock,
    ...presentIn(rig, options.disk),
    log,
    metrics: collectorMetrics(new Registry()),
    feeder: "f",
    queueBytesMax: 1000,
    onState: ({ text }) => said.push(text),
  });
  onTestFinished(async () => {
    rig.bus.release();
    await spool.close();
    await rig.remove();
  });
  return { ...rig, outbox, spool, said };
}

const entry = (id: string, receiptMs: number, bytes = 10): Entry => ({
  record: {
    topic: "wache.events",
    key: id,
    value: { kind: "event", event: { event: { id }, wache: { clockMs: receiptMs } } },
  },
  bytes,
});
const send = (made: Made, ...ids: string[]): Promise<void> =>
  made.outbox.submit((receiptMs) => ids.map((id) => entry(id, receiptMs)));
const idsOf = (made: Made): string[] => made.bus.events.map((event) => event.event.id);

async function caughtUp(made: Made, id: string): Promise<void> {
  while (!idsOf(made).includes(id) || !made.spool.isEmpty) await made.clock.advance(100);
}

/** What every reader of a partition relies on. */
function expectTicksTrue(values: readonly EventRecord[]): void {
  let atMs = -Infinity;
  for (const value of values) {
    if (value.kind === "tick") {
      expect(value.atMs).toBeGreaterThanOrEqual(atMs);
      atMs = value.atMs;
    } else expect(value.event.wache.clockMs).toBeGreaterThanOrEqual(atMs);
  }
}

test("ticks go to every partition: each second with traffic, every five without, a farewell at the end", async () => {
  const made = make();
  await until(() => made.bus.ticks.length === PARTITIONS);
  const startMs = made.clock.now();
  await made.clock.advance(4_000);
  await send(made, "a");
  await made.clock.advance(1_000);
  await send(made, "b");
  await made.clock.advance(7_000);
  const stopping = made.outbox.stop();
  await until(() => made.bus.ticks.some((tick) => tick.idle === true));
  await stopping;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const values = made.bus.partitionValues(partition);
    expectTicksTrue(values);
    const ticks = values.filter((value) => value.kind === "tick");
    expect(ticks.map(({ atMs, idle }) => [atMs - startMs, idle])).toEqual([
      [0, undefined],
      [5_000, undefined],
      [6_000, undefined],
      [11_000, undefined],
      [12_000, true],
    ]);
  }
});

test("one produce at a time takes all that has gathered, in order", async () => {
  const made = make();
  await until(() => made.bus.ticks.length > 0);
  const before = made.bus.produces;
  const sent = Array.from({ length: 50 }, (_, i) => send(made, `e${i}`));
  await Promise.all(sent);
  expect(idsOf(made)).toEqual(Array.from({ length: 50 }, (_, i) => `e${i}`));
  expect([made.bus.produces - before, made.bus.underWayMost]).toEqual([1, 1]);
});

test("a clock that is set back does not take receipts back", async () => {
  const made = make();
  await send(made, "a");
  made.clock.setBack(3_600_000);
  await send(made, "b");
  const [first, second] = made.bus.events;
  expect(second?.wache.clockMs).toBe(first?.wache.clockMs);
});

test.for([
  { mode: "refuses" as const, want: ["a", "b", "c", "d", "e"] },
  { mode: "hangs" as const, want: ["a", "b", "c", "d", "e"] },
])(
  "the bus $mode: events are acknowledged from the spool, and reach it in order",
  async ({ mode, want }) => {
    const made = make();
    await send(made, "a");
    made.bus.mode = mode;
    const acknowledged: string[] = [];
    const note = async (id: string): Promise<void> => {
      await send(made, id);
      acknowledged.push(id);
    };
    const first = note("b");
    if (mode === "hangs") {
      await until(() => made.bus.hangingRecords > 0);
      await made.clock.advance(5_000);
    }
    await first;
    await note("c");
    await made.clock.advance(1_000);
    await note("d");
    expect([acknowledged, idsOf(made), made.spool.isEmpty]).toEqual([
      ["b", "c", "d"],
      ["a"],
      false,
    ]);
    made.bus.release();
    const last = send(made, "e");
    await caughtUp(made, "e");
    await last;
    while (made.said.length < 3) await made.clock.advance(100);
    expect(idsOf(made)).toEqual(want);
    for (let partition = 0; partition < PARTITIONS; partition++)
      expectTicksTrue(made.bus.partitionValues(partition));
    expect(made.bus.underWayMost).toBe(1);
    expect(made.said).toEqual([
      "events go to the bus",
      "the bus is away: events go to the spool on disk",
      "events go to the bus",
    ]);
  },
);

test("what was spooled before a crash goes first after the restart", async () => {
  const first = make();
  await send(first, "a");
  first.bus.mode = "refuses";
  await send(first, "b");
  await send(first, "c");
  const second = make({ dir: first.dir });
  const last = send(second, "d");
  await caughtUp(second, "d");
  await last;
  expect(idsOf(second)).toEqual(["b", "c", "d"]);
});

test("spool full and bus away: nothing is acknowledged, senders see it, and all goes on when the bus is back", async () => {
  const made = make({ spoolBytesMax: 0 });
  await until(() => made.bus.ticks.length > 0);
  made.bus.mode = "refuses";
  let acknowledged = 0;
  const done = made.outbox
    .submit((receiptMs) => [entry("a", receiptMs, 2000)])
    .then(() => acknowledged++);
  await made.clock.advance(3_000);
  expect([acknowledged, made.outbox.isFull]).toEqual([0, true]);
  let hasRoom = false;
  const room = made.outbox.room().then(() => {
    hasRoom = true;
  });
  const short = made.outbox.roomWithin(500);
  await made.clock.advance(500);
  expect([await short, hasRoom]).toEqual([false, false]);
  made.bus.release();
  await made.clock.advance(2_000);
  await Promise.all([done, room]);
  expect([idsOf(made), made.outbox.isFull]).toEqual([["a"], false]);
  await turn();
});

const timed = (id: string, timeMs: number, receiptMs: number): Entry => ({
  record: {
    topic: "wache.events",
    key: id,
    value: {
      kind: "event",
      event: {
        "@timestamp": new Date(timeMs).toISOString(),
        event: { id },
        wache: { stream: "live", sources: [], clockMs: receiptMs },
      },
    },
  },
  bytes: 10,
});
const marks = (made: Made, fromMs: number): unknown[] =>
  made.bus.events.map(({ event, wache }) => [
    event.id,
    (wache.clockMs ?? 0) - fromMs,
    wache.late ?? false,
  ]);

test("a collector that nobody knew: what came before its first tick was heard is judged by that moment", async () => {
  const disk: Disk = {};
  const made = make({ isAway: true, disk });
  const startMs = made.clock.now();
  await made.clock.advance(1_000);
  const spooled = made.outbox.submit((receiptMs) => [
    timed("old", receiptMs - 1_000, receiptMs),
    timed("edge", startMs + 90_000 - LATENESS_MS, receiptMs),
    timed("past the edge", startMs + 90_000 - LATENESS_MS - 1, receiptMs),
  ]);
  await made.clock.advance(2_000);
  await spooled;
  await made.clock.advance(startMs + 90_000 - made.clock.now() - 1);
  expect([made.bus.events, disk.knownFromMs]).toEqual([[], undefined]);
  made.bus.release();
  while (made.bus.ticks.length === 0) await made.clock.advance(1);
  await caughtUp(made, "past the edge");
  expect((disk.knownFromMs ?? 0) - startMs).toBe(90_000);
  expect(marks(made, startMs)).toEqual([
    ["old", 90_000, true],
    ["edge", 90_000, false],
    ["past the edge", 90_000, true],
  ]);
  const [first] = made.bus.values;
  expect(first).toEqual({ kind: "tick", stream: "live", feeder: "f", atMs: startMs + 90_000 });
  const last = made.outbox.submit((receiptMs) => [timed("new", receiptMs, receiptMs)]);
  await caughtUp(made, "new");
  await last;
  expect(made.bus.events.at(-1)?.wache.late).toBeUndefined();
});

test("a collector that is known keeps its receipts, however long its spool waited", async () => {
  const made = make({ isAway: true, disk: { knownFromMs: 1 } });
  const startMs = made.clock.now();
  const spooled = made.outbox.submit((receiptMs) => [timed("old", receiptMs, receiptMs)]);
  await made.clock.advance(100_000);
  await spooled;
  made.bus.release();
  await caughtUp(made, "old");
  expect(marks(made, startMs)).toEqual([["old", 0, false]]);
});

test("a farewell that waited in the spool does not make a collector leave that is back", async () => {
  const disk: Disk = { knownFromMs: 1 };
  const first = make({ isAway: true, disk });
  await send(first, "a");
  const { bytes } = first.spool;
  const stopping = first.outbox.stop();
  await until(() => first.spool.bytes > bytes);
  await first.clock.advance(12_000);
  await stopping;
  expect(disk.knownFromMs).toBe(undefined);
  const second = make({ dir: first.dir, disk });
  expect(second.spool.isEmpty).toBe(false);
  await caughtUp(second, "a");
  while (second.said.at(-1) !== "events go to the bus") await second.clock.advance(100);
  await second.clock.advance(6_000);
  expect(second.bus.ticks.length).toBeGreaterThan(2 * PARTITIONS);
  expect(second.bus.ticks.filter(({ idle }) => idle)).toEqual([]);
  const leaving = second.outbox.stop();
  await until(() => second.bus.ticks.filter(({ idle }) => idle).length === PARTITIONS);
  await leaving;
});

test("a spool whose place cannot be kept goes out all the same", async () => {
  const made = make({ isAway: true, disk: { knownFromMs: 1 } });
  mkdirSync(join(made.dir, "spool", "cursor")); // no file can be written there
  await send(made, "a");
  await send(made, "b");
  made.bus.mode = "works";
  while (made.said.at(-1) !== "events go to the bus") await made.clock.advance(100);
  expect(idsOf(made)).toEqual(["a", "b"]);
});

test("what neither the bus nor the spool took before a stop is not acknowledged", async () => {
  const made = make({ spoolBytesMax: 0 });
  await until(() => made.bus.ticks.length > 0);
  made.bus.mode = "refuses";
  let acknowledged = 0;
  void send(made, "a").then(() => acknowledged++);
  await made.clock.advance(1_000);
  let stopped = false;
  const stopping = made.outbox.stop().then(() => {
    stopped = true;
  });
  while (!stopped) await made.clock.advance(1_000);
  await stopping;
  await made.clock.advance(20_000);
  expect([acknowledged, idsOf(made)]).toEqual([0, []]);
});

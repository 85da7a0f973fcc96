// streams.test.ts — an import that is cut off anywhere and sent again is the same import.
import { join } from "node:path";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import type { Bus } from "../core/bus/bus.ts";
import { type CollectorDb, openCollectorDb } from "./collector-db.ts";
import { type MemoryBus, makeRig, presentIn, type Rig } from "./fixtures/rig.ts";
import { collectorMetrics } from "./metrics.ts";
import { Outbox } from "./outbox.ts";
import { Spool } from "./spool.ts";
import type { Line, Origin } from "./stamp.ts";
import { type StreamBatch, Streams } from "./streams.ts";

const origin: Origin = {
  feeder: "f",
  stream: "s",
  source: "local",
  zone: "UTC",
  latenessMs: 60_000,
};
const START_MS = Date.UTC(2025, 0, 1);
const lines: Line[] = Array.from({ length: 2_500 }, (_, i) => {
  const atMs = START_MS + i * 1000 + (i % 50 === 7 ? 3_600_000 : 0) - (i % 60 === 11 ? 900_000 : 0);
  const text = i % 100 === 3 ? "no time" : `${new Date(atMs).toISOString()} line ${i}`;
  return { text: i % 90 === 5 ? "" : text };
});

type Made = { readonly rig: Rig; readonly bus: MemoryBus; readonly streams: Streams };
/** `crashAt`: the state is not saved, as if the process had died right before. */
function open(dir?: string, db?: (real: CollectorDb) => CollectorDb): Made {
  const rig = makeRig(dir === undefined ? {} : { dir });
  const { log, clock } = rig.context;
  const { receipts, presence } = presentIn(rig);
  const spool = new Spool({ dir: join(rig.dir, "spool"), bytesMax: 0, segmentBytesMax: 1, log });
  const outbox = new Outbox({
    bus: rig.bus as unknown as Bus,
    spool,
    clock,
    receipts,
    presence,
    log,
    metrics: collectorMetrics(new Registry()),
    feeder: "f",
    queueBytesMax: 1e9,
    onState: () => {},
  });
  const real = openCollectorDb(rig.dir);
  const streams = new Streams({ db: db?.(real) ?? real, outbox, receipts });
  onTestFinished(() => rig.remove());
  return { rig, bus: rig.bus, streams };
}
const batch = (from: number, to: number, more: Partial<StreamBatch> = {}): StreamBatch => ({
  origin,
  lines: lines.slice(from, to),
  position: from,
  batchKey: `${from}-${to}`,
  end: to === lines.length,
  ...more,
});
const seen = (bus: MemoryBus): unknown[] =>
  bus.events.map((event) => [event.event.id, event["@timestamp"], event.wache]);

const runs = new Map<number, Promise<MemoryBus>>();
function undisturbed(size: number): Promise<MemoryBus> {
  const run = runs.get(size) ?? sendAll(size);
  runs.set(size, run);
  return run;
}
async function sendAll(size: number): Promise<MemoryBus> {
  const { bus, streams } = open();
  for (let from = 0; from < lines.length; from += size)
    expect(await streams.take(batch(from, Math.min(from + size, lines.length)))).toMatchObject({
      kind: "taken",
    });
  return bus;
}

test("the clock is unknown for a thousand times, then never goes back; ticks say what follows", async () => {
  const bus = await undisturbed(700);
  const clocks = bus.events.map((event) => event.wache.clockMs);
  const known = clocks.filter((clock) => clock !== undefined);
  expect(clocks.indexOf(known[0])).toBeGreaterThan(999);
  const endMs = Math.max(...bus.events.map((event) => Date.parse(event["@timestamp"])));
  expect(known).toEqual(known.toSorted((a, b) => a - b));
  for (const partition of [0, 1, 2]) {
    let atMs = -Infinity;
    const values = bus.partitionValues(partition);
    for (const value of values) {
      if (value.kind === "event")
        expect(value.event.wache.clockMs ?? Infinity).toBeGreaterThanOrEqual(atMs);
      else if (value.stream === "s") atMs = value.atMs;
    }
    const last = values.filter((value) => value.kind === "tick" && value.stream === "s").at(-1);
    expect(last).toMatchObject({ end: true, atMs: endMs });
  }
});

test("events too late or too early for the stream's clock say so, and one without a time takes the last", async () => {
  const bus = await undisturbed(2_500);
  const last = bus.events.slice(-400);
  expect(last.some((event) => event.wache.late === true)).toBe(true);
  const at = bus.events.findIndex((event) => event.message === "no time" && event.wache.clockMs);
  expect(bus.events[at]).toMatchObject({
    "@timestamp": bus.events[at - 1]?.["@timestamp"],
    wache: { assumed: ["time"] },
  });
});

test.for([1, 333, 999, 2_500])("batches of %i lines: the same events", async (size) => {
  const want = await undisturbed(700);
  const lean = size === 1 ? lines.slice(0, 40) : lines;
  const { bus, streams } = open();
  for (let from = 0; from < lean.length; from += size)
    await streams.take(batch(from, Math.min(from + size, lean.length)));
  expect(seen(bus)).toEqual(seen(want).slice(0, bus.events.length));
  if (size !== 1) expect(bus.events.length).toBe(want.events.length);
});

test("a crash between the bus and the state: sent again, in other batches, the same ids and clocks", async () => {
  const want = await undisturbed(700);
  let saves = 0;
  const dies = (real: CollectorDb): CollectorDb => ({
    ...real,
    saveStream: (row) => {
      if (++saves === 4) throw new Error("killed");
      real.saveStream(row);
    },
  });
  const first = open(undefined, dies);
  await first.streams.take(batch(0, 1_100));
  await expect(first.streams.take(batch(1_100, 2_000))).rejects.toThrow("killed");
  const second = open(first.rig.dir);
  await second.rig.clock.advance(86_400_000);
  expect(await second.streams.take(batch(1_500, 2_500))).toEqual({ kind: "gap", position: 1_100 });
  await second.streams.take(batch(1_100, 1_400));
  await second.streams.take(batch(900, 2_500));
  const all = [...seen(first.bus).slice(0, 1_100 - 13), ...seen(second.bus)];
  const known = new Set(seen(want).map((one) => JSON.stringify(one)));
  expect(seen(first.bus).filter((one) => !known.has(JSON.stringify(one)))).toEqual([]);
  expect(all).toEqual(seen(want));
});

test.for([
  { name: "the same key", more: { batchKey: "key:1" }, want: 1 },
  { name: "the same body", more: { batchKey: "body:x" }, want: 1 },
])("a batch without a place is known again by $name", async ({ more }) => {
  const { bus, streams } = open();
  const { position: _, ...one } = batch(0, 2, more);
  await streams.take(one);
  expect(await streams.take(one)).toMatchObject({ kind: "taken", duplicate: true, position: 2 });
  expect(await streams.take({ ...one, batchKey: "other" })).toMatchObject({ position: 4 });
  expect(bus.events).toHaveLength(4);
});

test("two at once take their turns", async () => {
  const { bus, streams } = open();
  const { position: _, ...one } = batch(0, 100);
  await Promise.all([
    streams.take({ ...one, batchKey: "a" }),
    streams.take({ ...one, batchKey: "b" }),
  ]);
  expect(new Set(bus.events.map((event) => event.event.id)).size).toBe(bus.events.length);
  expect(streams.find("s")?.position).toBe(200);
});

test("another source's stream is not touched", async () => {
  const { bus, streams } = open();
  await streams.take(batch(0, 1));
  const foreign = batch(1, 2, { origin: { ...origin, source: "other" } });
  expect(await streams.take(foreign)).toEqual({ kind: "foreign", source: "local" });
  expect(bus.events).toHaveLength(1);
});

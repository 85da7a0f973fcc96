// Any shuffle of a log within the lateness, any batch size, 1 to 8 partitions: the findings are the same, by id and content.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { type Entry, newTally, stampLine } from "../../collectors/stamp.ts";
import { type EcsEvent, idOf, timeOf } from "../../core/event.ts";
import { type EventRecord, type Finding, type Tick, TOPIC } from "../../core/records.ts";
import type { ActiveRules } from "../../correlator/detection.ts";
import { indexedMatcher } from "../../correlator/match/indexed.ts";
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { loadRules } from "../../correlator/sigma/load.ts";
import { type Chance, chanceOf } from "./chance.ts";
import { MemoryBus } from "./memory-bus.ts";
import { MemoryStore } from "./memory-store.ts";
import { unsuperseded } from "./outcome.ts";
import { Process } from "./process.ts";
import { Worker } from "./worker.ts";
import { World } from "./world.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
const LOG = resolve(ROOT, "..", "shared", "data", "logs", "OpenSSH_2k.log");
const LATENESS_MS = 10 * 60_000;
const STREAM = "openssh";
const TAKEN_MS_MAX = 3_600_000;

const hasLog = existsSync(LOG);
const reason = hasLog ? "" : ` (skipped: there is no ${LOG.slice(LOG.indexOf("shared"))})`;

type Way = {
  readonly seed: number; // of the shuffle
  readonly partitions: number;
  readonly batch: number;
  readonly lateMs: number;
};
const PLAIN: Way = { seed: 0, partitions: 1, batch: 1000, lateMs: 0 };
const WAYS: readonly Way[] = [
  { seed: 1, partitions: 1, batch: 7, lateMs: LATENESS_MS },
  { seed: 2, partitions: 2, batch: 1, lateMs: LATENESS_MS },
  { seed: 3, partitions: 3, batch: 100, lateMs: 30_000 },
  { seed: 4, partitions: 5, batch: 33, lateMs: LATENESS_MS },
  { seed: 5, partitions: 8, batch: 500, lateMs: LATENESS_MS },
  { seed: 6, partitions: 8, batch: 11, lateMs: LATENESS_MS },
];

test.skipIf(!hasLog)(
  `a log in any order and any pieces gives the same findings${reason}`,
  async () => {
    const rules = await activeRules();
    const plain = await findingsOf(PLAIN, rules);
    expect(plain.length).toBeGreaterThan(70);
    for (const way of WAYS)
      expect(await findingsOf(way, rules), JSON.stringify(way)).toEqual(plain);
  },
);

async function activeRules(): Promise<ActiveRules> {
  const folders = ["test/fixtures/rules", "test/simulation/fixtures"].map((path) => ({
    path: resolve(ROOT, path),
    lenient: false,
  }));
  const { set, problems } = await loadRules(folders, ruleDisk);
  if (set === undefined) throw new Error(JSON.stringify(problems));
  return { set, matcher: indexedMatcher(set) };
}

function eventsOf(text: string): EcsEvent[] {
  const out = { entries: [] as Entry[], tally: newTally() };
  const origin = {
    ...{ feeder: "importer", stream: STREAM, source: "log", zone: "UTC" },
    latenessMs: LATENESS_MS,
  };
  text.split(/\r?\n/).forEach((line, place) => {
    const id = (repeat: number | undefined): string => idOf(STREAM, place, repeat ?? "");
    const receiptMs = Date.UTC(2026, 0, 1);
    stampLine({ text: line }, origin, { receiptMs, id, clock: () => undefined }, out);
  });
  return out.entries.map(({ record }) => {
    const value = record.value as EventRecord;
    if (value.kind !== "event") throw new Error("a line of the log is no event");
    return value.event;
  });
}

async function findingsOf(way: Way, rules: ActiveRules): Promise<unknown[]> {
  const chance = chanceOf(way.seed);
  const world = new World({ chance, startMs: 0, odds: {}, delayMsMax: 5 });
  world.fetchMax = way.batch;
  const bus = new MemoryBus(world);
  const store = new MemoryStore(world);
  bus.ensureTopics(way.partitions);
  const settings = { latenessMs: LATENESS_MS, evidenceMax: 10, snapshotS: 5, bounds: {} };
  const house = {
    world,
    bus,
    store,
    settings,
    rules: () => () => rules,
    gaveUp: new Set<string>(),
  };
  const workers = ["a", "b"].map((name) => new Worker(house, name, ["detect", "correlate"]));
  for (const worker of workers) worker.start();
  let isSent = false;
  const sending = send(way, bus, chance).then(() => {
    isSent = true;
  });
  const groups = ["detect", "correlate", "keep-events", "keep-findings"].length;
  const isDone = () => isSent && bus.groups.size === groups && bus.isCaughtUp();
  const isTaken = await world.scheduler.run(isDone, TAKEN_MS_MAX);
  expect(isTaken, `sent: ${isSent}, behind: ${bus.behind().join(", ")}`).toBe(true);
  await sending;
  const kept = [...store.documents("findings").values()].map(({ body }) => body);
  return unsuperseded(kept as unknown as readonly Finding[])
    .map(({ id, rule, group, firstMs, lastMs, count, evidence }) => ({
      ...{ id, rule: rule.id, group, firstMs, lastMs, count, evidence },
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Each event comes at most `lateMs` after its time, on any partition; ticks say how far the stream has come. */
async function send(way: Way, bus: MemoryBus, chance: Chance): Promise<void> {
  const events = eventsOf(readFileSync(LOG, "utf8"))
    .map((event) => ({ event, atMs: timeOf(event) + chance.int(0, way.lateMs) }))
    .sort((a, b) => a.atMs - b.atMs);
  const importer = bus.connect(new Process(bus.world, "importer"));
  const feeder = "importer";
  const tick = (at: Pick<Tick, "atMs" | "end">): Promise<void> => {
    const value: Tick = { kind: "tick", stream: STREAM, feeder, ...at };
    const partitions = Array.from({ length: way.partitions }, (_, partition) => partition);
    return importer.produce(
      partitions.map((partition) => ({ topic: TOPIC.events, key: feeder, partition, value })),
    );
  };
  const pieceMax = Math.max(50, way.batch); // a tick each, to every partition
  for (let from = 0; from < events.length; from += pieceMax) {
    const piece = events.slice(from, from + pieceMax);
    await importer.produce(
      piece.map(({ event }) => {
        const value: EventRecord = { kind: "event", event };
        return { topic: TOPIC.events, key: `source-${chance.int(1, 20)}`, value };
      }),
    );
    await tick({ atMs: piece.at(-1)?.atMs ?? 0 });
  }
  await tick({ atMs: 0, end: true });
}

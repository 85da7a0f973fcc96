// run.ts — one seed: draws a world, runs the real stages in it through its faults, and compares what is left.
//
// The path: draw rules and events → feeders, workers → rough time → calm time until all is taken → the clock goes far
// ahead, so that everything that waits is told → outcome.ts.

import type { BusRecord } from "../../core/bus/bus.ts";
import { DAY_MS, type EcsEvent, IMPLAUSIBLE_AHEAD_MS } from "../../core/event.ts";
import {
  type DeadLetter,
  type EventRecord,
  type Finding,
  type Incident,
  type Notification,
  type NotificationRecord,
  TOPIC,
} from "../../core/records.ts";
import { indexedMatcher } from "../../correlator/match/indexed.ts";
import { readRules } from "../../correlator/sigma/load.ts";
import { type Chance, chanceOf } from "./chance.ts";
import type { DrawnDeadline } from "./deadlines.ts";
import { BUSY, type DrawnEvent, drawDeliveries, drawEvents, type Scene } from "./drawn-events.ts";
import { type DrawnRule, deadlineIn, drawReload, drawRules, yamlOf } from "./drawn-rules.ts";
import { endOf, Feeder, type Import } from "./feeder.ts";
import { MemoryBus } from "./memory-bus.ts";
import { MemoryStore } from "./memory-store.ts";
import { type Differences, differencesOf, type Edition } from "./outcome.ts";
import { SignalClock } from "./signal-clock.ts";
import { type House, ROLES, type Role, Worker } from "./worker.ts";
import { FAULTS, type Fault, type Odds, World } from "./world.ts";

const START_MS = Date.UTC(2026, 0, 15, 12);
const BEGIN_MS = 10_000; // after the start, things happen
const CALM_MS_MAX = 20 * 60_000; // in which all must have been taken
const LEAP_MS_MIN = 20 * 60_000; // more than a silent feeder is waited for
const CLOCK_SET_MS_MAX = 3_600_000;
const LOOK_MS = 250;
const LEAPS = 4;
const GROUPS = 7; // that read something: without one of them nothing may be removed

export type Outcome = Differences & {
  readonly seed: number;
  readonly events: number;
  readonly faults: ReadonlyMap<Fault, number>;
  readonly stuck?: string;
  readonly trace: string; // the same for the same run
  readonly lines: readonly string[];
};

export async function runSeed(
  seed: number,
  options: { readonly keepLines?: boolean } = {},
): Promise<Outcome> {
  const chance = chanceOf(seed);
  const editions = drawEditions(chance.fork());
  const drawn = drawPlan(chance.fork(), deadlineIn(editions[0].rules));
  const forked = chance.fork();
  const odds = drawOdds(chance.fork());
  const plan = odds["clock set"] ? allFromTheStart(drawn) : drawn;
  const world = new World({
    ...{ chance: forked, startMs: drawn.scene.startMs - BEGIN_MS, odds },
    delayMsMax: chance.one([0, 3, 20, 200]),
    ...(options.keepLines && { keepLines: true }),
  });
  const bus = new MemoryBus(world);
  const store = new MemoryStore(world);
  bus.ensureTopics(plan.partitions);
  const seen = watch(bus, plan);
  const { evidenceMax, snapshotS, scene } = plan;
  const house: House = {
    ...{ world, bus, store, rules: () => world.chance.one(editions).active },
    settings: { latenessMs: scene.latenessMs, evidenceMax, snapshotS },
  };
  const feeders = feedersOf(plan, { world, bus });
  const workers = plan.workers.map((roles, index) => new Worker(house, `w${index}`, roles));
  const stuck = await live({ world, bus, plan, feeders, workers, seen });
  const incidents = [...store.documents("incidents").values()].map(({ body }) => body);
  const findings = [...store.documents("findings").values()].map(({ body }) => body);
  const differences = differencesOf({
    editions,
    evidenceMax,
    events: [...seen.events.values()],
    acknowledged: new Set(feeders.flatMap(({ acknowledged }) => [...acknowledged])),
    stored: new Set(store.events.keys()),
    findings: findings as unknown as readonly Finding[],
    incidents: incidents as unknown as readonly Incident[],
    pages: [...seen.pages.values()],
    deadLetters: seen.deadLetters,
    ...{ signalClock: seen.signalClock, latenessMs: scene.latenessMs, partitions: plan.partitions },
    importClockMs: (name) => {
      const events = plan.imports.find(({ stream }) => stream === name)?.events ?? [];
      return endOf(events);
    },
  });
  return {
    ...differences,
    ...{ seed, events: seen.events.size, faults: world.counts },
    ...(stuck !== undefined && { stuck }),
    trace: world.scheduler.trace,
    lines: [
      ...(world.scheduler.lines ?? []),
      ...(options.keepLines ? editions.map(({ rules }) => yamlOf(rules, "")) : []),
    ],
  };
}

/** The same rules under two titles, at times one of them changed: a worker has one set or the other. */
function drawEditions(chance: Chance): readonly [Edition, Edition] {
  for (;;) {
    const rules = drawRules(chance);
    const [one, other] = [
      editionOf(rules, "first"),
      editionOf(drawReload(chance, rules), "second"),
    ];
    if (one && other) return [one, other];
  }
}

/** Undefined where a condition is one that nothing can satisfy. */
function editionOf(rules: readonly DrawnRule[], title: string): Edition | undefined {
  const text = yamlOf(rules, title);
  const { set } = readRules([{ path: "drawn.yml", text, lenient: false }]);
  return set && { rules, active: { set, matcher: indexedMatcher(set) } };
}

type Plan = {
  readonly scene: Scene;
  readonly daysAfter: number;
  readonly partitions: number;
  readonly evidenceMax: number;
  readonly snapshotS: number;
  readonly deliveries: ReturnType<typeof drawDeliveries>;
  readonly imports: readonly (Import & { readonly feeder: number })[];
  readonly workers: readonly (readonly Role[])[];
  readonly startsMs: readonly number[]; // of the feeders
};

function drawPlan(chance: Chance, deadline: DrawnDeadline | undefined): Plan {
  const feeders = chance.int(1, 3);
  const isBusy = chance.is(0.04);
  const scene: Scene = {
    startMs: deadline?.eventsMs ?? START_MS + BEGIN_MS,
    spanMs: isBusy ? 60_000 : chance.int(5, 20) * 1000,
    latenessMs: chance.one([1000, 2000, 5000, 10_000]),
    feeders,
  };
  const live = drawEvents(chance, scene, {
    prefix: "e",
    count: isBusy ? 3 * BUSY : chance.int(10, 60),
  });
  const imports = Array.from({ length: chance.one([0, 0, 1, 1, 2]) }, (_, index) => {
    const prefix = `i${index}-`;
    const past = { ...scene, startMs: scene.startMs - chance.int(1, 400) * DAY_MS };
    const events = drawEvents(chance, past, { prefix, count: chance.int(5, 40) });
    return {
      ...{ stream: `import-${index}`, events: shuffledALittle(chance, past, events) },
      ...{ fromMs: scene.startMs + chance.int(0, scene.spanMs), chunk: chance.int(1, 20) },
      feeder: chance.int(0, feeders - 1),
    };
  });
  return {
    ...{ scene, daysAfter: deadline?.daysAfter ?? 0 },
    partitions: isBusy ? 1 : chance.one([1, 1, 2, 2, 3, 3, 4, 8]),
    evidenceMax: chance.one([2, 3, 5, 20]),
    snapshotS: chance.one([1, 2, 5, 15]),
    deliveries: drawDeliveries(chance, scene, live),
    imports,
    workers: drawWorkers(chance),
    startsMs: Array.from({ length: feeders }, (_, index) =>
      index > 0 && chance.is(0.3) ? BEGIN_MS + chance.int(0, scene.spanMs) : 0,
    ),
  };
}

/** Whoever joins with a clock behind the others' comes too late: docs/correlation.md says so. */
const allFromTheStart = (plan: Plan): Plan => ({
  ...plan,
  startsMs: plan.startsMs.map(() => 0),
});

/** In the order of their delivery, which is mostly within the lateness. */
function shuffledALittle(
  chance: Chance,
  scene: Scene,
  events: readonly DrawnEvent[],
): DrawnEvent[] {
  const deliveries = drawDeliveries(chance, scene, events);
  return [...new Map(deliveries.map(({ event }) => [event.id, event])).values()];
}

/** Each role is somebody's. */
function drawWorkers(chance: Chance): (readonly Role[])[] {
  const drawn = Array.from({ length: chance.int(1, 3) }, () =>
    chance.is(0.5) ? ROLES : chance.some(ROLES, chance.int(1, 2)),
  );
  const missing = ROLES.filter((role) => !drawn.some((roles) => roles.includes(role)));
  return missing.length === 0 ? drawn : [...drawn, missing];
}

const ODDS: Required<Odds> = {
  crash: 0.004,
  kick: 0.05, // of each look
  stop: 0.03,
  stall: 0.001,
  "bus refuses": 0.03,
  "bus stores part": 0.03,
  "bus stores, says no": 0.03,
  "bus stores later": 0.02,
  "bus away": 0.01,
  "read fails": 0.03,
  "commit fails": 0.03,
  "commit fails, kept": 0.03,
  "store refuses": 0.05,
  "store keeps part": 0.05,
  "store keeps, says no": 0.05,
  "store away": 0.01,
  "feeder crash": 0.004,
  "feeder stop": 0.01,
  "clock set": 0.02,
  retention: 0.1,
  compaction: 0.05,
};

/** Some runs see all faults, some a few, some none. */
function drawOdds(chance: Chance): Odds {
  const share = chance.one([0, 0.3, 0.6, 1]);
  const times = chance.one([0.5, 1, 1, 3]);
  const odds = Object.fromEntries(
    FAULTS.filter(() => chance.is(share)).map((fault) => [fault, ODDS[fault] * times]),
  );
  return { ...odds, [chance.is(0.3) ? "feeder stop" : "clock set"]: 0 }; // one of the two: see allFromTheStart
}

type Seen = {
  readonly signalClock: SignalClock;
  readonly events: Map<string, EcsEvent>;
  readonly ticked: Set<string>;
  readonly pages: Map<string, Notification>;
  readonly deadLetters: Set<string>; // ids of events, or reasons
};

/** What was ever durable, whatever retention removed since. */
function watch(bus: MemoryBus, { partitions, scene: { latenessMs } }: Plan): Seen {
  const seen: Seen = {
    signalClock: new SignalClock({ partitions, latenessMs }),
    ...{ events: new Map(), ticked: new Set(), pages: new Map(), deadLetters: new Set() },
  };
  const { lines } = bus.world.scheduler;
  bus.log.onRecord = (record) => {
    lines?.push(
      `  ${record.topic}/${record.partition}/${record.offset} ${record.key} ${record.text}`,
    );
    if (record.topic === TOPIC.events) sawEvent(record, seen);
    else if (record.topic === TOPIC.signals) seen.signalClock.saw(record);
    else if (record.topic === TOPIC.notifications) {
      const value = record.value as NotificationRecord;
      if (value.kind === "notification") seen.pages.set(value.id, value);
    } else if (record.topic === TOPIC.deadLetter)
      seen.deadLetters.add(nameOf(record.value as DeadLetter));
  };
  return seen;
}

function nameOf({ code, raw, reason }: DeadLetter): string {
  if (code !== "store.event-id") return reason;
  const value = JSON.parse(raw) as EventRecord;
  return value.kind === "event" ? value.event.event.id : reason;
}

function sawEvent({ value, partition }: BusRecord, { events, ticked }: Seen): void {
  const record = value as EventRecord;
  if (record.kind === "tick") {
    ticked.add(`${record.feeder} ${partition}`);
    return;
  }
  const { event } = record;
  const known = events.get(event.event.id);
  const counts = !event.wache.late && !event.wache.implausible;
  if (known === undefined || counts) events.set(event.event.id, event);
}

function feedersOf(
  plan: Plan,
  parts: { readonly world: World; readonly bus: MemoryBus },
): Feeder[] {
  return Array.from({ length: plan.scene.feeders }, (_, index) => {
    const deliveries = plan.deliveries.filter(({ feeder }) => feeder === index);
    const imports = plan.imports.filter(({ feeder }) => feeder === index);
    const name = `feeder-${index}`;
    const { latenessMs } = plan.scene;
    const startMs = plan.scene.startMs - BEGIN_MS + (plan.startsMs[index] ?? 0);
    return new Feeder({ ...parts, name, latenessMs, deliveries, imports, startMs });
  });
}

type Scenery = {
  readonly world: World;
  readonly bus: MemoryBus;
  readonly plan: Plan;
  readonly feeders: readonly Feeder[];
  readonly workers: readonly Worker[];
  readonly seen: Seen;
};

/** Says what it waits for where it does not come to an end. */
async function live(scenery: Scenery): Promise<string | undefined> {
  const { world, bus, plan, feeders, workers, seen } = scenery;
  const { scheduler, chance } = world;
  world.isRough = false;
  const all = plan.startsMs.filter((startMs) => startMs === 0).length * plan.partitions;
  if (!(await scheduler.run(() => seen.ticked.size === all, BEGIN_MS)))
    return "a feeder did not begin";
  world.isRough = true;
  for (const worker of workers)
    scheduler.after(chance.is(0.7) ? 0 : chance.int(0, 20_000), () => worker.start());
  const roughMs = BEGIN_MS + plan.scene.spanMs + plan.scene.latenessMs;
  const stopMeddling = meddle(scenery);
  await scheduler.run(() => false, roughMs);
  stopMeddling();
  world.isRough = false;
  for (const worker of workers) worker.start();
  const isTaken = (): boolean => feeders.every(({ isDone }) => isDone) && isQuiet(scenery);
  if (!(await scheduler.run(looksEvery(scheduler, isTaken), CALM_MS_MAX)))
    return `not all that was sent was taken: ${waiting(scenery)}`;
  if (feeders.length > 1 && chance.is(0.3)) chance.one(feeders).die();
  // In steps, for a feeder that is gone is given up only while the others are heard.
  const steps = world.counts.has("clock set") ? 2 * LEAPS : LEAPS;
  const aheadMs = leapMs(seen, plan) + (steps > LEAPS ? 2 * CLOCK_SET_MS_MAX : 0);
  for (let step = 0; step < steps; step++) {
    scheduler.leap(Math.ceil(aheadMs / steps));
    await scheduler.run(() => false, 6000);
  }
  if (
    !(await scheduler.run(
      looksEvery(scheduler, () => isQuiet(scenery)),
      CALM_MS_MAX,
    ))
  )
    return `the last words were not taken: ${waiting(scenery)}`;
  for (const { topic, name } of bus.groups.values()) scheduler.note(`${topic} ${name}`);
  return undefined;
}

const isQuiet = ({ bus, workers }: Scenery): boolean =>
  workers.every(({ isAlive }) => isAlive) && bus.isCaughtUp();

const waiting = ({ bus, feeders, workers }: Scenery): string =>
  [
    ...feeders.flatMap((feeder) => (feeder.isDone ? [] : [feeder.name])),
    ...workers.flatMap((worker) => (worker.isAlive ? [] : [worker.name])),
    ...bus.behind(),
  ].join(", ");

/** So far that every window is behind the watermark. */
function leapMs({ events }: Seen, { scene, daysAfter }: Plan): number {
  let lastMs = 0;
  for (const event of events.values())
    if (event.wache.stream === "live" && !event.wache.late && !event.wache.implausible)
      lastMs = Math.max(lastMs, Date.parse(event["@timestamp"]));
  const aheadMs = Math.min(Math.max(0, lastMs - scene.startMs), 2 * IMPLAUSIBLE_AHEAD_MS);
  return LEAP_MS_MIN + aheadMs + scene.latenessMs + daysAfter * DAY_MS;
}

/** True only at times: looking costs more than a step. */
function looksEvery(scheduler: World["scheduler"], holds: () => boolean): () => boolean {
  let nextMs = 0;
  return () => {
    if (scheduler.nowMs < nextMs) return false;
    nextMs = scheduler.nowMs + LOOK_MS;
    return holds();
  };
}

/** From outside: workers stopped and started, members put out, the bus or the store away, old records gone. */
function meddle({ world, bus, workers, feeders }: Scenery): () => void {
  const { chance, scheduler } = world;
  let over = false;
  const look = (): void => {
    if (over) return;
    const groups = [...bus.groups.values()];
    if (groups.length > 0 && world.comes("kick")) chance.one(groups).kick();
    if (world.comes("stop")) chance.one(workers).stop();
    if (world.comes("feeder stop")) chance.one(feeders).stop();
    if (world.comes("clock set"))
      chance.one(feeders).setClock(chance.one([0, 1, -1]) * chance.int(100, CLOCK_SET_MS_MAX));
    if (world.comes("bus away")) world.busAwayUntilMs = world.nowMs + chance.int(500, 20_000);
    if (world.comes("store away")) world.storeAwayUntilMs = world.nowMs + chance.int(500, 30_000);
    if (world.comes("retention")) bus.expire(GROUPS);
    if (world.comes("compaction")) bus.log.compact(TOPIC.state);
    scheduler.after(chance.int(100, 400), look);
  };
  scheduler.after(chance.int(0, 400), look);
  return () => {
    over = true;
    world.busAwayUntilMs = 0;
    world.storeAwayUntilMs = 0;
    for (const feeder of feeders) feeder.setClock(0);
  };
}

// live.ts — the times of a run: rough, then calm until all is taken, then the clock far ahead, so that everything that waits
// is told; and who meddles in the rough one.
import { DAY_MS, IMPLAUSIBLE_AHEAD_MS } from "../../core/event.ts";
import { TOPIC } from "../../core/records.ts";
import type { Feeder } from "./feeder.ts";
import type { MemoryBus } from "./memory-bus.ts";
import { BEGIN_MS, type Plan } from "./plan.ts";
import type { Seen } from "./seen.ts";
import type { Worker } from "./worker.ts";
import type { World } from "./world.ts";

const CALM_MS_MAX = 20 * 60_000; // in which all must have been taken
const LEAP_MS_MIN = 20 * 60_000; // more than a silent feeder is waited for
const CLOCK_SET_MS_MAX = 3_600_000;
const LOOK_MS = 250;
const LEAPS = 4;
const GROUPS = 7; // that read something: without one of them nothing may be removed

export type Scenery = {
  readonly world: World;
  readonly bus: MemoryBus;
  readonly plan: Plan;
  readonly feeders: readonly Feeder[];
  readonly workers: readonly Worker[];
  readonly seen: Seen;
};

/** Says what it waits for where it does not come to an end. */
export async function live(scenery: Scenery): Promise<string | undefined> {
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

// plan.ts — draws what a run is made of: editions of its rules, what is told by whom and when, the house, the faults' odds.
import { readAssets } from "../../core/assets.ts";
import { DAY_MS } from "../../core/event.ts";
import { indexedMatcher } from "../../correlator/match/indexed.ts";
import { readRules } from "../../correlator/sigma/load.ts";
import type { Chance } from "./chance.ts";
import type { DrawnDeadline } from "./deadlines.ts";
import { assetsText, type DrawnSet, withAssets } from "./drawn-assets.ts";
import { withChains } from "./drawn-chains.ts";
import {
  BUSY,
  type Delivery,
  type DrawnEvent,
  drawDeliveries,
  drawEvents,
  type Scene,
} from "./drawn-events.ts";
import { drawReloads, type Reloads } from "./drawn-reloads.ts";
import { drawReload, drawRules, yamlOf } from "./drawn-rules.ts";
import type { AllEditions, Edition } from "./editions.ts";
import type { Import } from "./feeder.ts";
import { ROLES, type Role } from "./worker.ts";
import { FAULTS, type Odds, type World } from "./world.ts";

const START_MS = Date.UTC(2026, 0, 15, 12);
export const BEGIN_MS = 10_000; // after the start, things happen

const TITLES = ["first", "second", "third"];
export type Editions = {
  readonly all: AllEditions;
  /** Which of them a worker has; undefined: the one or the other, drawn when it starts. */
  readonly takenBy?: Reloads["takenBy"];
};

/** The same rules under other titles, at times one of them changed. */
export function drawEditions(chance: Chance): Editions {
  for (;;) {
    const drawn = withAssets(withChains(drawRules(chance)));
    const other = { ...drawn, rules: drawReload(chance, drawn.rules) };
    const reloads = drawReloads(drawn);
    const [first, ...others] = (reloads?.sets ?? [drawn, other]).map((set, index) =>
      editionOf(set, TITLES[index] ?? ""),
    );
    if (first && others.every((one) => one !== undefined))
      return { all: [first, ...others], ...(reloads && { takenBy: reloads.takenBy }) };
  }
}

/** What a worker has for as long as it runs, or takes while it runs. */
export function rulesOf({ all, takenBy }: Editions, world: World, worker: string) {
  if (takenBy === undefined) {
    const { active } = world.chance.one(all);
    return () => active;
  }
  return () => (all[takenBy(worker, world.nowMs - world.startMs)] ?? all[0]).active;
}

/** Undefined where a condition is one that nothing can satisfy. */
function editionOf({ rules, assets }: DrawnSet, title: string): Edition | undefined {
  const text = yamlOf(rules, title);
  const known = assetsText(assets);
  const inventory = readAssets([{ path: "assets.yml", text: known }]).assets;
  const { set } = readRules([{ path: "drawn.yml", text, lenient: false }], { inventory });
  return set && { rules, assets: known, active: { set, matcher: indexedMatcher(set) } };
}

export type Plan = {
  readonly scene: Scene;
  readonly daysAfter: number;
  readonly partitions: number;
  readonly evidenceMax: number;
  readonly snapshotS: number;
  readonly deliveries: readonly Delivery[];
  readonly imports: readonly (Import & { readonly feeder: number })[];
  readonly workers: readonly (readonly Role[])[];
  readonly startsMs: readonly number[]; // of the feeders
};

export function drawPlan(chance: Chance, deadline: DrawnDeadline | undefined): Plan {
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
export const allFromTheStart = (plan: Plan): Plan => ({
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
export function drawOdds(chance: Chance): Odds {
  const share = chance.one([0, 0.3, 0.6, 1]);
  const times = chance.one([0.5, 1, 1, 3]);
  const odds = Object.fromEntries(
    FAULTS.filter(() => chance.is(share)).map((fault) => [fault, ODDS[fault] * times]),
  );
  return { ...odds, [chance.is(0.3) ? "feeder stop" : "clock set"]: 0 }; // one of the two: see allFromTheStart
}

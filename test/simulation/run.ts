// run.ts — one seed: draws a world, runs the real stages in it through its faults, and compares what is left.
//
// The path: plan.ts draws → feeders, workers → live.ts lets time pass → outcome.ts.
import type { Finding, Incident } from "../../core/records.ts";
import { drawBounds } from "./bounds.ts";
import { chanceOf } from "./chance.ts";
import { deadlineIn, yamlOf } from "./drawn-rules.ts";
import { withEdges } from "./edges.ts";
import { endOf, Feeder } from "./feeder.ts";
import { live } from "./live.ts";
import { MemoryBus } from "./memory-bus.ts";
import { MemoryStore } from "./memory-store.ts";
import { type Differences, differencesOf } from "./outcome.ts";
import {
  allFromTheStart,
  BEGIN_MS,
  drawEditions,
  drawOdds,
  drawPlan,
  type Plan,
  rulesOf,
} from "./plan.ts";
import { watch } from "./seen.ts";
import { type House, Worker } from "./worker.ts";
import { type Fault, World } from "./world.ts";

export type Outcome = Differences & {
  readonly seed: number;
  readonly events: number;
  readonly gaveUp: number; // rules that reached a bound
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
  const { rules } = editions.all[0];
  const drawn = drawPlan(chance.fork(), deadlineIn(rules));
  const forked = chance.fork();
  const odds = drawOdds(chance.fork());
  const delayMsMax = chance.one([0, 3, 20, 200]);
  const bounds = drawBounds(chance.fork());
  const deliveries = withEdges(chance.fork(), { rules, scene: drawn.scene }, drawn.deliveries);
  const plan = { ...(odds["clock set"] ? allFromTheStart(drawn) : drawn), deliveries };
  const world = new World({
    ...{ chance: forked, startMs: drawn.scene.startMs - BEGIN_MS, odds },
    delayMsMax,
    ...(options.keepLines && { keepLines: true }),
  });
  const bus = new MemoryBus(world);
  const store = new MemoryStore(world);
  bus.ensureTopics(plan.partitions);
  const seen = watch(bus, plan);
  const { evidenceMax, snapshotS, scene } = plan;
  const house: House = {
    ...{ world, bus, store, rules: (worker) => rulesOf(editions, world, worker) },
    settings: { latenessMs: scene.latenessMs, evidenceMax, snapshotS, bounds },
    gaveUp: new Set(),
  };
  const feeders = feedersOf(plan, { world, bus });
  const workers = plan.workers.map((roles, index) => new Worker(house, `w${index}`, roles));
  const stuck = await live({ world, bus, plan, feeders, workers, seen });
  const incidents = [...store.documents("incidents").values()].map(({ body }) => body);
  const findings = [...store.documents("findings").values()].map(({ body }) => body);
  const differences = differencesOf({
    editions: editions.all,
    evidenceMax,
    events: [...seen.events.values()],
    acknowledged: new Set(feeders.flatMap(({ acknowledged }) => [...acknowledged])),
    stored: new Set(store.events.keys()),
    findings: findings as unknown as readonly Finding[],
    incidents: incidents as unknown as readonly Incident[],
    pages: [...seen.pages.values()],
    deadLetters: seen.deadLetters,
    ...{ signalClock: seen.signalClock, latenessMs: scene.latenessMs, partitions: plan.partitions },
    gaveUp: house.gaveUp,
    importClockMs: (name) => {
      const events = plan.imports.find(({ stream }) => stream === name)?.events ?? [];
      return endOf(events);
    },
  });
  return {
    ...differences,
    gaveUp: house.gaveUp.size,
    ...{ seed, events: seen.events.size, faults: world.counts },
    ...(stuck !== undefined && { stuck }),
    trace: world.scheduler.trace,
    lines: [
      ...(world.scheduler.lines ?? []),
      ...(options.keepLines
        ? editions.all.map(({ rules, assets }) => `${yamlOf(rules, "")}\n${assets}`)
        : []),
    ],
  };
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

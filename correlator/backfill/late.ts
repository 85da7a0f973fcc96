// late.ts — correlates what came later than the lateness: live left it out, the store has it.
//
// In:    late events that were not yet looked at; all kept events that one window can hold with them.
// Out:   findings that are new or fuller because of them.
// Holds: what late events change nothing of is not told; an event is looked at again until no window with it can still
//        grow. A run that breaks off, or two at once, tell nothing twice.
import { type EcsEvent, LIVE, timeOf } from "../../core/event.ts";
import type { Finding } from "../../core/records.ts";
import { type Telling, tellFuller } from "./backfill.ts";
import { fullnessOf } from "./fuller.ts";
import type { EventsWish, KeptWorld } from "./kept-world.ts";
import { type LateProgress, notDone, readProgress, saveProgress } from "./late-progress.ts";
import { eventsOf, findInRange, type Rules } from "./range.ts";
import { mayGrow, mostOf, narrowed, type Reach, reachOf, touchedBy } from "./reach.ts";

export type LateWish = Telling & {
  readonly settledMs: number;
  readonly sinceMs?: number; // where nothing was looked at so far: what was received before is left alone
  readonly fromMs?: number; // only late events of a range, again
  readonly toMs?: number;
};
export type LateRun = {
  readonly late: number; // events that were looked at
  readonly told: number;
  readonly pending: number; // of them to be looked at again: their windows may still grow
};

/** Late events of one stream that windows may hold together. */
type Cluster = {
  readonly stream: string;
  readonly events: EcsEvent[];
  readonly touched: Set<string>; // versions of correlations
  readonly fromMs: number;
  toMs: number;
};

export async function backfillLate(
  world: KeptWorld,
  rules: Rules,
  wish: LateWish,
): Promise<LateRun> {
  const isAgain = wish.fromMs !== undefined || wish.toMs !== undefined;
  const progress = isAgain ? undefined : await readProgress(world, wish.sinceMs);
  const all = await lateEvents(world, wish, progress);
  const late = progress ? notDone(all, progress) : all;
  const reach = reachOf(rules.set);
  const pending: EcsEvent[] = [];
  let told = 0;
  for (const cluster of clustersOf(late, rules, reach)) {
    const set = narrowed(rules.set, cluster.touched);
    const { changed, growing } = await changesIn(world, { ...rules, set }, { cluster, wish });
    told += await tellFuller(world, changed, wish);
    pending.push(...growing);
  }
  if (progress) await saveProgress(world, progress, { late: all, pending });
  return { late: late.length, told, pending: pending.length };
}

async function lateEvents(
  world: KeptWorld,
  { fromMs, toMs }: LateWish,
  progress: LateProgress | undefined,
): Promise<readonly EcsEvent[]> {
  const received =
    progress?.fromMs === undefined
      ? ""
      : ` AND (wache.clockMs:>=${progress.fromMs} OR NOT wache.stream:${LIVE})`;
  const late: EcsEvent[] = [];
  const wish: EventsWish = {
    ...{ q: `wache.late:true${received}`, order: "oldest" },
    ...(fromMs !== undefined && { fromMs }),
    ...(toMs !== undefined && { toMs }),
  };
  for await (const event of eventsOf(world, wish)) late.push(event);
  return late;
}

/** Events that no correlation counts are in none. */
function clustersOf(
  late: readonly EcsEvent[],
  { set, matcher }: Rules,
  reach: Reach,
): readonly Cluster[] {
  const open = new Map<string, Cluster>();
  const all: Cluster[] = [];
  for (const event of late) {
    const matched = matcher.match(event, event.wache.sources).map(({ rule }) => rule);
    const touched = touchedBy(set, matched);
    if (touched.size === 0) continue;
    const timeMs = timeOf(event);
    const { stream } = event.wache;
    let cluster = open.get(stream);
    const spanMs = Math.max(farOf(touched, reach), farOf(cluster?.touched ?? touched, reach));
    if (cluster === undefined || timeMs > cluster.toMs + spanMs) {
      cluster = { stream, events: [], touched: new Set(), fromMs: timeMs, toMs: timeMs };
      open.set(stream, cluster);
      all.push(cluster);
    }
    cluster.events.push(event);
    cluster.toMs = timeMs;
    for (const version of touched) cluster.touched.add(version);
  }
  return all;
}

const farOf = (versions: ReadonlySet<string>, reach: Reach): number =>
  Math.max(0, ...[...versions].map((version) => reach.get(version) ?? 0));

/** Correlated without the late events and with them: the difference is what they change. */
async function changesIn(
  world: KeptWorld,
  rules: Rules,
  { cluster, wish }: { readonly cluster: Cluster; readonly wish: LateWish },
): Promise<{ readonly changed: readonly Finding[]; readonly growing: readonly EcsEvent[] }> {
  const { stream, fromMs, toMs } = cluster;
  const { settledMs } = wish;
  const reach = reachOf(rules.set);
  const farMs = mostOf(reach); // a chain's finding may lie as far from the late event that made it
  const found = await findInRange(world, rules, {
    ...{ fromMs: fromMs - farMs, toMs: toMs + farMs, settledMs, late: true },
    q: `wache.stream:${JSON.stringify(stream)}`,
  });
  const before = new Map(found.findings.map((one) => [one.id, fullnessOf(one)]));
  const changed = found.withLate.filter(
    (one) => cluster.touched.has(one.ruleVersion) && fullnessOf(one) > (before.get(one.id) ?? 0),
  );
  if (stream !== LIVE) return { changed, growing: [] };
  const open = found.withLate.filter((one) => mayGrow(one, { reach, settledMs }));
  const isOpen = (timeMs: number): boolean =>
    timeMs + farMs >= settledMs || open.some(({ firstMs }) => timeMs >= firstMs - farMs);
  return { changed, growing: cluster.events.filter((event) => isOpen(timeOf(event))) };
}

// late-progress.ts — which late events were looked at: a document in the store, carried on by whoever looked last.
//
// Holds: live ones by their receipt, less a grace in which the way to the store may put them in another order; imports,
//        whose clocks are not ours, by how many of each were looked at.
import { type EcsEvent, LIVE } from "../../core/event.ts";
import { CHECKPOINT, type KeptWorld } from "./kept-world.ts";

const GRACE_MS = 3_600_000;
const DONE_MAX = 20_000; // beyond it, events are looked at once more, which changes nothing
const IMPORTS_MAX = 1000;

export type LateProgress = {
  readonly revision: number; // 0: none was kept so far
  readonly newestMs?: number; // receipt of the newest live one that was looked at
  readonly fromMs?: number; // live ones received before are done
  readonly done: readonly (readonly [id: string, receiptMs: number])[]; // of those received since
  readonly imports: Readonly<Record<string, number>>; // late events of each that are done
};

/** `sinceMs`: where none was kept, live ones received before are left alone. */
export async function readProgress(
  world: Pick<KeptWorld, "checkpoint">,
  sinceMs: number | undefined,
): Promise<LateProgress> {
  const kept = await world.checkpoint();
  if (kept) return { ...(kept.body as Omit<LateProgress, "revision">), revision: kept.revision };
  const from = sinceMs === undefined ? {} : { fromMs: sinceMs, newestMs: sinceMs };
  return { revision: 0, ...from, done: [], imports: {} };
}

/** Those that were not looked at, or of imports that have more than when they were. */
export function notDone(
  late: readonly EcsEvent[],
  { done, imports }: LateProgress,
): readonly EcsEvent[] {
  const ids = new Set(done.map(([id]) => id));
  const counts = countsOf(late);
  return late.filter(({ event, wache: { stream } }) =>
    stream === LIVE ? !ids.has(event.id) : counts.get(stream) !== imports[stream],
  );
}

export async function saveProgress(
  world: Pick<KeptWorld, "note">,
  before: LateProgress,
  { late, pending }: { readonly late: readonly EcsEvent[]; readonly pending: readonly EcsEvent[] },
): Promise<void> {
  const live = late.filter(({ wache }) => wache.stream === LIVE);
  const newestMs = Math.max(before.newestMs ?? 0, ...maxima(live));
  const fromMs = pending.reduce(
    (least, event) => Math.min(least, receiptOf(event)),
    newestMs - GRACE_MS,
  );
  const again = new Set(pending.map(({ event }) => event.id));
  const seen = new Map([
    ...before.done,
    ...live.map((one) => [one.event.id, receiptOf(one)] as const),
  ]);
  const done = [...seen]
    .filter(([id, receiptMs]) => receiptMs >= fromMs && !again.has(id))
    .sort(([, a], [, b]) => b - a)
    .slice(0, DONE_MAX);
  const imports = { ...before.imports, ...Object.fromEntries(countsOf(late)) };
  const body: Omit<LateProgress, "revision"> = {
    ...{ newestMs, fromMs, done },
    imports: Object.fromEntries(Object.entries(imports).slice(-IMPORTS_MAX)),
  };
  const revision = before.revision + 1;
  // Another one that looked at the same time wrote what it saw: the next run goes on from there.
  await world.note({ id: CHECKPOINT, revision, body }, before.revision);
}

const receiptOf = ({ wache }: EcsEvent): number => wache.clockMs ?? 0;

const maxima = (events: readonly EcsEvent[]): readonly number[] =>
  events.length === 0 ? [] : [events.reduce((most, event) => Math.max(most, receiptOf(event)), 0)];

function countsOf(late: readonly EcsEvent[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { wache } of late)
    if (wache.stream !== LIVE) counts.set(wache.stream, (counts.get(wache.stream) ?? 0) + 1);
  return counts;
}

// frozen.ts — a group as a short text: how snapshots have it, and how one is kept that does not fit on the shelf.
//
// Holds: a group that is thawed behaves as the one that was frozen.
import type { Carried, EventValues, Level } from "../../core/records.ts";
import type { Episode, Span } from "./episodes.ts";
import { type Carry, emptyGroup, type Group } from "./group.ts";

/** Times as steps from the one before; lists and what follows are left out from the end where nothing is in them. */
type Frozen = readonly [
  steps: number[],
  ids: string[],
  episodes?: readonly FrozenEpisode[],
  rest?: Rest,
];
type FrozenEpisode = readonly [
  firstMs: number,
  lastMs: number,
  revision: number,
  dirty: 0 | 1,
  dueMs: number | null,
  id?: string | null,
  replaces?: readonly string[],
  level?: Level | null,
  toldLastMs?: number,
];
type Rest = {
  readonly froms?: number[] | undefined;
  readonly values?: EventValues[] | undefined;
  readonly carried?: (Carried | undefined)[] | undefined;
  readonly held?: number[] | undefined;
  readonly forgottenBeforeMs?: number | undefined;
  readonly settledMs?: number | undefined;
  readonly late?: Span | undefined;
  readonly carry?: Carry | undefined;
  readonly bounded?: true | undefined;
  readonly lacking?: true | undefined;
  readonly page?: true | undefined;
};
const NO_REST: Rest = {};

export function freeze(group: Group): string {
  const { members, episodes } = group;
  const { times, ids } = members;
  const steps = new Array<number>(times.length);
  let beforeMs = 0;
  for (let index = 0; index < times.length; index++) {
    const timeMs = times[index] as number;
    steps[index] = timeMs - beforeMs;
    beforeMs = timeMs;
  }
  const rest = restOf(group);
  if (rest) return JSON.stringify([steps, ids, episodes.map(frozenEpisode), rest] satisfies Frozen);
  if (episodes.length === 0) return JSON.stringify([steps, ids] satisfies Frozen);
  return JSON.stringify([steps, ids, episodes.map(frozenEpisode)] satisfies Frozen);
}

function restOf(group: Group): Rest | undefined {
  const { froms, values, carried, held } = group.members;
  const { forgottenBeforeMs, settledMs, late, carry } = group;
  const bounded = group.bounded ? (true as const) : undefined;
  const lacking = group.lacking ? (true as const) : undefined;
  const page = group.page ? (true as const) : undefined;
  const marks = { bounded, lacking, page };
  const isMarked = bounded || lacking || page;
  const isPlain = !(froms || values || carried || held || late || carry || isMarked);
  if (isPlain && forgottenBeforeMs === undefined && settledMs === undefined) return undefined;
  return { froms, values, carried, held, forgottenBeforeMs, settledMs, late, carry, ...marks };
}

export function thaw(values: readonly string[], text: string): Group {
  const [steps, ids, episodes, rest = NO_REST] = JSON.parse(text) as Frozen;
  const group = emptyGroup(values);
  const { members } = group;
  let timeMs = 0;
  for (let index = 0; index < steps.length; index++) {
    timeMs += steps[index] as number;
    steps[index] = timeMs;
  }
  members.times = steps;
  members.ids = ids;
  members.froms = rest.froms;
  members.values = rest.values;
  members.carried = rest.carried?.map((one) => one ?? undefined);
  members.held = rest.held;
  if (episodes) group.episodes = episodes.map(thawedEpisode);
  group.forgottenBeforeMs = rest.forgottenBeforeMs;
  group.settledMs = rest.settledMs;
  group.late = rest.late;
  group.carry = rest.carry;
  group.bounded = rest.bounded === true;
  group.lacking = rest.lacking === true;
  group.page = rest.page === true;
  return group;
}

function frozenEpisode(episode: Episode): FrozenEpisode {
  const { firstMs, lastMs, revision, isDirty, dueMs, id, replaces, level, toldLastMs } = episode;
  const base = [firstMs, lastMs, revision, isDirty ? 1 : 0, dueMs] as const;
  if (toldLastMs !== undefined) return [...base, id ?? null, replaces, level ?? null, toldLastMs];
  if (level !== undefined) return [...base, id ?? null, replaces, level];
  if (replaces.length > 0) return [...base, id ?? null, replaces];
  return id === undefined ? base : [...base, id];
}

function thawedEpisode(frozen: FrozenEpisode): Episode {
  const [firstMs, lastMs, revision, dirty, dueMs, id, replaces = [], level, toldLastMs] = frozen;
  const known = { id: id ?? undefined, level: level ?? undefined, toldLastMs };
  return { firstMs, lastMs, revision, replaces, isDirty: dirty === 1, dueMs, ...known };
}

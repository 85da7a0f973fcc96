// frozen.ts — a group as a short text: how it is kept while nothing happens to it, and in snapshots.
//
// Holds: a group that is thawed behaves as the one that was frozen.
// Why:   a million groups of a few members each: as objects they weigh three times as much, and every one is
//        looked at by each garbage collection (docs/decisions/0008).
import type { EventValues } from "../../core/records.ts";
import type { Episode, Span } from "./episodes.ts";
import type { Carry, Group } from "./group.ts";
import { Members } from "./members.ts";

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
];
type Rest = {
  readonly froms?: number[];
  readonly values?: EventValues[];
  readonly held?: number[];
  readonly forgottenBeforeMs?: number;
  readonly settledMs?: number;
  readonly late?: Span;
  readonly carry?: Carry;
  readonly bounded?: true;
  readonly page?: true;
};

export function freeze(group: Group): string {
  const { members, episodes, slide: _, fingerprint: __, values: ___, ...own } = group;
  const { times, ids, froms, values, held } = members;
  const steps = new Array<number>(times.length);
  let beforeMs = 0;
  for (let index = 0; index < times.length; index++) {
    const timeMs = times[index] as number;
    steps[index] = timeMs - beforeMs;
    beforeMs = timeMs;
  }
  const rest: Rest = {
    ...own,
    ...(froms && { froms }),
    ...(values && { values }),
    ...(held && { held }),
  };
  const told = episodes.map(frozenEpisode);
  const frozen: Frozen = hasAny(rest)
    ? [steps, ids, told, rest]
    : told.length > 0
      ? [steps, ids, told]
      : [steps, ids];
  return JSON.stringify(frozen);
}

export function thaw(values: readonly string[], text: string): Group {
  const [steps, ids, episodes = [], rest = {}] = JSON.parse(text) as Frozen;
  const { froms, values: counted, held, ...own } = rest;
  const members = new Members();
  let timeMs = 0;
  for (let index = 0; index < steps.length; index++) {
    timeMs += steps[index] as number;
    steps[index] = timeMs;
  }
  members.times = steps;
  members.ids = ids;
  members.froms = froms;
  members.values = counted;
  members.held = held;
  return { values, members, episodes: episodes.map(thawedEpisode), ...own };
}

const hasAny = (rest: Rest): boolean => {
  for (const _ in rest) return true;
  return false;
};

function frozenEpisode(episode: Episode): FrozenEpisode {
  const { firstMs, lastMs, revision, isDirty, dueMs, id, replaces } = episode;
  const base = [firstMs, lastMs, revision, isDirty ? 1 : 0, dueMs] as const;
  if (replaces.length > 0) return [...base, id ?? null, replaces];
  return id === undefined ? base : [...base, id];
}

function thawedEpisode([
  firstMs,
  lastMs,
  revision,
  dirty,
  dueMs,
  id,
  replaces,
]: FrozenEpisode): Episode {
  const base = { firstMs, lastMs, revision, replaces: replaces ?? [], isDirty: dirty === 1, dueMs };
  return id === undefined || id === null ? base : { ...base, id };
}

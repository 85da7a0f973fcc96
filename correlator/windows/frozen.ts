// frozen.ts — a group as a short text: how it is kept while nothing happens to it, and in snapshots.
//
// Holds: a group that is thawed behaves as the one that was frozen.
// Why:   a million groups of a few members each: as objects they weigh three times as much, and every one is
//        looked at by each garbage collection (docs/decisions/0008).
import type { EventValues, Level } from "../../core/records.ts";
import type { Episode, Span } from "./episodes.ts";
import { type Carry, emptyGroup, type Group } from "./group.ts";
import type { Member } from "./members.ts";

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
  readonly held?: number[] | undefined;
  readonly forgottenBeforeMs?: number | undefined;
  readonly settledMs?: number | undefined;
  readonly late?: Span | undefined;
  readonly carry?: Carry | undefined;
  readonly bounded?: true | undefined;
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

function restOf({
  members,
  forgottenBeforeMs,
  settledMs,
  late,
  carry,
  ...group
}: Group): Rest | undefined {
  const { froms, values, held } = members;
  const bounded = group.bounded ? (true as const) : undefined;
  const page = group.page ? (true as const) : undefined;
  const isPlain = !(froms || values || held || late || carry || bounded || page);
  if (isPlain && forgottenBeforeMs === undefined && settledMs === undefined) return undefined;
  return { froms, values, held, forgottenBeforeMs, settledMs, late, carry, bounded, page };
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
  members.held = rest.held;
  if (episodes) group.episodes = episodes.map(thawedEpisode);
  group.forgottenBeforeMs = rest.forgottenBeforeMs;
  group.settledMs = rest.settledMs;
  group.late = rest.late;
  group.carry = rest.carry;
  group.bounded = rest.bounded === true;
  group.page = rest.page === true;
  return group;
}

/** The time of the last member; undefined where only a thawed group tells it. */
export function lastMsIn(text: string): number | undefined {
  return membersIn(text)?.lastMs;
}

/** The text of a group that has just begun. */
export const begun = ({ timeMs, id }: Member): string =>
  oneText("[[", timeMs, "],[", JSON.stringify(id), "]]");

/**
 * The text with one more member, behind the last one; undefined where it must be thawed to know what that means: it has
 * more than members, this one may be among them or before them, or there would be `countMax` or more.
 */
export function appended(
  text: string,
  { timeMs, id }: Member,
  countMax: number,
): string | undefined {
  if (!text.endsWith(ONLY_MEMBERS)) return undefined;
  const members = membersIn(text);
  const name = JSON.stringify(id);
  if (!members || members.count + 1 >= countMax || timeMs <= members.lastMs) return undefined;
  if (!Number.isSafeInteger(timeMs) || text.includes(name)) return undefined;
  const { end, lastMs } = members;
  return oneText(text.slice(0, end), ",", timeMs - lastMs, text.slice(end, -2), ",", name, "]]");
}
const ONLY_MEMBERS = '"]]'; // ids come last; an episode would end with ]]] and what else there is with }]

/** One text of its own. What `+` puts together keeps its parts alive, and what they were cut from. */
const oneText = (...parts: readonly (string | number)[]): string => parts.join("");

type InText = { readonly count: number; readonly lastMs: number; readonly end: number };

/** Reads the steps, which are whole numbers but for odd times; `end` is where their list ends. */
function membersIn(text: string): InText | undefined {
  let lastMs = 0;
  let count = 0;
  let step = 0;
  let sign = 1;
  for (let at = 2; ; at++) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code < ZERO + 10) step = step * 10 + (code - ZERO);
    else if (code === MINUS) sign = -1;
    else if (code === COMMA || code === CLOSED) {
      lastMs += sign * step;
      count += 1;
      if (code === CLOSED) return at === 2 ? undefined : { count, lastMs, end: at };
      step = 0;
      sign = 1;
    } else return undefined;
  }
}
const [ZERO, MINUS, COMMA, CLOSED] = [48, 45, 44, 93];

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

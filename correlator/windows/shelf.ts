// shelf.ts — small, plain groups as bytes: how they are kept while nothing happens to them, and how they grow.
//
// Holds: what is read is as it was put up. A group that does not fit (values, ids that are long or not Latin-1, times
//        before 1970 or within a millisecond, several episodes, something else told of it) is refused, and somebody else
//        keeps it. What is freed is used again, and given back when the shelf goes.
// Why:   a million groups of a few members each: objects weigh five times as much and each garbage collection looks at
//        every one; of a text, each member makes a new one (docs/decisions/0010).
//
// A cell is some units of 8 bytes in a chunk. A group's place is that of its last member, or of its episode:
//   0 the cell before, plus one (uint32) | 4 time, or first (uint32, and 8: uint16 above it) | 10 flags, members up to this one | 11 letters of the id
//   of a member:   12 its rule's place | 13 id
//   of an episode: 16 last (and 12 above) | 20 due (and 14 above) | 24 revision (uint32) | 28 id
import { withOne } from "../with-one.ts";
import type { Gauge } from "./condition.ts";
import type { Episode } from "./episodes.ts";
import { emptyGroup, type Group } from "./group.ts";
import type { Member } from "./members.ts";

/** How far a group gets without being looked at. */
export type AtRest = {
  readonly max: number; // members
  /** Of its first rule alone so many must be within `spanMs` before its condition may hold. */
  readonly count: number;
  readonly spanMs: number;
  /** Whether it does hold then: it does, or a gauge with nothing in it says so. Undefined: somebody has to look at the group. */
  readonly holds: Gauge | true | undefined;
  readonly mayBegin: boolean; // an episode may: nobody waits for its first revision
};

const UNIT = 8;
const CHUNK_BITS = 15;
const CHUNK_UNITS = 2 ** CHUNK_BITS; // at most; the first have fewer, so that a rule with few groups costs little
const FIRST_CHUNK_UNITS = 64; // more than the largest cell
const [BEFORE, FLAGS, LETTERS, FROM, MEMBER_ID] = [0, 10, 11, 12, 13];
const [REVISION, EPISODE_ID] = [24, 28];
/** Where the lower 32 bits of a time are, and those above them. */
const [TIME, LAST, DUE] = [
  { low: 4, high: 8 },
  { low: 16, high: 12 },
  { low: 20, high: 14 },
] as const;
const COUNT_MAX = 15;
const [HAS_OTHERS, IS_EPISODE, IS_DIRTY, HAS_DUE] = [16, 32, 64, 128]; // others: matches of other rules than the first
const BYTE_MAX = 255;
const WORD = 2 ** 32;
const TIME_END_MS = 2 ** 48;
const UNTOLD = { id: undefined, revision: 0, dueMs: null, isDirty: true } as const;

// Of the group that is being read, or the window that is looked at; of no meaning afterwards.
const LETTERS_READ = Buffer.alloc(COUNT_MAX * BYTE_MAX);
const STARTS_READ = new Int32Array(COUNT_MAX);
const TIMES_READ = new Float64Array(COUNT_MAX);
const FROMS_READ = new Uint8Array(COUNT_MAX);

export class Shelf {
  /** The episode that has to be told, and had not before the last call of `append`. */
  news: Episode | undefined;
  readonly #bytes: Uint8Array[] = []; // by chunk
  readonly #halves: Uint16Array[] = [];
  readonly #words: Uint32Array[] = [];
  readonly #free: (number[] | undefined)[] = []; // by units
  #next = 0; // of the last chunk's units
  #end = 0;

  /** Puts a group up and gives its place; undefined where it does not fit. */
  put(group: Group): number | undefined {
    if (!fits(group)) return undefined;
    const { times, ids, froms } = group.members;
    let place: number | undefined;
    for (let index = 0; index < times.length; index++) {
      const [timeMs, id] = [times[index] as number, ids[index] as string];
      place = this.#add(place, { timeMs, id, from: froms?.[index] ?? 0 });
    }
    const [episode] = group.episodes;
    return episode && place !== undefined ? this.#addEpisode(place, episode) : place;
  }

  /** Puts up a group that begins with this member, which fits. */
  begin(member: Member): number {
    return this.#add(undefined, member);
  }

  /**
   * Adds a member behind the last one, lets its episode begin or grow where the condition holds then, and gives the place
   * where the group is; undefined, and nothing is changed, where it has to be looked at to know what the member means.
   */
  append(place: number, member: Member, rest: AtRest): number | undefined {
    this.news = undefined;
    const { timeMs } = member;
    const isEpisode = this.hasEpisode(place);
    const last = isEpisode ? this.#before(place) : place;
    if ((this.#byte(last, FLAGS) & COUNT_MAX) >= rest.max || timeMs <= this.#time(last))
      return undefined;
    const { holds, spanMs } = rest;
    const mayHold = this.#mayHold(last, member, rest);
    if (mayHold && holds === undefined) return undefined;
    const firstMs = mayHold && holds ? this.#heldFrom(last, member, { holds, spanMs }) : undefined;
    if (firstMs !== undefined && !(isEpisode ? this.#reaches(place, firstMs) : rest.mayBegin))
      return undefined;
    if (!fitsMember(member) || this.#has(last, member.id)) return undefined;
    const added = this.#add(last, member);
    if (isEpisode) {
      this.#setWord(place, BEFORE, added + 1);
      if (firstMs !== undefined) this.#grow(place, timeMs);
      return place;
    }
    if (firstMs === undefined) return added;
    const episode = this.#addEpisode(added, { firstMs, lastMs: timeMs, ...UNTOLD });
    this.news = this.#episodeAt(episode);
    return episode;
  }

  /** The group as it was put up. */
  read(place: number, values: readonly string[]): Group {
    const group = emptyGroup(values);
    const isEpisode = this.hasEpisode(place);
    if (isEpisode) group.episodes.push(this.#episodeAt(place));
    this.#readMembers(isEpisode ? this.#before(place) : place, group);
    return group;
  }

  /** All ids become one string, and are slices of that: to make a string of bytes costs as much as all the rest. */
  #readMembers(last: number, { members }: Group): void {
    const count = this.#byte(last, FLAGS) & COUNT_MAX;
    const times = new Array<number>(count).fill(0);
    const ids = new Array<string>(count).fill("");
    let froms: number[] | undefined;
    let start = LETTERS_READ.length;
    let place = last;
    for (let index = count - 1; index >= 0; index--) {
      const bytes = this.#bytesOf(place);
      const at = startOf(place);
      times[index] = this.#time(place);
      const letters = bytes[at + LETTERS] as number;
      start -= letters;
      for (let letter = 0; letter < letters; letter++)
        LETTERS_READ[start + letter] = bytes[at + MEMBER_ID + letter] as number;
      STARTS_READ[index] = start;
      const from = bytes[at + FROM] as number;
      if (from > 0) {
        froms ??= new Array<number>(count).fill(0);
        froms[index] = from;
      }
      place = this.#before(place);
    }
    const text = LETTERS_READ.toString("latin1", start);
    for (let index = 0; index < count; index++) {
      const next = index + 1 < count ? (STARTS_READ[index + 1] as number) : LETTERS_READ.length;
      ids[index] = text.slice((STARTS_READ[index] as number) - start, next - start);
    }
    members.times = times;
    members.ids = ids;
    members.froms = froms;
  }

  /** The time of the last member. */
  lastMs(place: number): number {
    return this.#time(this.hasEpisode(place) ? this.#before(place) : place);
  }

  hasEpisode(place: number): boolean {
    return (this.#byte(place, FLAGS) & IS_EPISODE) !== 0;
  }

  free(place: number): void {
    for (let cell = place; cell >= 0; cell = this.#before(cell)) {
      const units = this.#unitsOf(cell);
      this.#free[units] = withOne(this.#free[units], cell);
    }
  }

  /** Of the window that ends with this member, behind the last one. */
  #mayHold(last: number, { timeMs, from }: Member, { count, spanMs }: AtRest): boolean {
    const flags = this.#byte(last, FLAGS);
    if (from > 0 || (flags & HAS_OTHERS) !== 0) return true;
    const needed = count - 1; // before it
    return (flags & COUNT_MAX) >= needed && this.#timeBack(last, needed - 1) >= timeMs - spanMs;
  }

  /** The first time in the window that ends with this member, where the condition holds in it. */
  #heldFrom(
    last: number,
    { timeMs, from }: Member,
    { holds, spanMs }: { readonly holds: Gauge | true; readonly spanMs: number },
  ): number | undefined {
    const fromMs = timeMs - spanMs;
    let count = 0;
    for (let place = last; place >= 0 && this.#time(place) >= fromMs; place = this.#before(place)) {
      TIMES_READ[count] = this.#time(place);
      FROMS_READ[count] = this.#byte(place, FROM);
      count += 1;
    }
    const firstMs = count === 0 ? timeMs : (TIMES_READ[count - 1] as number);
    if (holds === true) return firstMs;
    for (let index = count - 1; index >= 0; index--)
      holds.add(TIMES_READ[index] as number, FROMS_READ[index] as number, undefined);
    holds.add(timeMs, from, undefined);
    const isHeld = holds.holds();
    for (let index = count - 1; index >= 0; index--)
      holds.remove(TIMES_READ[index] as number, FROMS_READ[index] as number, undefined);
    holds.remove(timeMs, from, undefined);
    return isHeld ? firstMs : undefined;
  }

  /** Whether a window that begins then is one with the episode. */
  #reaches(episode: number, firstMs: number): boolean {
    return firstMs >= this.#time(episode) && firstMs <= this.#time(episode, LAST);
  }

  #grow(episode: number, lastMs: number): void {
    this.#setTime(episode, LAST, lastMs);
    const bytes = this.#bytesOf(episode);
    const at = startOf(episode) + FLAGS;
    const flags = bytes[at] as number;
    bytes[at] = flags | IS_DIRTY;
    if ((flags & IS_DIRTY) === 0) this.news = this.#episodeAt(episode);
  }

  #add(before: number | undefined, { timeMs, id, from }: Member): number {
    const place = this.#allot(Math.ceil((MEMBER_ID + id.length) / UNIT));
    const bytes = this.#bytesOf(place);
    const at = startOf(place);
    const flags = before === undefined ? 0 : this.#byte(before, FLAGS);
    this.#setWord(place, BEFORE, (before ?? NONE) + 1);
    this.#setTime(place, TIME, timeMs);
    bytes[at + FLAGS] = (flags + 1) | (from > 0 ? HAS_OTHERS : 0);
    bytes[at + FROM] = from;
    writeText(bytes, at, MEMBER_ID, id);
    return place;
  }

  #addEpisode(
    before: number,
    episode: Pick<Episode, "firstMs" | "lastMs" | "dueMs" | "revision" | "isDirty" | "id">,
  ): number {
    const { firstMs, lastMs, dueMs, revision, isDirty, id } = episode;
    const place = this.#allot(Math.ceil((EPISODE_ID + (id?.length ?? 0)) / UNIT));
    const bytes = this.#bytesOf(place);
    const at = startOf(place);
    this.#setWord(place, BEFORE, before + 1);
    this.#setTime(place, TIME, firstMs);
    this.#setTime(place, LAST, lastMs);
    this.#setTime(place, DUE, dueMs ?? 0);
    this.#setWord(place, REVISION, revision);
    bytes[at + FLAGS] = IS_EPISODE | (isDirty ? IS_DIRTY : 0) | (dueMs === null ? 0 : HAS_DUE);
    writeText(bytes, at, EPISODE_ID, id ?? "");
    return place;
  }

  #episodeAt(place: number): Episode {
    const bytes = this.#bytesOf(place);
    const at = startOf(place);
    const flags = bytes[at + FLAGS] as number;
    return {
      firstMs: this.#time(place),
      lastMs: this.#time(place, LAST),
      id: bytes[at + LETTERS] === 0 ? undefined : textAt(bytes, at, EPISODE_ID),
      revision: this.#word(place, REVISION),
      replaces: [],
      level: undefined,
      toldLastMs: undefined,
      isDirty: (flags & IS_DIRTY) !== 0,
      dueMs: flags & HAS_DUE ? this.#time(place, DUE) : null,
    };
  }

  /** Compares from the end: ids that were counted up differ there. */
  #has(last: number, id: string): boolean {
    for (let place = last; place >= 0; place = this.#before(place)) {
      const bytes = this.#bytesOf(place);
      const at = startOf(place);
      if (bytes[at + LETTERS] !== id.length) continue;
      let index = id.length - 1;
      while (index >= 0 && bytes[at + MEMBER_ID + index] === id.charCodeAt(index)) index -= 1;
      if (index < 0) return true;
    }
    return false;
  }

  /** The time of the member so many before the last one. */
  #timeBack(last: number, steps: number): number {
    let place = last;
    for (let left = steps; left > 0; left--) place = this.#before(place);
    return this.#time(place);
  }

  /** A cell of so many units: one that is free, else a new one. */
  #allot(units: number): number {
    const known = this.#free[units]?.pop();
    if (known !== undefined) return known;
    if (this.#end - this.#next < units) this.#addChunk();
    const place = (this.#bytes.length - 1) * CHUNK_UNITS + this.#next;
    this.#next += units;
    return place;
  }

  #addChunk(): void {
    const units = Math.min(CHUNK_UNITS, FIRST_CHUNK_UNITS * 2 ** this.#bytes.length);
    const memory = new ArrayBuffer(units * UNIT);
    this.#bytes.push(new Uint8Array(memory));
    this.#halves.push(new Uint16Array(memory));
    this.#words.push(new Uint32Array(memory));
    this.#next = 0;
    this.#end = units;
  }

  #unitsOf(place: number): number {
    const size = this.hasEpisode(place) ? EPISODE_ID : MEMBER_ID;
    return Math.ceil((size + this.#byte(place, LETTERS)) / UNIT);
  }

  #bytesOf(place: number): Uint8Array {
    return this.#bytes[place >>> CHUNK_BITS] as Uint8Array;
  }

  #byte(place: number, behind: number): number {
    return this.#bytesOf(place)[startOf(place) + behind] as number;
  }

  #word(place: number, behind: number): number {
    const words = this.#words[place >>> CHUNK_BITS] as Uint32Array;
    return words[(startOf(place) + behind) >>> 2] as number;
  }

  #setWord(place: number, behind: number, word: number): void {
    const words = this.#words[place >>> CHUNK_BITS] as Uint32Array;
    words[(startOf(place) + behind) >>> 2] = word;
  }

  /** Or the first one, of an episode, unless another is asked for. */
  #time(place: number, { low, high } = TIME as Halves): number {
    const halves = this.#halves[place >>> CHUNK_BITS] as Uint16Array;
    return (halves[(startOf(place) + high) >>> 1] as number) * WORD + this.#word(place, low);
  }

  #setTime(place: number, { low, high }: Halves, timeMs: number): void {
    const halves = this.#halves[place >>> CHUNK_BITS] as Uint16Array;
    halves[(startOf(place) + high) >>> 1] = timeMs / WORD;
    this.#setWord(place, low, timeMs);
  }

  /** The place of the cell before; NONE for the first. */
  #before(place: number): number {
    return this.#word(place, BEFORE) - 1;
  }
}

type Halves = { readonly low: number; readonly high: number };
const NONE = -1;
const startOf = (place: number): number => (place & (CHUNK_UNITS - 1)) * UNIT;

function fits(group: Group): boolean {
  const { times, ids, froms, values, carried, held } = group.members;
  if (values || carried || held || group.late || group.carry) return false;
  if (group.bounded || group.lacking || group.page) return false;
  if (group.forgottenBeforeMs !== undefined || group.settledMs !== undefined) return false;
  if (times.length === 0 || times.length > COUNT_MAX) return false;
  for (let index = 0; index < times.length; index++) {
    const [timeMs, id, from] = [times[index] as number, ids[index] as string, froms?.[index] ?? 0];
    if (!fitsMember({ timeMs, id, from })) return false;
  }
  const [episode, another] = group.episodes;
  return another === undefined && (episode === undefined || fitsEpisode(episode));
}

/** A match of which a cell can be made. */
export const fitsMember = ({ timeMs, id, from }: Pick<Member, "timeMs" | "id" | "from">): boolean =>
  isTime(timeMs) && from <= BYTE_MAX && isShort(id);

function fitsEpisode(episode: Episode): boolean {
  const { firstMs, lastMs, dueMs, revision, id, replaces, level, toldLastMs } = episode;
  if (replaces.length > 0 || level !== undefined || toldLastMs !== undefined) return false;
  if (!isTime(firstMs) || !isTime(lastMs) || !isTime(dueMs ?? 0)) return false;
  return revision < WORD && (id === undefined || (id !== "" && isShort(id)));
}

const isTime = (timeMs: number): boolean =>
  Number.isInteger(timeMs) && timeMs >= 0 && timeMs < TIME_END_MS;

function isShort(text: string): boolean {
  if (text.length > BYTE_MAX) return false;
  for (let index = 0; index < text.length; index++)
    if (text.charCodeAt(index) > BYTE_MAX) return false;
  return true;
}

function writeText(bytes: Uint8Array, at: number, from: number, text: string): void {
  bytes[at + LETTERS] = text.length;
  for (let index = 0; index < text.length; index++)
    bytes[at + from + index] = text.charCodeAt(index);
}

function textAt(bytes: Uint8Array, at: number, from: number): string {
  const start = at + from;
  return Buffer.from(bytes.buffer, start, bytes[at + LETTERS]).toString("latin1");
}

// shelf.ts — small, plain groups as bytes: how they are kept while nothing happens to them.
//
// Holds: what is read is as it was put up. A group that does not fit (values, ids that are long or not Latin-1, times
//        before 1970 or within a millisecond, several episodes, something else told of it) is refused, and somebody else
//        keeps it. What is freed is used again, and given back when the shelf goes.
// Why:   a million groups of a few members each: objects weigh five times as much and each garbage collection looks at
//        every one; of a text, each member makes a new one (docs/decisions/0010).
//
// A cell is some units of 8 bytes in a chunk. A group's place is that of its last member, or of its episode:
//   0 the cell before, plus one (uint32) | 4 time, or first (uint48) | 10 flags, members up to this one | 11 letters of the id
//   of a member:   12 its rule's place | 13 id
//   of an episode: 12 last (uint48) | 18 due (uint48) | 24 revision (uint32) | 28 id
import { withOne } from "../with-one.ts";
import type { Episode } from "./episodes.ts";
import { emptyGroup, type Group } from "./group.ts";
import type { Member } from "./members.ts";

/** A group stays with at most `max` members, and as long as no `count` of them are within `spanMs`. */
export type AtRest = { readonly max: number; readonly count: number; readonly spanMs: number };

const UNIT = 8;
const CHUNK_UNITS = 32_768; // at most; the first have fewer, so that a rule with few groups costs little
const FIRST_CHUNK_UNITS = 64; // more than the largest cell
const [BEFORE, TIME, FLAGS, LETTERS, FROM, MEMBER_ID] = [0, 4, 10, 11, 12, 13];
const [LAST, DUE, REVISION, EPISODE_ID] = [12, 18, 24, 28];
const COUNT_MAX = 15;
const [HAS_OTHERS, IS_EPISODE, IS_DIRTY, HAS_DUE] = [16, 32, 64, 128]; // others: matches of other rules than the first
const BYTE_MAX = 255;
const TIME_BYTES = 6;
const TIME_END_MS = 2 ** 48;
const REVISION_MAX = 2 ** 32 - 1;

// Of the ids of the group that is being read; of no meaning afterwards.
const LETTERS_READ = Buffer.alloc(COUNT_MAX * BYTE_MAX);
const STARTS_READ = new Int32Array(COUNT_MAX);

export class Shelf {
  readonly #chunks: Buffer[] = [];
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
   * Adds a member behind the last one and gives the place where the group is then; undefined where it has to be looked
   * at to know what that means.
   */
  append(place: number, member: Member, stays: AtRest): number | undefined {
    const { timeMs, id } = member;
    const bytes = this.#chunkOf(place);
    const at = startOf(place);
    const count = bytes[at + FLAGS] as number; // where there are no flags
    if (count >= COUNT_MAX || count >= stays.max || timeMs <= timeAt(bytes, at + TIME))
      return undefined;
    const needed = stays.count - 1; // before it
    if (count >= needed && this.#timeBack(place, needed - 1) >= timeMs - stays.spanMs)
      return undefined;
    return fitsMember(timeMs, id) && !this.#has(place, id) ? this.#add(place, member) : undefined;
  }

  /** The group as it was put up. */
  read(place: number, values: readonly string[]): Group {
    const group = emptyGroup(values);
    const bytes = this.#chunkOf(place);
    const at = startOf(place);
    const isEpisode = ((bytes[at + FLAGS] as number) & IS_EPISODE) !== 0;
    if (isEpisode) group.episodes.push(episodeAt(bytes, at));
    this.#readMembers(isEpisode ? beforeOf(bytes, at) : place, group);
    return group;
  }

  /** All ids become one string, and are slices of that: to make a string of bytes costs as much as all the rest. */
  #readMembers(last: number, { members }: Group): void {
    const count = (this.#chunkOf(last)[startOf(last) + FLAGS] as number) & COUNT_MAX;
    const times = new Array<number>(count).fill(0);
    const ids = new Array<string>(count).fill("");
    let froms: number[] | undefined;
    let start = LETTERS_READ.length;
    let place = last;
    for (let index = count - 1; index >= 0; index--) {
      const bytes = this.#chunkOf(place);
      const at = startOf(place);
      times[index] = timeAt(bytes, at + TIME);
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
      place = beforeOf(bytes, at);
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
    const bytes = this.#chunkOf(place);
    const at = startOf(place);
    const isEpisode = ((bytes[at + FLAGS] as number) & IS_EPISODE) !== 0;
    return isEpisode ? this.lastMs(beforeOf(bytes, at)) : timeAt(bytes, at + TIME);
  }

  hasEpisode(place: number): boolean {
    return ((this.#chunkOf(place)[startOf(place) + FLAGS] as number) & IS_EPISODE) !== 0;
  }

  free(place: number): void {
    for (let cell = place; cell >= 0; ) {
      const bytes = this.#chunkOf(cell);
      const at = startOf(cell);
      const units = unitsOf(bytes, at);
      this.#free[units] = withOne(this.#free[units], cell);
      cell = beforeOf(bytes, at);
    }
  }

  #add(before: number | undefined, { timeMs, id, from }: Member): number {
    const place = this.#allot(Math.ceil((MEMBER_ID + id.length) / UNIT));
    const bytes = this.#chunkOf(place);
    const at = startOf(place);
    const flags =
      before === undefined ? 0 : (this.#chunkOf(before)[startOf(before) + FLAGS] as number);
    bytes.writeUInt32LE((before ?? -1) + 1, at + BEFORE);
    bytes.writeUIntLE(timeMs, at + TIME, TIME_BYTES);
    bytes[at + FLAGS] = (flags + 1) | (from > 0 ? HAS_OTHERS : 0);
    bytes[at + FROM] = from;
    writeText(bytes, at, MEMBER_ID, id);
    return place;
  }

  #addEpisode(before: number, { firstMs, lastMs, dueMs, revision, isDirty, id }: Episode): number {
    const place = this.#allot(Math.ceil((EPISODE_ID + (id?.length ?? 0)) / UNIT));
    const bytes = this.#chunkOf(place);
    const at = startOf(place);
    bytes.writeUInt32LE(before + 1, at + BEFORE);
    bytes.writeUIntLE(firstMs, at + TIME, TIME_BYTES);
    bytes.writeUIntLE(lastMs, at + LAST, TIME_BYTES);
    bytes.writeUIntLE(dueMs ?? 0, at + DUE, TIME_BYTES);
    bytes.writeUInt32LE(revision, at + REVISION);
    bytes[at + FLAGS] = IS_EPISODE | (isDirty ? IS_DIRTY : 0) | (dueMs === null ? 0 : HAS_DUE);
    writeText(bytes, at, EPISODE_ID, id ?? "");
    return place;
  }

  /** Compares from the end: ids that were counted up differ there. */
  #has(last: number, id: string): boolean {
    for (let place = last; place >= 0; ) {
      const bytes = this.#chunkOf(place);
      const at = startOf(place);
      if (bytes[at + LETTERS] === id.length) {
        let index = id.length - 1;
        while (index >= 0 && bytes[at + MEMBER_ID + index] === id.charCodeAt(index)) index -= 1;
        if (index < 0) return true;
      }
      place = beforeOf(bytes, at);
    }
    return false;
  }

  /** The time of the member so many before the last one. */
  #timeBack(last: number, steps: number): number {
    let place = last;
    for (let left = steps; left > 0; left--) place = beforeOf(this.#chunkOf(place), startOf(place));
    return timeAt(this.#chunkOf(place), startOf(place) + TIME);
  }

  /** A cell of so many units: one that is free, else a new one. */
  #allot(units: number): number {
    const known = this.#free[units]?.pop();
    if (known !== undefined) return known;
    if (this.#end - this.#next < units) this.#addChunk();
    const place = (this.#chunks.length - 1) * CHUNK_UNITS + this.#next;
    this.#next += units;
    return place;
  }

  #addChunk(): void {
    const units = Math.min(CHUNK_UNITS, FIRST_CHUNK_UNITS * 2 ** this.#chunks.length);
    this.#chunks.push(Buffer.from(new ArrayBuffer(units * UNIT)));
    this.#next = 0;
    this.#end = units;
  }

  #chunkOf(place: number): Buffer {
    return this.#chunks[Math.floor(place / CHUNK_UNITS)] as Buffer;
  }
}

const startOf = (place: number): number => (place % CHUNK_UNITS) * UNIT;

/** Less than none for the first. */
const beforeOf = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at + BEFORE) - 1;

const timeAt = (bytes: Buffer, at: number): number => bytes.readUIntLE(at, TIME_BYTES);

function unitsOf(bytes: Buffer, at: number): number {
  const isEpisode = ((bytes[at + FLAGS] as number) & IS_EPISODE) !== 0;
  const size = (isEpisode ? EPISODE_ID : MEMBER_ID) + (bytes[at + LETTERS] as number);
  return Math.ceil(size / UNIT);
}

function fits(group: Group): boolean {
  const { times, ids, froms, values, carried, held } = group.members;
  if (values || carried || held || group.late || group.carry) return false;
  if (group.bounded || group.lacking || group.page) return false;
  if (group.forgottenBeforeMs !== undefined || group.settledMs !== undefined) return false;
  if (times.length === 0 || times.length > COUNT_MAX) return false;
  for (let index = 0; index < times.length; index++) {
    if (!fitsMember(times[index] as number, ids[index] as string)) return false;
    if (froms && (froms[index] as number) > BYTE_MAX) return false;
  }
  const [episode, another] = group.episodes;
  return another === undefined && (episode === undefined || fitsEpisode(episode));
}

/** A match of which a cell can be made. */
export const fitsMember = (timeMs: number, id: string): boolean => isTime(timeMs) && isShort(id);

function fitsEpisode(episode: Episode): boolean {
  const { firstMs, lastMs, dueMs, revision, id, replaces, level, toldLastMs } = episode;
  if (replaces.length > 0 || level !== undefined || toldLastMs !== undefined) return false;
  if (!isTime(firstMs) || !isTime(lastMs) || !isTime(dueMs ?? 0)) return false;
  return revision <= REVISION_MAX && (id === undefined || (id !== "" && isShort(id)));
}

const isTime = (timeMs: number): boolean =>
  Number.isInteger(timeMs) && timeMs >= 0 && timeMs < TIME_END_MS;

function isShort(text: string): boolean {
  if (text.length > BYTE_MAX) return false;
  for (let index = 0; index < text.length; index++)
    if (text.charCodeAt(index) > BYTE_MAX) return false;
  return true;
}

function writeText(bytes: Buffer, at: number, from: number, text: string): void {
  bytes[at + LETTERS] = text.length;
  for (let index = 0; index < text.length; index++)
    bytes[at + from + index] = text.charCodeAt(index);
}

const textAt = (bytes: Buffer, at: number, from: number): string =>
  bytes.toString("latin1", at + from, at + from + (bytes[at + LETTERS] as number));

function episodeAt(bytes: Buffer, at: number): Episode {
  const flags = bytes[at + FLAGS] as number;
  return {
    firstMs: timeAt(bytes, at + TIME),
    lastMs: timeAt(bytes, at + LAST),
    id: bytes[at + LETTERS] === 0 ? undefined : textAt(bytes, at, EPISODE_ID),
    revision: bytes.readUInt32LE(at + REVISION),
    replaces: [],
    level: undefined,
    toldLastMs: undefined,
    isDirty: (flags & IS_DIRTY) !== 0,
    dueMs: flags & HAS_DUE ? timeAt(bytes, at + DUE) : null,
  };
}

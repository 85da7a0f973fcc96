// members.ts — the matches that count in one group, sorted by time, then id, then rule.
//
// Holds: a match of a rule by an event is there once, by the event's id; `froms`, `values` and `carried` are kept only where
//        the rule needs them.
// Why:   columns, not objects: a group of one match must cost little when there are a million groups.

import type { Carried, EventValues } from "../../core/records.ts";
import { IdMarks } from "./id-marks.ts";
import { lowerBound } from "./sorted-numbers.ts";

/** One match that counts in a group. */
export type Member = {
  readonly timeMs: number;
  readonly id: string; // the event's
  readonly from: number; // which of the correlation's rules matched, by its place in `rules`
  readonly values?: EventValues; // what a condition over values reads
  readonly carried?: Carried; // of its event, for correlations further up
};

export type Widened = { readonly place: number; readonly added: readonly (string | number)[] };

const SMALL = 32;
const GROWS_FROM = 16;
const SEARCHED_SHARE = 8; // of a group's size: that often all ids are looked through before a set of them is made

export class Members {
  times: number[] = [];
  ids: string[] = [];
  froms: number[] | undefined;
  values: EventValues[] | undefined;
  carried: (Carried | undefined)[] | undefined;
  held: number[] | undefined; // 1 where the window that ends with this member was told to hold
  #marks: IdMarks | undefined; // of a large group; derived
  #known: Set<string> | undefined; // of one that is asked for what it has again and again; derived
  #searched = 0; // how often the ids were looked through since there were marks
  #valuesCount: number | undefined; // derived
  #again: number | undefined; // members of an event that has another before them; derived

  get length(): number {
    return this.times.length;
  }

  get lastMs(): number {
    return this.times.length === 0
      ? Number.NEGATIVE_INFINITY
      : (this.times[this.times.length - 1] ?? 0);
  }

  /** How many values all members have together, those that they carry too. */
  get valuesCount(): number {
    if (this.values === undefined && this.carried === undefined) return 0;
    if (this.#valuesCount === undefined) {
      this.#valuesCount = 0;
      for (let index = 0; index < this.length; index++) this.#valuesCount += this.#sizeAt(index);
    }
    return this.#valuesCount;
  }

  at(index: number): Member {
    const values = this.values?.[index];
    const timeMs = this.times[index] ?? 0;
    const id = this.ids[index] ?? "";
    const from = this.froms?.[index] ?? 0;
    return memberOf({ timeMs, id, from }, values, this.carried?.[index]);
  }

  range(from: number, to: number): Member[] {
    return Array.from({ length: to - from }, (_, index) => this.at(from + index));
  }

  /** Puts a member in its place and gives that; undefined when it is there already. */
  add({ timeMs, id, from, values, carried }: Member): number | undefined {
    if (this.isKnown(id, from)) return undefined;
    this.#known?.add(nameOf(id, from));
    if (this.#marks && !this.#marks.add(id)) this.#marks = undefined; // made anew, with more room
    const before = this.length;
    const at = timeMs > this.lastMs ? before : this.#placeOf(timeMs, id, from);
    if (from > 0) this.froms ??= new Array<number>(before).fill(0);
    if (values !== undefined) this.values ??= new Array<EventValues>(before).fill([]);
    if (carried !== undefined) this.carried ??= new Array<undefined>(before).fill(undefined);
    this.times = inserted(this.times, at, timeMs);
    this.ids = inserted(this.ids, at, id);
    if (this.held) this.held = inserted(this.held, at, 0);
    if (this.froms) this.froms = inserted(this.froms, at, from);
    if (this.values) this.values = inserted(this.values, at, values ?? []);
    if (this.carried) this.carried = inserted(this.carried, at, carried);
    if (this.#valuesCount !== undefined) this.#valuesCount += this.#sizeAt(at);
    if (this.#again !== undefined && (this.ids[at - 1] === id || this.ids[at + 1] === id))
      this.#again += 1;
    return at;
  }

  /** A member that is there comes with other values too: gives its place and those that it lacked; undefined for none. */
  widen({ timeMs, id, from, values }: Member): Widened | undefined {
    if (values === undefined || !this.values) return undefined;
    const place = this.#placeOfKnown(timeMs, id, from);
    if (place === undefined) return undefined;
    const known = listOf(this.values[place] ?? []);
    const added = beyond(known, listOf(values));
    if (added.length === 0) return undefined;
    this.values[place] = [...known, ...added];
    if (this.#valuesCount !== undefined) this.#valuesCount += added.length;
    return { place, added };
  }

  /** A member that is there carries more: gives its place; undefined where it carried all of that. */
  carryMore({ timeMs, id, from, carried }: Member): number | undefined {
    if (carried === undefined) return undefined;
    const place = this.#placeOfKnown(timeMs, id, from);
    if (place === undefined) return undefined;
    const known = this.carried?.[place] ?? {};
    const more = Object.keys(carried).flatMap((name) => {
      const before = carriedIn(known, name);
      const added = beyond(before, carriedIn(carried, name));
      return added.length === 0 ? [] : [[name, [...before, ...added]] as const];
    });
    if (more.length === 0) return undefined;
    this.carried ??= new Array<undefined>(this.length).fill(undefined);
    this.carried[place] = { ...known, ...Object.fromEntries(more) };
    this.#valuesCount = undefined;
    return place;
  }

  /** The window that ends with this member holds; true when that is said for the first time. */
  hold(index: number): boolean {
    this.held ??= new Array<number>(this.length).fill(0);
    if (this.held[index] === 1) return false;
    this.held[index] = 1;
    return true;
  }

  /** The place of the first member at `timeMs` or later. */
  lowerBound(timeMs: number): number {
    return lowerBound(this.times, timeMs);
  }

  /** How many events the members of a range are of: of one that several rules match they stand side by side. */
  eventsIn(from: number, to: number): number {
    if (this.froms === undefined) return to - from;
    this.#again ??= this.#againIn(0, this.length);
    return to - from - (this.#again === 0 ? 0 : this.#againIn(from, to));
  }

  #againIn(from: number, to: number): number {
    const { ids } = this;
    let again = 0;
    for (let at = from + 1; at < to; at++) if (ids[at] === ids[at - 1]) again += 1;
    return again;
  }

  /** From this place on there are at most as many members, with at most as many values; the last is always among them. */
  placeOfNewest({
    matches,
    values,
  }: {
    readonly matches: number;
    readonly values: number;
  }): number {
    const least = Math.max(0, this.length - matches);
    if (this.valuesCount <= values) return least;
    let at = this.length - 1;
    let left = values - this.#sizeAt(at);
    for (; at > least; at -= 1) {
      left -= this.#sizeAt(at - 1);
      if (left < 0) break;
    }
    return at;
  }

  /** Removes the first `count` members. */
  drop(count: number): void {
    this.times = this.times.slice(count);
    this.ids = this.ids.slice(count);
    this.held = this.held?.slice(count);
    this.froms = this.froms?.slice(count);
    this.values = this.values?.slice(count);
    this.carried = this.carried?.slice(count);
    this.#marks = undefined;
    this.#known = undefined;
    this.#searched = 0;
    this.#valuesCount = undefined;
    this.#again = undefined;
  }

  #sizeAt(index: number): number {
    let size = sizeOf(this.values?.[index] ?? []);
    const carried = this.carried?.[index];
    for (const name in carried) size += carried[name]?.length ?? 0;
    return size;
  }

  #placeOfKnown(timeMs: number, id: string, from: number): number | undefined {
    for (let place = this.lowerBound(timeMs); this.times[place] === timeMs; place++)
      if (this.ids[place] === id && (this.froms?.[place] ?? 0) === from) return place;
    return undefined;
  }

  /** Whether the rule's match by this event is there. */
  isKnown(id: string, from: number): boolean {
    const { ids, froms } = this;
    if (ids.length > SMALL) {
      if (this.#known) return this.#known.has(nameOf(id, from));
      this.#marks ??= new IdMarks(ids);
      if (!this.#marks.mayHave(id)) return false;
      this.#searched += 1;
      if (this.#searched * SEARCHED_SHARE > ids.length) {
        this.#known = new Set(ids.map((one, index) => nameOf(one, froms?.[index] ?? 0)));
        return this.#known.has(nameOf(id, from));
      }
    }
    for (let index = 0; index < ids.length; index++)
      if (ids[index] === id && (froms?.[index] ?? 0) === from) return true;
    return false;
  }

  #placeOf(timeMs: number, id: string, from: number): number {
    const { times, ids, froms } = this;
    let at = this.lowerBound(timeMs);
    for (; times[at] === timeMs; at++) {
      const other = ids[at] ?? "";
      if (other > id || (other === id && (froms?.[at] ?? 0) > from)) break;
    }
    return at;
  }
}

/** With no field that has nothing in it: members are compared, and written to snapshots. */
export function memberOf(
  { timeMs, id, from }: Pick<Member, "timeMs" | "id" | "from">,
  values?: EventValues,
  carried?: Carried,
): Member {
  if (carried !== undefined)
    return values === undefined
      ? { timeMs, id, from, carried }
      : { timeMs, id, from, values, carried };
  return values === undefined ? { timeMs, id, from } : { timeMs, id, from, values };
}

/** Small lists are made anew, as long as they must be: one that grows by itself makes room for 16 more. */
function inserted<T>(list: T[], at: number, one: T): T[] {
  if (list.length === 0) return [one];
  if (list.length < GROWS_FROM)
    return at === list.length ? list.concat([one]) : list.toSpliced(at, 0, one);
  if (at === list.length) list.push(one);
  else list.splice(at, 0, one);
  return list;
}

/** What has to be added to `known` so that it has each value as often as `all` has it. */
function beyond<T>(known: readonly T[], all: readonly T[]): readonly T[] {
  const left = [...known];
  return all.filter((value) => {
    const place = left.indexOf(value);
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

/** The values that are carried under this name. */
export const carriedIn = (carried: Carried, name: string): readonly string[] =>
  Object.hasOwn(carried, name) ? (carried[name] ?? []) : [];

const nameOf = (id: string, from: number): string => (from === 0 ? id : `${from} ${id}`);

const sizeOf = (values: EventValues): number => (typeof values === "number" ? 1 : values.length);
const listOf = (values: EventValues): readonly (string | number)[] =>
  typeof values === "number" ? [values] : values;

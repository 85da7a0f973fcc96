// field-reader.ts — finds the values of many fields in one walk over an event.
//
// In:    for each field its paths, likeliest first; an event.
// Out:   the fields that are present, each with the value at the first of its paths that is: a dotted key is as good as
//        nested ones. Where a list stands in the way, valueAtFirst itself is asked.
// Why:   an event has some dozens of keys, its fields could stand at hundreds of paths: looking for each costs more than
//        parsing.
import { isJoined, joinedAt, partsOf } from "./joined-path.ts";
import { steppedOf, valueAtPath, waysOf } from "./path-steps.ts";

const PARTS_MAX = 12; // of a path; a longer one is looked up by itself

type Json = Readonly<Record<string, unknown>>;
/** Where a path begins, and what is read there where it is more than names: of the value, or of the whole event. */
type Reading = {
  readonly starts: readonly string[];
  readonly read: ((value: unknown, event: Json) => unknown) | undefined;
};
type Target = {
  readonly slot: number;
  readonly rank: number; // a lower one goes first
  readonly read: Reading["read"];
};
/** `marks`: what keys there are, roughly; of nearly every other key it says that it is not there, faster than the map. */
type Node = { readonly next: Map<string, Node>; marks: Uint8Array; readonly targets: Target[] };
const newNode = (): Node => ({ next: new Map(), marks: NO_MARKS, targets: [] });
const NO_MARKS = new Uint8Array(512);
const markOf = (key: string): number => ((key.length & 15) << 5) | (key.charCodeAt(0) & 31);

export class FieldReader {
  readonly #fields: (readonly string[])[] = []; // paths, by slot
  readonly #slots = new Map<string, number>();
  readonly #slotsOfPaths = new Map<readonly string[], number>(); // the same list comes again and again
  readonly #root = newNode();
  readonly #alone: number[] = []; // slots that are looked up by themselves
  readonly #values: unknown[] = [];
  readonly #ranks: number[] = [];
  readonly #stamps: number[] = [];
  #stamp = 0;
  readonly #found: number[] = [];
  #count = 0; // of what was found; a list that is made empty loses its room, and gets it anew for the next event

  /** The number of the field with these paths, under which its value is found. */
  slotOf(paths: readonly string[]): number {
    const known = this.#slotsOfPaths.get(paths);
    if (known !== undefined) return known;
    const name = paths.join("\n");
    const slot = this.#slots.get(name) ?? this.#newSlot(paths);
    this.#slots.set(name, slot);
    this.#slotsOfPaths.set(paths, slot);
    return slot;
  }

  /** Reads an event; gives the slots whose fields are present. Holds until the next one is read. */
  read(event: Json): readonly number[] {
    this.#stamp += 1;
    this.#count = 0;
    this.#walk(this.#root, event, event);
    for (const slot of this.#alone) this.#lookUp(slot, event);
    if (this.#found.length > this.#count) this.#found.length = this.#count;
    return this.#found;
  }

  /** The value in the event that was read last. */
  value(slot: number): unknown {
    return this.#stamps[slot] === this.#stamp ? this.#values[slot] : undefined;
  }

  #newSlot(paths: readonly string[]): number {
    const slot = this.#fields.length;
    this.#fields.push(paths);
    this.#values.push(undefined);
    this.#ranks.push(0);
    this.#stamps.push(0);
    const readings = paths.map(readingOf);
    const isLong = (start: string): boolean => start.split(".").length > PARTS_MAX;
    if (readings.some(({ starts }) => starts.some(isLong))) this.#alone.push(slot);
    else {
      let rank = 0;
      for (const { starts, read } of readings)
        for (const start of starts)
          for (const keys of waysOf(start)) this.#add(keys, { slot, rank: rank++, read });
    }
    return slot;
  }

  #add(keys: readonly string[], target: Target): void {
    let node = this.#root;
    for (const key of keys) {
      const next = node.next.get(key) ?? newNode();
      node.next.set(key, next);
      if (node.marks === NO_MARKS) node.marks = new Uint8Array(NO_MARKS.length);
      node.marks[markOf(key)] = 1;
      node = next;
    }
    node.targets.push(target);
  }

  #walk(node: Node, object: Json, event: Json): void {
    const { next: all, marks } = node;
    for (const key in object) {
      if (marks[markOf(key)] === 0) continue;
      const next = all.get(key);
      if (next === undefined) continue;
      const value = object[key];
      if (value === undefined) continue;
      for (const target of next.targets)
        if (target.read === undefined) this.#put(target.slot, target.rank, value);
        else this.#putRead(target, value, event);
      if (next.next.size === 0 || typeof value !== "object" || value === null) continue;
      if (Array.isArray(value)) for (const slot of slotsBelow(next)) this.#lookUp(slot, event);
      else this.#walk(next, value as Json, event);
    }
  }

  #put(slot: number, rank: number, value: unknown): void {
    if (this.#stamps[slot] !== this.#stamp) {
      this.#stamps[slot] = this.#stamp;
      this.#found[this.#count++] = slot;
    } else if ((this.#ranks[slot] as number) <= rank) return;
    this.#ranks[slot] = rank;
    this.#values[slot] = value;
  }

  #putRead({ slot, rank, read }: Target, value: unknown, event: Json): void {
    if (this.#stamps[slot] === this.#stamp && (this.#ranks[slot] as number) <= rank) return;
    const meant = read?.(value, event);
    if (meant !== undefined) this.#put(slot, rank, meant);
  }

  #lookUp(slot: number, event: Json): void {
    const value = valueAtFirst(event, this.#fields[slot] ?? []);
    if (value !== undefined) this.#put(slot, -1, value);
  }
}

function readingOf(path: string): Reading {
  if (isJoined(path))
    return { starts: partsOf(path), read: (_value, event) => joinedAt(event, path) };
  const step = steppedOf(path);
  return { starts: [step?.base ?? path], read: step?.read };
}

function slotsBelow(node: Node): Set<number> {
  const slots = new Set<number>();
  const walk = ({ targets, next }: Node): void => {
    for (const { slot } of targets) slots.add(slot);
    for (const one of next.values()) walk(one);
  };
  for (const one of node.next.values()) walk(one);
  return slots;
}

/** The value at the first of these paths that is present. */
export function valueAtFirst(event: Json, paths: readonly string[]): unknown {
  for (const path of paths) {
    const value = isJoined(path) ? joinedAt(event, path) : valueAtPath(event, path);
    if (value !== undefined) return value;
  }
  return undefined;
}

// reader.ts — finds the values of all fields that rules ask for in one walk over an event.
//
// Holds: a field's value is the one that values.ts gives: at the first of its paths that is present, a dotted key as good
//        as nested ones. Where a list stands in the way, values.ts itself is asked.
// Why:   an event has some dozens of keys, the rules of a log source may name hundreds of paths.
import { waysOf } from "../../core/field-finder.ts";
import type { EventField } from "../sigma/rule.ts";
import type { Readable } from "./matcher.ts";
import { valueAt } from "./values.ts";

const PARTS_MAX = 12; // of a path; a longer one is looked up by itself

type Target = { readonly slot: number; readonly rank: number }; // a lower rank goes first
type Node = { readonly next: Map<string, Node>; readonly targets: Target[] };
const newNode = (): Node => ({ next: new Map(), targets: [] });

export class FieldReader {
  readonly #fields: EventField[] = [];
  readonly #slots = new Map<string, number>();
  readonly #root = newNode();
  readonly #alone: number[] = []; // slots that are looked up by themselves
  #values: unknown[] = [];
  #ranks: number[] = [];
  #stamps: number[] = [];
  #stamp = 0;
  #found: number[] = [];

  /** The number of a field, under which its value is found. */
  slotOf(field: EventField): number {
    const name = field.paths.join("\n");
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = this.#fields.length;
    this.#fields.push(field);
    this.#slots.set(name, slot);
    this.#values.push(undefined);
    this.#ranks.push(0);
    this.#stamps.push(0);
    if (field.paths.some((path) => path.split(".").length > PARTS_MAX)) this.#alone.push(slot);
    else {
      let rank = 0;
      for (const path of field.paths)
        for (const keys of waysOf(path)) this.#add(keys, { slot, rank: rank++ });
    }
    return slot;
  }

  /** Reads an event; gives the slots whose fields are present. Holds until the next one is read. */
  read(event: Readable): readonly number[] {
    this.#stamp += 1;
    this.#found = [];
    this.#walk(this.#root, event, event);
    for (const slot of this.#alone) this.#lookUp(slot, event);
    return this.#found;
  }

  /** The value in the event that was read last. */
  value(slot: number): unknown {
    return this.#stamps[slot] === this.#stamp ? this.#values[slot] : undefined;
  }

  #add(keys: readonly string[], target: Target): void {
    let node = this.#root;
    for (const key of keys) {
      const next = node.next.get(key) ?? newNode();
      node.next.set(key, next);
      node = next;
    }
    node.targets.push(target);
  }

  #walk(node: Node, object: Readable, event: Readable): void {
    for (const key in object) {
      const next = node.next.get(key);
      if (next === undefined) continue;
      const value = object[key];
      if (value === undefined) continue;
      for (const { slot, rank } of next.targets) this.#put(slot, rank, value);
      if (next.next.size === 0 || typeof value !== "object" || value === null) continue;
      if (Array.isArray(value)) for (const slot of slotsBelow(next)) this.#lookUp(slot, event);
      else this.#walk(next, value as Readable, event);
    }
  }

  #put(slot: number, rank: number, value: unknown): void {
    if (this.#stamps[slot] !== this.#stamp) {
      this.#stamps[slot] = this.#stamp;
      this.#found.push(slot);
    } else if ((this.#ranks[slot] as number) <= rank) return;
    this.#ranks[slot] = rank;
    this.#values[slot] = value;
  }

  #lookUp(slot: number, event: Readable): void {
    const field = this.#fields[slot];
    const value = field && valueAt(event, field);
    if (value !== undefined) this.#put(slot, -1, value);
  }
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

// group-store.ts — the groups of one rule by their names: those in use as objects, all others frozen.
//
// Holds: a name is in one of the three places; what was asked for last stays an object for at least IN_USE_MAX others.

import { freeze, thaw } from "./frozen.ts";
import type { Group } from "./group.ts";

const IN_USE_MAX = 4096; // asked for since the last turn; as many from before it

export class GroupStore {
  #recent = new Map<string, Group>();
  #older = new Map<string, Group>();
  readonly #frozen = new Map<string, string>();

  get size(): number {
    return this.#recent.size + this.#older.size + this.#frozen.size;
  }

  get(name: string): Group | undefined {
    const recent = this.#recent.get(name);
    if (recent) return recent;
    const group = this.peek(name);
    if (!group) return undefined;
    if (!this.#older.delete(name)) this.#frozen.delete(name);
    this.add(name, group);
    return group;
  }

  /** Looks at a group, but does not change it. */
  peek(name: string): Group | undefined {
    const group = this.#recent.get(name) ?? this.#older.get(name);
    if (group) return group;
    const text = this.#frozen.get(name);
    return text === undefined ? undefined : thaw(valuesOf(name), text);
  }

  /** A group that is not there. */
  add(name: string, group: Group): void {
    if (this.#recent.size >= IN_USE_MAX) this.#turn();
    this.#recent.set(name, group);
  }

  delete(name: string): boolean {
    return this.#recent.delete(name) || this.#older.delete(name) || this.#frozen.delete(name);
  }

  /** Puts back a group from a snapshot. */
  restore(name: string, text: string): void {
    this.#frozen.set(name, text);
  }

  *texts(): Generator<readonly [name: string, text: string]> {
    for (const groups of [this.#recent, this.#older])
      for (const [name, group] of groups) yield [name, freeze(group)];
    yield* this.#frozen;
  }

  #turn(): void {
    for (const [name, group] of this.#older) this.#frozen.set(name, freeze(group));
    this.#older = this.#recent;
    this.#recent = new Map();
  }
}

/** A name that no other values have, and that tells them. */
export const nameOf = (values: readonly string[]): string =>
  values.some((value) => value === "" || value.includes("\u0000"))
    ? `\u0000${JSON.stringify(values)}`
    : values.join("\u0000");

const valuesOf = (name: string): readonly string[] => {
  if (name === "") return [];
  return name.startsWith("\u0000") ? (JSON.parse(name.slice(1)) as string[]) : name.split("\u0000");
};

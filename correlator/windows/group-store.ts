// group-store.ts — the groups of one rule by their names: those in use or large as objects, all others frozen.
//
// Holds: a name is in one place; what was asked for stays an object until IN_USE_MAX others were. To freeze or thaw a
//        group costs no more than its few members do.

import { freeze, thaw } from "./frozen.ts";
import type { Group } from "./group.ts";

const IN_USE_MAX = 4096; // asked for since the last turn; as many from before it
const FROZEN_MEMBERS_MAX = 12;

export class GroupStore {
  #recent = new Map<string, Group>();
  #older = new Map<string, Group>();
  readonly #large = new Map<string, Group>();
  readonly #frozen = new Map<string, string>();

  get size(): number {
    return this.#places().reduce((sum, { size }) => sum + size, 0);
  }

  get(name: string): Group | undefined {
    const asIs = this.#recent.get(name) ?? this.#large.get(name);
    if (asIs) return asIs;
    const group = this.peek(name);
    if (!group) return undefined;
    if (!this.#older.delete(name)) this.#frozen.delete(name);
    this.add(name, group);
    return group;
  }

  /** Looks at a group, but does not change it. */
  peek(name: string): Group | undefined {
    const group = this.#recent.get(name) ?? this.#large.get(name) ?? this.#older.get(name);
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
    return this.#places().some((groups) => groups.delete(name));
  }

  /** Puts back a group from a snapshot. */
  restore(name: string, text: string): void {
    this.#frozen.set(name, text);
  }

  *texts(): Generator<readonly [name: string, text: string]> {
    for (const groups of [this.#recent, this.#older, this.#large])
      for (const [name, group] of groups) yield [name, freeze(group)];
    yield* this.#frozen;
  }

  #places(): readonly Map<string, unknown>[] {
    return [this.#recent, this.#older, this.#large, this.#frozen];
  }

  #turn(): void {
    for (const [name, group] of this.#older)
      if (group.members.length > FROZEN_MEMBERS_MAX) this.#large.set(name, group);
      else this.#frozen.set(name, freeze(group));
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

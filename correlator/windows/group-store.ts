// group-store.ts — the groups of one rule by their names: those in use or large as objects, all others frozen.
//
// Holds: what was asked for stays an object until IN_USE_MAX others were. To freeze or thaw a group costs no more than
//        its few members do.
import { appended, begun, freeze, lastMsIn, thaw } from "./frozen.ts";
import type { Group } from "./group.ts";
import type { Member } from "./members.ts";

const IN_USE_MAX = 512; // became objects since the last turn; as many from before it
const FROZEN_MEMBERS_MAX = 12;

export class GroupStore {
  readonly #groups = new Map<string, Group | string>();
  #recent: string[] = []; // names of those that became objects since the last turn
  #older: string[] = []; // names of others that are to be frozen when nobody asks for them
  #turns = 0;

  get size(): number {
    return this.#groups.size;
  }

  get(name: string): Group | undefined {
    const found = this.#groups.get(name);
    if (typeof found === "string") {
      const group = thaw(valuesOf(name), found);
      this.add(name, group);
      return group;
    }
    if (found) found.usedInTurn = this.#turns;
    return found;
  }

  /** The time of the group's last member, infinitely long ago where it has none. */
  lastMs(name: string): number | undefined {
    const found = this.#groups.get(name);
    if (typeof found !== "string") return found?.members.lastMs;
    return lastMsIn(found) ?? thaw(valuesOf(name), found).members.lastMs;
  }

  /** Begins a group with this member, at rest. */
  begin(name: string, member: Member): void {
    this.#groups.set(name, begun(member));
  }

  /**
   * Adds a member to a group at rest that stays there, with fewer than `countMax`; false where it has to be looked at,
   * undefined where there is no such group.
   */
  append(name: string, member: Member, countMax: number): boolean | undefined {
    const found = this.#groups.get(name);
    if (found === undefined) return undefined;
    if (typeof found !== "string") return false;
    const text = appended(found, member, Math.min(countMax, FROZEN_MEMBERS_MAX));
    if (text !== undefined) this.#groups.set(name, text);
    return text !== undefined;
  }

  add(name: string, group: Group): void {
    if (this.#recent.length >= IN_USE_MAX) this.#turn();
    group.usedInTurn = this.#turns;
    this.#groups.set(name, group);
    this.#recent.push(name);
  }

  delete(name: string): boolean {
    return this.#groups.delete(name);
  }

  /** Puts back a group from a snapshot, and shows it. */
  restore(name: string, text: string): Group {
    this.#groups.set(name, text);
    return thaw(valuesOf(name), text);
  }

  *texts(): Generator<readonly [name: string, text: string]> {
    for (const [name, group] of this.#groups)
      yield [name, typeof group === "string" ? group : freeze(group)];
  }

  #turn(): void {
    const kept: string[] = [];
    for (const name of this.#older) {
      const group = this.#groups.get(name);
      if (typeof group !== "object" || group.members.length > FROZEN_MEMBERS_MAX) continue;
      if (group.usedInTurn === this.#turns) kept.push(name);
      else this.#groups.set(name, freeze(group));
    }
    this.#older = [...this.#recent, ...kept];
    this.#recent = [];
    this.#turns += 1;
  }
}

/** One value is the text itself: nothing is made. */
export const joined = (values: readonly string[]): string =>
  values.length === 1 ? (values[0] as string) : values.join("\u0000");

/** A name that no other values have, and that tells them. */
export function nameOf(values: readonly string[]): string {
  for (const value of values)
    if (value === "" || value.includes("\u0000")) return `\u0000${JSON.stringify(values)}`;
  return joined(values);
}

function valuesOf(name: string): readonly string[] {
  if (name === "") return [];
  return name.startsWith("\u0000") ? (JSON.parse(name.slice(1)) as string[]) : name.split("\u0000");
}

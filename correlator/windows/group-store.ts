// group-store.ts — the groups of one rule by their names: small ones in bytes where they fit, large ones as objects, all
// others as objects until IN_USE_MAX others were kept, and then as texts.
//
// Holds: what is changed in a group counts once it is kept. To put a small group to rest, or to make it an object again,
//        costs no more than its few members do; a large one that was restored is a text until it is asked for.
// Why:   a small group that stays an object outlives some collections of young garbage, each of which copies it.
import type { Episode } from "./episodes.ts";
import { freeze, thaw } from "./frozen.ts";
import { type Group, RESTING_MEMBERS_MAX } from "./group.ts";
import { valuesOf } from "./group-name.ts";
import type { Member } from "./members.ts";
import { type AtRest, Shelf } from "./shelf.ts";

const IN_USE_MAX = 512; // became objects since the last turn; as many from before it

export class GroupStore {
  readonly #groups = new Map<string, Group | number | string>(); // itself, its place on the shelf, or its text
  #shelf = new Shelf();
  #recent: string[] = []; // names of those that became objects since the last turn
  #older: string[] = []; // names of others that are put to rest when nobody asks for them
  #turns = 0;

  get size(): number {
    return this.#groups.size;
  }

  /** What is changed in it counts once it is kept. */
  get(name: string): Group | undefined {
    return this.#use(name, this.#groups.get(name));
  }

  /** As `get`, for one that is not kept again. */
  look(name: string): Group | undefined {
    const found = this.#groups.get(name);
    return typeof found === "object" || found === undefined ? found : this.#read(name, found);
  }

  /** The group as it is now, after it was got and changed, or for the first time. */
  keep(name: string, group: Group): void {
    if (group.usedInTurn !== undefined) {
      group.usedInTurn = this.#turns;
      return;
    }
    const before = this.#groups.get(name);
    if (typeof before === "number") this.#shelf.free(before);
    const { length } = group.members;
    const place = length <= RESTING_MEMBERS_MAX ? this.#shelf.put(group) : undefined;
    if (place === undefined) this.#keepAsObject(name, group);
    else this.#groups.set(name, place);
  }

  /** The time of the group's last member, infinitely long ago where it has none. */
  lastMs(name: string): number | undefined {
    const found = this.#groups.get(name);
    if (typeof found === "number") return this.#shelf.lastMs(found);
    return (typeof found === "string" ? this.#read(name, found) : found)?.members.lastMs;
  }

  /** Whether the group has episodes; of one that would have to be read for that, whether it may have some. */
  hasEpisodes(name: string): boolean {
    const found = this.#groups.get(name);
    if (typeof found === "number") return this.#shelf.hasEpisode(found);
    return typeof found === "string" || (found !== undefined && found.episodes.length > 0);
  }

  /** Begins a group with this member, which fits, at rest. */
  begin(name: string, member: Member): void {
    this.#groups.set(name, this.#shelf.begin(member));
  }

  /** Adds a member to a group at rest that stays there; else gives the group, where there is one, to be looked at. */
  append(name: string, member: Member, rest: AtRest): Group | "rests" | undefined {
    const found = this.#groups.get(name);
    const place = typeof found === "number" ? this.#shelf.append(found, member, rest) : undefined;
    if (place === undefined) return this.#use(name, found);
    if (place !== found) this.#groups.set(name, place);
    return "rests";
  }

  /** Of a group that a member was added to and that rests: the episode that has to be told since then, and had not before. */
  get news(): Episode | undefined {
    return this.#shelf.news;
  }

  clear(): void {
    this.#groups.clear();
    this.#shelf = new Shelf();
  }

  delete(name: string): boolean {
    const found = this.#groups.get(name);
    if (typeof found === "number") this.#shelf.free(found);
    return this.#groups.delete(name);
  }

  /** Puts back a group from a snapshot, and shows it. */
  restore(name: string, text: string): Group {
    const group = thaw(valuesOf(name), text);
    this.#groups.set(name, this.#shelf.put(group) ?? text);
    return group;
  }

  *texts(): Generator<readonly [name: string, text: string]> {
    for (const [name, found] of this.#groups)
      if (typeof found === "string") yield [name, found];
      else yield [name, freeze(typeof found === "object" ? found : this.#read(name, found))];
  }

  /** Bytes are read into a copy. To read a text costs more: it becomes an object, as it may be asked for again. */
  #use(name: string, found: Group | number | string | undefined): Group | undefined {
    if (typeof found === "object" || found === undefined) return found;
    const group = this.#read(name, found);
    if (typeof found === "string") this.#keepAsObject(name, group);
    return group;
  }

  #keepAsObject(name: string, group: Group): void {
    if (this.#recent.length >= IN_USE_MAX) this.#turn();
    group.usedInTurn = this.#turns;
    this.#groups.set(name, group);
    this.#recent.push(name);
  }

  #read(name: string, resting: number | string): Group {
    const values = valuesOf(name);
    return typeof resting === "number" ? this.#shelf.read(resting, values) : thaw(values, resting);
  }

  #turn(): void {
    const kept: string[] = [];
    for (const name of this.#older) {
      const group = this.#groups.get(name);
      if (typeof group !== "object" || group.members.length > RESTING_MEMBERS_MAX) continue;
      if (group.usedInTurn === this.#turns) kept.push(name);
      else this.#groups.set(name, this.#shelf.put(group) ?? freeze(group));
    }
    this.#older = [...this.#recent, ...kept];
    this.#recent = [];
    this.#turns += 1;
  }
}

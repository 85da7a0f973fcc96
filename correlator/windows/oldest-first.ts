// oldest-first.ts — which of some groups had its last event longest ago.
//
// In:    each new group; that of its later events, and that it went, is not told, it is asked for.
// Why:   nothing is kept until a group has to give way for the first time. Then all are put in order once, and not again.
import { NameHeap } from "./name-heap.ts";

const GONE_MAX = 1000; // entries of groups that went, beyond as many as there are groups

export class OldestFirst<Group> {
  readonly #groups: ReadonlyMap<string, Group>;
  readonly #lastMs: (group: Group) => number | undefined; // undefined: it never gives way
  #heap: NameHeap | undefined;

  constructor(groups: ReadonlyMap<string, Group>, lastMs: (group: Group) => number | undefined) {
    this.#groups = groups;
    this.#lastMs = lastMs;
  }

  /** A group is there that was not. */
  added(name: string): void {
    if (!this.#heap) return;
    this.#put(this.#heap, name);
    if (this.#heap.size > 2 * this.#groups.size + GONE_MAX) this.#heap = undefined;
  }

  /** The group to give way next, which the caller removes; undefined where none may. */
  next(): string | undefined {
    this.#heap ??= this.#ordered();
    for (let notedMs = this.#heap.firstMs; notedMs !== undefined; notedMs = this.#heap.firstMs) {
      const name = this.#heap.pop();
      const nowMs = this.#lastMsOf(name);
      if (nowMs === undefined) continue;
      if (nowMs <= notedMs) return name;
      this.#heap.put(nowMs, name);
    }
    return undefined;
  }

  #ordered(): NameHeap {
    const heap = new NameHeap({ byName: true });
    for (const name of this.#groups.keys()) this.#put(heap, name);
    return heap;
  }

  #put(heap: NameHeap, name: string): void {
    const lastMs = this.#lastMsOf(name);
    if (lastMs !== undefined) heap.put(lastMs, name);
  }

  #lastMsOf(name: string): number | undefined {
    const group = this.#groups.get(name);
    return group === undefined ? undefined : this.#lastMs(group);
  }
}

// name-heap.ts — names, each at a time; the earliest comes out first.
//
// Holds: a name that was put twice comes out twice.
// Why:   two columns, not objects: there may be a name for each of a million groups.
export class NameHeap {
  readonly #times: number[] = [];
  readonly #names: string[] = [];
  readonly #byName: boolean; // of one time, the first in the order of names comes first

  constructor({ byName = false }: { readonly byName?: boolean } = {}) {
    this.#byName = byName;
  }

  get size(): number {
    return this.#times.length;
  }

  get firstMs(): number | undefined {
    return this.#times[0];
  }

  put(timeMs: number, name: string): void {
    const times = this.#times;
    let at = times.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(timeMs, name, above)) break;
      this.#set(at, times[above] as number, this.#names[above] as string);
      at = above;
    }
    this.#set(at, timeMs, name);
  }

  /** Takes out the first; there must be one. */
  pop(): string {
    const [first = ""] = this.#names;
    const lastMs = this.#times.pop() ?? 0;
    const last = this.#names.pop() ?? "";
    if (this.#times.length > 0) this.#sink(lastMs, last);
    return first;
  }

  clear(): void {
    this.#times.length = 0;
    this.#names.length = 0;
  }

  #sink(timeMs: number, name: string): void {
    const times = this.#times;
    let at = 0;
    for (let below = 1; below < times.length; below = 2 * at + 1) {
      if (below + 1 < times.length) {
        const [otherMs, other] = [times[below + 1] as number, this.#names[below + 1] as string];
        if (this.#isBefore(otherMs, other, below)) below += 1;
      }
      if (this.#isBefore(timeMs, name, below)) break;
      this.#set(at, times[below] as number, this.#names[below] as string);
      at = below;
    }
    this.#set(at, timeMs, name);
  }

  #isBefore(timeMs: number, name: string, place: number): boolean {
    const otherMs = this.#times[place] as number;
    if (timeMs !== otherMs) return timeMs < otherMs;
    return this.#byName && name < (this.#names[place] as string);
  }

  #set(at: number, timeMs: number, name: string): void {
    this.#times[at] = timeMs;
    this.#names[at] = name;
  }
}

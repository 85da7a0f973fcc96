// recent.ts — the last few things that were asked for, which are often asked for next.
const KEPT_MAX = 8;

export class Recent<T> {
  #all: T[] = [];
  #oldest = 0;

  get all(): readonly T[] {
    return this.#all;
  }

  add(one: T): void {
    this.#all[this.#oldest] = one;
    this.#oldest = (this.#oldest + 1) % KEPT_MAX;
  }

  clear(): void {
    this.#all = [];
    this.#oldest = 0;
  }
}

// due-names.ts — names that are to be looked at, each at a time; the earliest first.
//
// Holds: a name stands there once, at the earliest time that was asked for.
// Why:   what is not due costs nothing, however many wait.
const PASSED_MAX = 1000; // entries of no use, beyond as many as are of use

export class DueNames {
  readonly #due = new Map<string, number>();
  // A binary heap in two columns; entries of a name that was since put earlier, or taken out, are passed over.
  readonly #times: number[] = [];
  readonly #names: string[] = [];

  put(name: string, dueMs: number): void {
    const known = this.#due.get(name);
    if (known !== undefined && known <= dueMs) return;
    this.#due.set(name, dueMs);
    this.#rise(this.#times.length, dueMs, name);
    if (this.#times.length > 2 * this.#due.size + PASSED_MAX) this.#tidy();
  }

  has(name: string): boolean {
    return this.#due.has(name);
  }

  delete(name: string): void {
    this.#due.delete(name);
  }

  /** Takes out what is due at that time or before. */
  take(untilMs: number): readonly string[] {
    const due: string[] = [];
    for (
      let [dueMs] = this.#times;
      dueMs !== undefined && dueMs <= untilMs;
      [dueMs] = this.#times
    ) {
      const name = this.#pop();
      if (this.#due.get(name) !== dueMs) continue;
      this.#due.delete(name);
      due.push(name);
    }
    return due;
  }

  /** What is sorted is a heap. */
  #tidy(): void {
    const sorted = [...this.#due].sort(([, a], [, b]) => a - b);
    this.#times.length = 0;
    this.#names.length = 0;
    for (const [name, dueMs] of sorted) this.#set(this.#times.length, dueMs, name);
  }

  #pop(): string {
    const [first = ""] = this.#names;
    const lastMs = this.#times.pop() ?? 0;
    const last = this.#names.pop() ?? "";
    if (this.#times.length > 0) this.#sink(lastMs, last);
    return first;
  }

  #rise(from: number, dueMs: number, name: string): void {
    const times = this.#times;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((times[above] as number) <= dueMs) break;
      this.#set(at, times[above] as number, this.#names[above] as string);
      at = above;
    }
    this.#set(at, dueMs, name);
  }

  #sink(dueMs: number, name: string): void {
    const times = this.#times;
    let at = 0;
    for (let below = 1; below < times.length; below = 2 * at + 1) {
      if (below + 1 < times.length && (times[below + 1] as number) < (times[below] as number))
        below += 1;
      if ((times[below] as number) >= dueMs) break;
      this.#set(at, times[below] as number, this.#names[below] as string);
      at = below;
    }
    this.#set(at, dueMs, name);
  }

  #set(at: number, dueMs: number, name: string): void {
    this.#times[at] = dueMs;
    this.#names[at] = name;
  }
}

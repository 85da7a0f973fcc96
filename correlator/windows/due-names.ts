// due-names.ts — names that are to be looked at, each at a time; the earliest first.
//
// Holds: a name stands there once, at the earliest time that was asked for.
// Why:   what is not due costs nothing, however many wait.
import { NameHeap } from "./name-heap.ts";

const PASSED_MAX = 1000; // entries of no use, beyond as many as are of use

export class DueNames {
  readonly #due = new Map<string, number>();
  readonly #heap = new NameHeap(); // entries of a name that was since put earlier, or taken out, are passed over

  put(name: string, dueMs: number): void {
    const known = this.#due.get(name);
    if (known !== undefined && known <= dueMs) return;
    this.#due.set(name, dueMs);
    this.#heap.put(dueMs, name);
    if (this.#heap.size > 2 * this.#due.size + PASSED_MAX) this.#tidy();
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
    const heap = this.#heap;
    for (let dueMs = heap.firstMs; dueMs !== undefined && dueMs <= untilMs; dueMs = heap.firstMs) {
      const name = heap.pop();
      if (this.#due.get(name) !== dueMs) continue;
      this.#due.delete(name);
      due.push(name);
    }
    return due;
  }

  /** Takes out all of them, in no order. */
  takeAll(): readonly string[] {
    const all = [...this.#due.keys()];
    this.#due.clear();
    this.#heap.clear();
    return all;
  }

  #tidy(): void {
    this.#heap.clear();
    for (const [name, dueMs] of this.#due) this.#heap.put(dueMs, name);
  }
}

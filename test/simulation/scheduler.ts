// scheduler.ts — virtual time: what is due runs in order, one after the other, and all that follows from it before the next.
//
// Holds: no real timer decides anything; the same calls give the same run. `note` hashes what happened, to show that.

import { hashed } from "./chance.ts";

type Due = { readonly atMs: number; readonly order: number; run: (() => void) | undefined };

export class Scheduler {
  nowMs: number;
  steps = 0;
  #heap: Due[] = [];
  #order = 0;
  #hash = hashed("");
  readonly lines: string[] | undefined; // all notes, where somebody wants to read them
  #wake: (() => void) | undefined;

  constructor(startMs: number, keepLines = false) {
    this.nowMs = startMs;
    this.lines = keepLines ? [] : undefined;
  }

  /** Adds to the trace: all that makes one run differ from another. */
  note(text: string): void {
    const line = `${this.nowMs} ${text}`;
    this.#hash = hashed(line, this.#hash);
    this.lines?.push(line);
  }

  get trace(): string {
    return `${this.steps} ${(this.#hash >>> 0).toString(16)}`;
  }

  /** Runs after `ms`; the result cancels it. */
  after(ms: number, run: () => void): () => void {
    const due: Due = { atMs: this.nowMs + Math.max(0, ms), order: this.#order++, run };
    this.#push(due);
    this.#wake?.();
    return () => {
      due.run = undefined;
    };
  }

  /** The clock jumps ahead; what was due meanwhile is due at once. */
  leap(ms: number): void {
    this.nowMs += ms;
    this.note("leap");
  }

  /** Runs what is due until `done`, at most for `ms`; says whether it was done in time. */
  async run(done: () => boolean, ms: number): Promise<boolean> {
    const untilMs = this.nowMs + ms;
    await turn(); // what was begun before goes on first
    while (!done()) {
      const next = this.#pop();
      if (next === undefined) return done();
      if (next.atMs > untilMs) {
        this.#push(next);
        return false;
      }
      await this.#take(next);
    }
    return true;
  }

  /** Runs whatever comes, as fast as it comes, until it is told to stop: for tests that wait in real time. */
  async serve(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      const next = this.#pop();
      if (next !== undefined) await this.#take(next);
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #take(due: Due): Promise<void> {
    if (due.run === undefined) return;
    this.nowMs = Math.max(this.nowMs, due.atMs);
    this.steps += 1;
    due.run();
    await turn();
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above] as Due;
      if (!isBefore(due, other)) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = due;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Due, heap[below] as Due))
        below += 1;
      const other = heap[below] as Due;
      if (!isBefore(other, last)) break;
      heap[at] = other;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

/** All that follows at once has happened then. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isBefore = (a: Due, b: Due): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

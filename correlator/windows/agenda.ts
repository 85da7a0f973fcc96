// agenda.ts — which of many things are to be looked at when: each once, at a time of its own.
//
// Holds: what is due is given in time; it may be given a little early, and then again.
// Why:   a tick must cost what is due, not all that there is.
export class Agenda {
  readonly #buckets = new Map<number, Set<string>>();
  readonly #places = new Map<string, number>();
  readonly #bucketMs: number;

  constructor(bucketMs: number) {
    this.#bucketMs = Math.max(1, bucketMs);
  }

  put(name: string, dueMs: number): void {
    const place = Math.floor(dueMs / this.#bucketMs);
    if (this.#places.get(name) === place) return;
    this.remove(name);
    this.#places.set(name, place);
    const bucket = this.#buckets.get(place);
    if (bucket) bucket.add(name);
    else this.#buckets.set(place, new Set([name]));
  }

  remove(name: string): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    this.#places.delete(name);
    const bucket = this.#buckets.get(place);
    bucket?.delete(name);
    if (bucket?.size === 0) this.#buckets.delete(place);
  }

  /** What is due before `nowMs`, in the order of the names: whoever looks puts it back or removes it. */
  due(nowMs: number): string[] {
    const names: string[] = [];
    for (const [place, bucket] of this.#buckets)
      if (place * this.#bucketMs < nowMs) names.push(...bucket);
    return names.sort();
  }
}

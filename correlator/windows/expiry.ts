// expiry.ts — the names of a rule's groups by the time of their last event, as it was when they were put here.
//
// In:    a name and that time; events that come later to its group are not told, they are asked for.
// Out:   names whose groups may have expired; names of the groups whose last events are the oldest of all.
// Holds: who takes a name out puts it back, or its group goes; so each stands here once.
// Why:   what expires lies in buckets, unsorted. Only what is in the way when groups have to give way is put in order.
import { NameHeap } from "./name-heap.ts";

type LastMs = (name: string) => number | undefined;
type Bucket = { readonly names: string[]; readonly times: number[] };

export class Expiry {
  readonly #bucketMs: number;
  readonly #buckets = new Map<number, Bucket>();
  readonly #oldest = new NameHeap({ byName: true }); // of the buckets that were in the way

  constructor(bucketMs: number) {
    this.#bucketMs = bucketMs;
  }

  put(name: string, lastMs: number): void {
    const bucket = this.#bucketOf(lastMs);
    const known = this.#buckets.get(bucket);
    if (known) {
      known.names.push(name);
      known.times.push(lastMs);
    } else this.#buckets.set(bucket, { names: [name], times: [lastMs] });
  }

  /** Takes out names whose groups had no event from `fromMs` on when they were put here; some may come with a later call. */
  takeBefore(fromMs: number): readonly string[] {
    const taken: string[] = [];
    for (const [bucket, { names }] of this.#buckets) {
      if ((bucket + 1) * this.#bucketMs > fromMs) continue;
      this.#buckets.delete(bucket);
      for (const name of names) taken.push(name);
    }
    while ((this.#oldest.firstMs ?? fromMs) < fromMs) taken.push(this.#oldest.pop());
    return taken;
  }

  /** Takes out the names of as many groups whose last events are the oldest, in that order. */
  takeOldest(count: number, lastMs: LastMs): readonly string[] {
    const taken: string[] = [];
    const buckets = [...this.#buckets.keys()].sort((a, b) => a - b);
    for (let next = 0; taken.length < count; ) {
      const notedMs = this.#oldest.firstMs;
      const bucket = buckets[next];
      if (
        bucket !== undefined &&
        bucket * this.#bucketMs <= (notedMs ?? Number.POSITIVE_INFINITY)
      ) {
        this.#putInOrder(bucket);
        next += 1;
      } else if (notedMs === undefined) break;
      else {
        const name = this.#oldest.pop();
        const nowMs = lastMs(name);
        if (nowMs === undefined) continue;
        if (nowMs <= notedMs) taken.push(name);
        else if (this.#buckets.has(this.#bucketOf(nowMs)))
          this.put(name, nowMs); // not yet in the way
        else this.#oldest.put(nowMs, name);
      }
    }
    return taken;
  }

  clear(): void {
    this.#buckets.clear();
    this.#oldest.clear();
  }

  #bucketOf(timeMs: number): number {
    return Math.floor(timeMs / this.#bucketMs);
  }

  #putInOrder(bucket: number): void {
    const { names = [], times = [] } = this.#buckets.get(bucket) ?? {};
    for (let index = 0; index < names.length; index++)
      this.#oldest.put(times[index] as number, names[index] as string);
    this.#buckets.delete(bucket);
  }
}

// stream-clock.ts — the clock of a stream without receipts: the running maximum of the median of its last event times.
//
// In:    event times in the order of the stream.
// Out:   a clock that never goes back; unknown until it has seen as many times as it looks at.
// Why:   outliers cannot move a median: a thousand events from a clock that is an hour ahead would be needed.
import { IMPLAUSIBLE_AHEAD_MS } from "../core/event.ts";

export const timesMax = 1_000;
const ROOM = 2 * timesMax; // times mostly come in order: then the oldest goes at the start, the newest comes at the end

export class StreamClock {
  readonly #ring = new Float64Array(timesMax); // in the order of arrival
  readonly #sorted = new Float64Array(ROOM); // from #start on
  #start = 0;
  #count = 0;
  #next = 0; // where the oldest stands, once full
  #clockMs: number | undefined;

  constructor(times: Float64Array, clockMs: number | undefined) {
    for (const time of times.subarray(-timesMax)) this.#insert(time);
    this.#clockMs = clockMs;
  }

  get nowMs(): number | undefined {
    return this.#clockMs;
  }

  /** How far the stream came: at least to its clock, and to the latest time after which none is more than a day behind it. */
  get endMs(): number | undefined {
    if (this.#count === 0) return undefined;
    let endMs = Math.max(this.#clockMs ?? Number.NEGATIVE_INFINITY, this.#median());
    let leastMs = Number.POSITIVE_INFINITY; // of those that came later
    for (const timeMs of this.times().reverse()) {
      if (timeMs - leastMs <= IMPLAUSIBLE_AHEAD_MS) endMs = Math.max(endMs, timeMs);
      leastMs = Math.min(leastMs, timeMs);
    }
    return endMs;
  }

  add(timeMs: number): number | undefined {
    this.#insert(timeMs);
    if (this.#count < timesMax) return undefined;
    const median = this.#median();
    if (this.#clockMs === undefined || median > this.#clockMs) this.#clockMs = median;
    return this.#clockMs;
  }

  /** Oldest first: what a clock in the same state is made from. */
  times(): Float64Array {
    if (this.#count < timesMax) return this.#ring.slice(0, this.#count);
    const times = new Float64Array(timesMax);
    times.set(this.#ring.subarray(this.#next));
    times.set(this.#ring.subarray(0, this.#next), timesMax - this.#next);
    return times;
  }

  #median(): number {
    return this.#sorted[this.#start + ((this.#count - 1) >> 1)] ?? 0;
  }

  #insert(timeMs: number): void {
    const sorted = this.#sorted;
    if (this.#count === timesMax) this.#remove(this.#ring[this.#next] ?? 0);
    this.#ring[this.#next] = timeMs;
    this.#next = (this.#next + 1) % timesMax;
    if (this.#start + this.#count === ROOM) {
      sorted.copyWithin(0, this.#start, ROOM);
      this.#start = 0;
    }
    const end = this.#start + this.#count;
    const place = this.#count > 0 && (sorted[end - 1] ?? 0) < timeMs ? end : this.#find(timeMs);
    if (place < end) sorted.copyWithin(place + 1, place, end);
    sorted[place] = timeMs;
    this.#count++;
  }

  #remove(timeMs: number): void {
    const place = this.#find(timeMs);
    if (place > this.#start) this.#sorted.copyWithin(place, place + 1, this.#start + this.#count);
    else this.#start++;
    this.#count--;
  }

  /** The first place whose time is not below. */
  #find(timeMs: number): number {
    let low = this.#start;
    let high = this.#start + this.#count;
    if ((this.#sorted[low] ?? 0) === timeMs) return low;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] ?? 0) < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

// stream-clock.ts — the clock of a stream without receipts: the running maximum of the median of its last event times.
//
// In:    event times in the order of the stream.
// Out:   a clock that never goes back; unknown until it has seen as many times as it looks at.
// Why:   outliers cannot move a median: a thousand events from a clock that is an hour ahead would be needed.
export const timesMax = 1_000;

export class StreamClock {
  readonly #ring = new Float64Array(timesMax); // in the order of arrival
  readonly #sorted = new Float64Array(timesMax);
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

  get medianMs(): number | undefined {
    return this.#count === 0 ? undefined : this.#sorted[(this.#count - 1) >> 1];
  }

  add(timeMs: number): number | undefined {
    this.#insert(timeMs);
    if (this.#count < timesMax) return undefined;
    const median = this.medianMs ?? timeMs;
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

  #insert(timeMs: number): void {
    const sorted = this.#sorted;
    if (this.#count === timesMax) {
      const gone = this.#find(this.#ring[this.#next] ?? 0);
      sorted.copyWithin(gone, gone + 1, timesMax);
      this.#count--;
    }
    this.#ring[this.#next] = timeMs;
    this.#next = (this.#next + 1) % timesMax;
    const place = this.#find(timeMs);
    sorted.copyWithin(place + 1, place, this.#count);
    sorted[place] = timeMs;
    this.#count++;
  }

  /** The first place whose time is not below. */
  #find(timeMs: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] ?? 0) < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

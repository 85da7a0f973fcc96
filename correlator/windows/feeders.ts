// feeders.ts — the collectors that feed a stream's partition, and the clock that all of them have passed.
//
// In:    their ticks.
// Out:   the clock: the minimum over those that are waited for; who is silent.
// Holds: it waits for each feeder that neither left nor ended nor was silent for `silentMs`; how long somebody was
//        silent is measured by how the clocks of the others went on, not by what they say: so a collector whose clock
//        is an hour ahead pushes nobody out, and one whose clock jumps pushes nobody out at once.
import { ENDED_MS, type FeederClock } from "./clocks.ts";

const STEP_MS_MAX = 5 * 60_000; // of what one tick can show to have passed: feeders tick each few seconds
const FORGET_MS = 24 * 3_600_000; // then one that left or fell silent is as one that never was

/** `passedMs` as the feeder's own clock shows it, `heardMs` as all clocks showed it at its last tick. */
type Known = FeederClock & { passedMs: number; heardMs: number };
export type StoredFeeders = {
  readonly elapsedMs: number;
  readonly feeders: readonly (readonly [string, Partial<Known> & FeederClock])[];
};
export type SilentFeeder = { readonly feeder: string; readonly lastMs: number };

export class Feeders {
  readonly #silentMs: number;
  readonly #feeders = new Map<string, Known>();
  #elapsedMs = 0; // since the first tick, by whose clock went on furthest

  constructor(silentMs: number, stored?: StoredFeeders) {
    this.#silentMs = silentMs;
    this.#elapsedMs = stored?.elapsedMs ?? 0;
    for (const [name, known] of stored?.feeders ?? [])
      this.#feeders.set(name, {
        ...{ passedMs: this.#elapsedMs, heardMs: this.#elapsedMs },
        ...known,
      });
  }

  /** The clock after this tick; undefined where it tells nothing new. */
  tick(feeder: string, next: FeederClock): number | undefined {
    const before = this.#feeders.get(feeder);
    const passedMs = this.#passed(before, next.atMs);
    this.#elapsedMs = Math.max(this.#elapsedMs, passedMs);
    const isNew = before === undefined || Boolean(before.idle) !== Boolean(next.idle);
    const atMs = Math.max(before?.atMs ?? next.atMs, next.atMs);
    this.#feeders.set(feeder, {
      ...{ atMs, passedMs, heardMs: this.#elapsedMs },
      ...(next.idle && { idle: true }),
    });
    if (!isNew && atMs === before.atMs) return undefined;
    this.#forget();
    const waitedFor = [...this.#feeders.values()].filter((one) => this.#isWaitedFor(one));
    if (waitedFor.length > 0) return Math.min(...waitedFor.map((one) => one.atMs));
    const ended = [...this.#feeders.values()].every((one) => one.atMs === ENDED_MS);
    return ended ? ENDED_MS : atMs; // the last who left
  }

  /** Those that are not waited for any more and did not say farewell. */
  silent(): SilentFeeder[] {
    return [...this.#feeders]
      .filter(([, one]) => !one.idle && one.atMs < ENDED_MS && this.#isSilent(one))
      .map(([feeder, { atMs }]) => ({ feeder, lastMs: atMs }));
  }

  stored(): StoredFeeders {
    return { elapsedMs: this.#elapsedMs, feeders: [...this.#feeders] };
  }

  #passed(before: Known | undefined, atMs: number): number {
    if (atMs === ENDED_MS) return before?.passedMs ?? this.#elapsedMs;
    if (before === undefined) {
      // Whoever brings old ticks (from a spool) has yet to catch up.
      let mostMs = atMs;
      for (const one of this.#feeders.values())
        if (this.#isWaitedFor(one)) mostMs = Math.max(mostMs, one.atMs);
      return this.#elapsedMs + atMs - mostMs;
    }
    const passedMs = before.passedMs + Math.max(0, atMs - before.atMs);
    if (passedMs <= this.#elapsedMs) return passedMs;
    return Math.max(this.#elapsedMs, Math.min(passedMs, before.passedMs + STEP_MS_MAX));
  }

  #forget(): void {
    for (const [name, one] of this.#feeders)
      if (!this.#isWaitedFor(one) && this.#elapsedMs - one.heardMs > FORGET_MS)
        this.#feeders.delete(name);
  }

  readonly #isSilent = ({ heardMs }: Known): boolean => this.#elapsedMs - heardMs >= this.#silentMs;
  readonly #isWaitedFor = (one: Known): boolean =>
    !one.idle && one.atMs < ENDED_MS && !this.#isSilent(one);
}

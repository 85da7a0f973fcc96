// receipt-clock.ts — the clock of receipts and ticks: monotonic time, set to the wall clock and slow to follow its jumps.
//
// In:    the monotonic clock, the wall clock, and the last time that a former life of the process told.
// Out:   milliseconds since 1970 that never go back, not even over a restart.
// Holds: a jump of the wall clock (somebody or NTP sets it, a machine wakes) is told at once and adopted once it has
//        lasted `ADOPT_MS`. Adopted ahead, the clock goes ahead; adopted back, it stands still until the wall clock has
//        caught up, so no longer than the jump was wide.
// Why:   a tick says that nothing received before will still come: a clock that goes back makes it a lie, and one that
//        follows a wrong clock ahead for a moment makes all that comes afterwards too late.
export const JUMP_MS_MIN = 1_000; // what is less is followed at once: clocks drift
export const ADOPT_MS = 5 * 60_000;

export type ClockState =
  | { readonly kind: "steady" }
  | { readonly kind: "jumped"; readonly byMs: number; readonly adoptInMs: number }
  | { readonly kind: "standing"; readonly forMs: number };

export type ReceiptClockOptions = {
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
  /** No receipt and no tick may be before it. */
  readonly toldMs?: number | undefined;
  readonly onChange?: (state: ClockState) => void;
};

export class ReceiptClock {
  readonly #options: ReceiptClockOptions;
  #offsetMs: number; // from monotonic to receipt time
  #atMs: number; // the latest that was given
  #jump: { readonly byMs: number; readonly sinceMs: number } | undefined; // since: monotonic
  #said: ClockState["kind"] = "steady";

  constructor(options: ReceiptClockOptions) {
    this.#options = options;
    this.#atMs = Math.max(options.wallMs(), options.toldMs ?? 0);
    this.#offsetMs = this.#atMs - options.monotonicMs();
  }

  readonly now = (): number => {
    const monotonicMs = this.#options.monotonicMs();
    this.#compare(this.#options.wallMs(), monotonicMs);
    const ms = Math.floor(monotonicMs + this.#offsetMs);
    if (ms > this.#atMs) this.#atMs = ms;
    this.#say(ms, monotonicMs);
    return this.#atMs;
  };

  /** How far the wall clock is from the receipts; 0 while they follow it. */
  get aheadMs(): number {
    const awayMs = Math.round(this.#options.wallMs() - this.#atMs);
    return Math.abs(awayMs) < JUMP_MS_MIN ? 0 : awayMs;
  }

  #compare(wallMs: number, monotonicMs: number): void {
    const byMs = wallMs - monotonicMs - this.#offsetMs;
    if (Math.abs(byMs) < JUMP_MS_MIN) {
      this.#offsetMs += byMs;
      this.#jump = undefined;
      return;
    }
    if (this.#jump === undefined || Math.abs(this.#jump.byMs - byMs) >= JUMP_MS_MIN) {
      this.#jump = { byMs, sinceMs: monotonicMs };
      this.#said = "steady"; // another jump is told again
    } else if (monotonicMs - this.#jump.sinceMs >= ADOPT_MS) {
      this.#offsetMs += byMs;
      this.#jump = undefined;
    }
  }

  #say(ms: number, monotonicMs: number): void {
    const state = this.#state(ms, monotonicMs);
    if (state.kind === this.#said) return;
    this.#said = state.kind;
    this.#options.onChange?.(state);
  }

  #state(ms: number, monotonicMs: number): ClockState {
    if (this.#jump !== undefined) {
      const { byMs, sinceMs } = this.#jump;
      return { kind: "jumped", byMs, adoptInMs: ADOPT_MS - (monotonicMs - sinceMs) };
    }
    const forMs = this.#atMs - ms;
    return forMs >= JUMP_MS_MIN ? { kind: "standing", forMs } : { kind: "steady" };
  }
}

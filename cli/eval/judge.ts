// judge.ts — judges an event's time as the collector of an import does, by the clock of all events so far.
//
// Holds: what is found does not depend on when the file is read: what is ahead of now is told, and counts all the same.
import { jsonTime } from "../../collectors/parsers/json-line.ts";
import { StreamClock } from "../../collectors/stream-clock.ts";
import { type EcsEvent, IMPLAUSIBLE_AHEAD_MS, judgeTime, saysTime } from "../../core/event.ts";
import type { Readable } from "../../correlator/match/matcher.ts";

/** An event's time, what the stream's clock says then, and what follows from both. */
export type Judged = {
  readonly timeMs: number;
  readonly isSaid: boolean; // by the log
  readonly clockMs: number | undefined;
  readonly late: true | undefined;
  readonly implausible: boolean;
  readonly isAhead: boolean; // a running Wache would not correlate it
};

export type JudgeOptions = {
  readonly latenessMs: number | undefined; // without one nothing is late
  readonly nowMs: number;
  readonly zone: string; // of times that carry none
};

export class Judge {
  readonly #clock: StreamClock | undefined;
  readonly #latenessMs: number;
  readonly #nowMs: number;
  readonly #context: { readonly zone: string; readonly latestMs: number };

  constructor({ latenessMs, nowMs, zone }: JudgeOptions) {
    this.#latenessMs = latenessMs ?? Number.POSITIVE_INFINITY;
    this.#nowMs = nowMs;
    this.#context = { zone, latestMs: 0 };
    if (latenessMs !== undefined) this.#clock = new StreamClock(new Float64Array(), undefined);
  }

  /** Undefined where the event has no time. Events come in the order of the stream, each once. */
  judge(event: Readable): Judged | undefined {
    const timeMs = jsonTime(event, this.#context)?.ms;
    if (timeMs === undefined) return undefined;
    const { wache } = event as Partial<EcsEvent>;
    const isSaid = wache === undefined || saysTime({ wache });
    const isKnownSo = wache?.implausible === true;
    const clockMs = isSaid ? this.#clock?.add(timeMs) : this.#clock?.nowMs;
    const latenessMs = this.#latenessMs;
    const receiptMs = Number.POSITIVE_INFINITY;
    const { late, implausible = isKnownSo } = judgeTime({ timeMs, clockMs, receiptMs, latenessMs });
    const isAhead = timeMs > this.#nowMs + IMPLAUSIBLE_AHEAD_MS;
    return { timeMs, isSaid, clockMs, late, implausible, isAhead };
  }
}

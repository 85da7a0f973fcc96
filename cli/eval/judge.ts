// judge.ts — judges an event's time as the collector of an import does: by the clock of all events so far, and by now.
import { jsonTime } from "../../collectors/parsers/json-line.ts";
import { StreamClock } from "../../collectors/stream-clock.ts";
import { type EcsEvent, judgeTime, saysTime } from "../../core/event.ts";
import type { Readable } from "../../correlator/match/matcher.ts";

/** An event's time, what the stream's clock says then, and what follows from both. */
export type Judged = {
  readonly timeMs: number;
  readonly isSaid: boolean; // by the log
  readonly clockMs: number | undefined;
  readonly late: true | undefined;
  readonly implausible: boolean;
};

export class Judge {
  readonly #clock: StreamClock | undefined;
  readonly #latenessMs: number;
  readonly #nowMs: number;

  /** Without a lateness nothing is late. */
  constructor(latenessMs: number | undefined, nowMs: number) {
    this.#latenessMs = latenessMs ?? Number.POSITIVE_INFINITY;
    this.#nowMs = nowMs;
    if (latenessMs !== undefined) this.#clock = new StreamClock(new Float64Array(), undefined);
  }

  /** Undefined where the event has no time. Events come in the order of the stream, each once. */
  judge(event: Readable): Judged | undefined {
    const timeMs = jsonTime(event, { zone: "UTC", latestMs: 0 })?.ms;
    if (timeMs === undefined) return undefined;
    const { wache } = event as Partial<EcsEvent>;
    const isSaid = wache === undefined || saysTime({ wache });
    const isKnownSo = wache?.implausible === true;
    const clockMs = isSaid ? this.#clock?.add(timeMs) : this.#clock?.nowMs;
    const [receiptMs, latenessMs] = [this.#nowMs, this.#latenessMs];
    const { late, implausible = isKnownSo } = judgeTime({ timeMs, clockMs, receiptMs, latenessMs });
    return { timeMs, isSaid, clockMs, late, implausible };
  }
}

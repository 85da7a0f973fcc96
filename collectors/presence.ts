// presence.ts — whether the stages know this collector and wait for it, and what becomes of events from before they did.
//
// In:    what is about to go to the bus, and what went.
// Out:   the same records; a live event that was received before anybody waited for its collector is judged by the moment
//        from which somebody did.
// Holds: no live event of this collector that carries no mark is older than the watermark when it arrives, as long as the
//        bus is not away from this collector alone for longer than the stages wait (15 minutes).
// Why:   others' clocks go on while a new collector's first tick is in its spool. Its events then must not be lost from
//        all windows without a mark.
import type { OutRecord } from "../core/bus/bus.ts";
import { judgeTime, LIVE, timeOf } from "../core/event.ts";
import type { EventRecord, Tick } from "../core/records.ts";
import type { CollectorMetrics } from "./metrics.ts";

export type PresenceOptions = {
  /** From when on the stages know this collector; undefined where they do not, or where it said farewell. */
  readonly knownFromMs: number | undefined;
  readonly save: (knownFromMs: number | undefined) => void;
  readonly latenessMs: number;
  readonly nowMs: () => number; // the clock of receipts
  readonly metrics: Pick<CollectorMetrics, "late">;
};

export class Presence {
  readonly #options: PresenceOptions;
  readonly #bornMs: number;
  #knownFromMs: number | undefined;
  #isLeaving = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#bornMs = options.nowMs();
    this.#knownFromMs = options.knownFromMs;
  }

  get isKnown(): boolean {
    return this.#knownFromMs !== undefined;
  }

  /** The first tick is on the bus. */
  begun(): void {
    this.#knownFromMs = this.#options.nowMs();
    this.#options.save(this.#knownFromMs);
  }

  /** A farewell is under way: whoever comes back begins anew. */
  leaves(): void {
    this.#isLeaving = true;
    this.#options.save(undefined);
  }

  toSend(records: readonly OutRecord[]): readonly OutRecord[] {
    return records.map((record) => {
      const value = record.value as Partial<EventRecord> | null;
      if (value?.kind === "tick") return this.#tick(record, value as Tick);
      if (value?.kind === "event") return this.#event(record, value as EventRecord);
      return record;
    });
  }

  /** A farewell of an earlier life came too late: the collector is back. */
  #tick(record: OutRecord, tick: Tick): OutRecord {
    if (!tick.idle || (this.#isLeaving && tick.atMs >= this.#bornMs)) return record;
    const { idle: _, ...rest } = tick;
    return { ...record, value: rest };
  }

  #event(record: OutRecord, value: EventRecord): OutRecord {
    const fromMs = this.#knownFromMs;
    if (value.kind !== "event" || fromMs === undefined) return record;
    const { event } = value;
    const { late, implausible: _, ...wache } = event.wache;
    if (wache.stream !== LIVE || (wache.clockMs ?? fromMs) >= fromMs) return record;
    const { latenessMs, metrics } = this.#options;
    const times = { timeMs: timeOf(event), clockMs: fromMs, receiptMs: fromMs };
    const judged = judgeTime({ ...times, latenessMs });
    if (judged.late && !late) metrics.late(1);
    const stamped = { ...event, wache: { ...wache, clockMs: fromMs, ...judged } };
    return { ...record, value: { kind: "event", event: stamped } satisfies EventRecord };
  }
}

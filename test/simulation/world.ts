// world.ts — what all parts of a simulated run share: time, chance, and the faults that may happen now.
import type { Chance } from "./chance.ts";
import { Scheduler } from "./scheduler.ts";

export const FAULTS = [
  "crash",
  "kick", // a member is put out of its groups, and goes on for a while as if it were not
  "stop",
  "stall", // a process stands still for seconds
  "bus refuses",
  "bus stores part",
  "bus stores, says no",
  "bus stores later",
  "bus away",
  "read fails",
  "commit fails",
  "commit fails, kept",
  "store refuses",
  "store keeps part",
  "store keeps, says no",
  "store away",
  "feeder crash",
  "feeder stop",
  "clock set", // a collector's, by up to an hour
  "retention",
  "compaction",
] as const;
export type Fault = (typeof FAULTS)[number];

/** How often each kind of fault comes, out of one. */
export type Odds = { readonly [fault in Fault]?: number };

export class World {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly startMs: number;
  readonly counts = new Map<Fault, number>();
  /** No fault comes while it is false. */
  isRough = true;
  busAwayUntilMs = 0;
  fetchMax: number | undefined; // records of a batch; else drawn
  storeAwayUntilMs = 0;
  readonly odds: Odds;
  readonly delayMsMax: number; // of a step

  constructor(args: {
    readonly chance: Chance;
    readonly startMs: number;
    readonly odds: Odds;
    readonly delayMsMax: number;
    readonly keepLines?: boolean;
  }) {
    this.scheduler = new Scheduler(args.startMs, args.keepLines);
    this.chance = args.chance;
    this.startMs = args.startMs;
    this.odds = args.odds;
    this.delayMsMax = args.delayMsMax;
  }

  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  /** Whether this fault comes now; it is counted. */
  comes(fault: Fault): boolean {
    const odds = this.odds[fault] ?? 0;
    if (!this.isRough || odds === 0 || !this.chance.is(odds)) return false;
    this.count(fault);
    return true;
  }

  count(fault: Fault): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    this.scheduler.note(`fault: ${fault}`);
  }
}

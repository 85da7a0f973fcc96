// signal-clock.ts — reads off the log of signals how far live time came, and from when on a rule was in force everywhere.
//
// Holds: what correlate may know at an offset follows from what stands in the partition before it, and from nothing else.
import type { BusRecord } from "../../core/bus/bus.ts";
import { LIVE } from "../../core/event.ts";
import type { SignalRecord } from "../../core/records.ts";

type Sight = {
  readonly clocks: Map<number, Map<string, number>>; // by level, of each feeder
  readonly reached: Map<number, number>; // by level: what all of them have passed
  readonly inForce: Map<string, readonly string[]>; // versions of absences, by feeder
  readonly beganMs: Map<string, Map<number, number>>; // by version and level
};

export class SignalClock {
  readonly #partitions = new Map<number, Sight>();
  readonly #expected: number; // feeders of each level

  constructor(partitions: number) {
    this.#expected = partitions;
  }

  saw({ partition, value }: BusRecord): void {
    const record = value as SignalRecord;
    const sight = this.#partitions.get(partition) ?? {
      ...{ clocks: new Map(), reached: new Map(), inForce: new Map(), beganMs: new Map() },
    };
    this.#partitions.set(partition, sight);
    if (record.kind === "rules") sight.inForce.set(record.feeder, record.absences);
    else if (record.kind === "tick" && record.stream === LIVE)
      this.#tick(sight, { level: record.level ?? 0, feeder: record.feeder, atMs: record.atMs });
  }

  /** What all feeders have passed in the end, ms. */
  get clockMs(): number {
    return Math.max(0, ...[...this.#partitions.values()].map(({ reached }) => reached.get(0) ?? 0));
  }

  beganMs(at: { readonly partition: number; readonly version: string; readonly level: number }) {
    return this.#partitions.get(at.partition)?.beganMs.get(at.version)?.get(at.level);
  }

  #tick(sight: Sight, tick: { level: number; feeder: string; atMs: number }): void {
    const { level, feeder, atMs } = tick;
    const clocks = sight.clocks.get(level) ?? new Map<string, number>();
    sight.clocks.set(level, clocks);
    clocks.set(feeder, Math.max(clocks.get(feeder) ?? 0, atMs));
    if (clocks.size < this.#expected) return;
    const clockMs = Math.min(...clocks.values());
    if (clockMs <= (sight.reached.get(level) ?? 0)) return;
    sight.reached.set(level, clockMs);
    if (sight.inForce.size < this.#expected) return;
    const [first = [], ...others] = sight.inForce.values();
    for (const version of first.filter((one) => others.every((all) => all.includes(one)))) {
      const began = sight.beganMs.get(version) ?? new Map<number, number>();
      sight.beganMs.set(version, began);
      if (!began.has(level)) began.set(level, clockMs);
    }
  }
}

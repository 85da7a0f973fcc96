// signal-clock.ts — reads off the log of signals what correlate may know: how far time came, from when on a rule was in
// force everywhere, and which signals came in time.
//
// Holds: what is known at an offset follows from what stands in the partition before it, and from nothing else.
// Why:   what a rule sees that a reload changed depends on when each worker had which rules; only the log tells.
import type { BusRecord } from "../../core/bus/bus.ts";
import { LIVE } from "../../core/event.ts";
import type { Signal, SignalRecord, Tick } from "../../core/records.ts";

type Partition = {
  readonly feeders: Map<string, Map<string, number>>; // by stream and level: each feeder's clock
  readonly clocks: Map<string, number>; // by stream and level: what all of them have passed
  readonly levels: Map<string, number>; // of the versions that were announced
  readonly inForce: Map<string, readonly string[]>; // versions of absences, by feeder
  readonly beganMs: Map<string, number>; // by version and level
  early: Signal[];
};

const placeOf = (stream: string, level: number): string => `${level} ${stream}`;

export class SignalClock {
  readonly #partitions = new Map<number, Partition>();
  readonly #taken = new Set<string>();
  readonly #expected: number; // feeders of each level
  readonly #latenessMs: number;

  constructor(of: { readonly partitions: number; readonly latenessMs: number }) {
    this.#expected = of.partitions;
    this.#latenessMs = of.latenessMs;
  }

  saw({ partition, value }: BusRecord): void {
    const record = value as SignalRecord;
    const sight = this.#partitions.get(partition) ?? newPartition();
    this.#partitions.set(partition, sight);
    if (record.kind === "rules") sight.inForce.set(record.feeder, record.absences);
    else if (record.kind === "tick") this.#tick(sight, record);
    else if (record.kind === "signal") this.#signal(sight, record);
    else {
      sight.levels.set(record.rule.version, record.rule.level);
      for (const signal of sight.early.splice(0)) this.#signal(sight, signal);
    }
  }

  /** What all feeders have passed in the end, ms. */
  get clockMs(): number {
    const clocks = [...this.#partitions.values()].map(({ clocks }) => clocks.get(placeOf(LIVE, 0)));
    return Math.max(0, ...clocks.map((clockMs) => clockMs ?? 0));
  }

  beganMs(at: { readonly partition: number; readonly version: string; readonly level: number }) {
    return this.#partitions.get(at.partition)?.beganMs.get(placeOf(at.version, at.level));
  }

  /** Whether a match of this version came to the group in time. */
  wasTaken(match: SignalName): boolean {
    return this.#taken.has(nameOf(match));
  }

  #signal(sight: Partition, signal: Signal): void {
    const { stream, id, timeMs, group } = signal;
    for (const match of signal.matches) {
      const level = sight.levels.get(match.version);
      if (level === undefined) {
        sight.early.push({ ...signal, matches: [match] });
        continue;
      }
      const clockMs = sight.clocks.get(placeOf(stream, level)) ?? Number.NEGATIVE_INFINITY;
      if (timeMs >= clockMs - this.#latenessMs)
        this.#taken.add(nameOf({ stream, version: match.version, from: match.from, id, group }));
    }
  }

  #tick(sight: Partition, { stream, level = 0, feeder, atMs, end }: Tick): void {
    const place = placeOf(stream, level);
    const feeders = sight.feeders.get(place) ?? new Map<string, number>();
    sight.feeders.set(place, feeders);
    const nextMs = end ? Number.POSITIVE_INFINITY : atMs;
    feeders.set(feeder, Math.max(feeders.get(feeder) ?? 0, nextMs));
    if (feeders.size < this.#expected) return;
    const clockMs = Math.min(...feeders.values());
    if (clockMs <= (sight.clocks.get(place) ?? 0)) return;
    sight.clocks.set(place, clockMs);
    if (stream !== LIVE || sight.inForce.size < this.#expected) return;
    const [first = [], ...others] = sight.inForce.values();
    for (const version of first.filter((one) => others.every((all) => all.includes(one)))) {
      const began = placeOf(version, level);
      if (!sight.beganMs.has(began)) sight.beganMs.set(began, clockMs);
    }
  }
}

const newPartition = (): Partition => ({
  ...{ feeders: new Map(), clocks: new Map(), levels: new Map() },
  ...{ inForce: new Map(), beganMs: new Map(), early: [] },
});

type SignalName = {
  readonly stream: string;
  readonly version: string;
  readonly from: number;
  readonly id: string;
  readonly group: readonly string[];
};
const nameOf = ({ stream, version, from, id, group }: SignalName): string =>
  JSON.stringify([stream, version, from, id, group]);

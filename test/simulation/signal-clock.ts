// signal-clock.ts — reads off the log of signals what correlate may know: how far time came, from when on a rule was in
// force everywhere, and which signals came in time.
//
// Holds: what is known at an offset follows from what stands in the partition before it, and from nothing else.
// Why:   what a rule sees that a reload changed depends on when each worker had which rules; only the log tells.
import type { BusRecord } from "../../core/bus/bus.ts";
import { LIVE } from "../../core/event.ts";
import type { RulesRecord, Signal, SignalRecord, Tick } from "../../core/records.ts";

type Partition = {
  readonly partition: number;
  readonly feeders: Map<string, Map<string, number>>; // by stream and level: each feeder's clock
  readonly clocks: Map<string, number>; // by stream and level: what all of them have passed
  readonly levels: Map<string, number>; // of the versions that were announced
  readonly inForce: Map<string, readonly string[]>; // versions of absences, by feeder
  readonly beganMs: Map<string, number>; // by version and level
  readonly absences: Set<string>; // versions
  readonly lives: Map<string, AbsenceLife[]>; // by version and stream
  early: Signal[];
};

/** From when a version of an absence is first heard of in a stream until it is in force no longer, and starts clean. */
export type AbsenceLife = {
  readonly partition: number;
  beganMs: number | undefined; // since when what is listed is awaited
  knownMs: number | undefined; // as far as was decided
  fromMs: number; // what is older comes too late
  readonly taken: Map<string, number>; // names of matches: their times
  isUnsure: boolean; // a match came of which it depends on restarts whether it is too late
  isOver: boolean;
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
    const sight = this.#partitions.get(partition) ?? newPartition(partition);
    this.#partitions.set(partition, sight);
    if (record.kind === "rules") this.#inForce(sight, record);
    else if (record.kind === "tick") this.#tick(sight, record);
    else if (record.kind === "signal") this.#signal(sight, record);
    else {
      sight.levels.set(record.rule.version, record.rule.level);
      if (record.rule.type === "absence") sight.absences.add(record.rule.version);
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

  /** The lives of a version of an absence in a stream, in all partitions. */
  livesOf(stream: string, version: string): readonly AbsenceLife[] {
    const place = JSON.stringify([version, stream]);
    return [...this.#partitions.values()].flatMap(({ lives }) => lives.get(place) ?? []);
  }

  /** docs/correlation.md, "Rules in force". */
  #inForce(sight: Partition, { feeder, absences }: RulesRecord): void {
    const before = this.#inForceIn(sight);
    sight.inForce.set(feeder, absences);
    const now = this.#inForceIn(sight);
    const anywhere = new Set([...sight.inForce.values()].flat());
    for (const [place, lives] of sight.lives) {
      const [version] = JSON.parse(place) as [string];
      const ends = before.includes(version) && !now.includes(version);
      if (ends || !anywhere.has(version)) for (const life of lives) life.isOver = true;
    }
  }

  #inForceIn({ inForce }: Partition): readonly string[] {
    if (inForce.size < this.#expected) return [];
    const [first = [], ...others] = inForce.values();
    return first.filter((one) => others.every((all) => all.includes(one)));
  }

  #lifeIn(sight: Partition, stream: string, version: string): AbsenceLife {
    const place = JSON.stringify([version, stream]);
    const lives = sight.lives.get(place) ?? [];
    sight.lives.set(place, lives);
    const last = lives.at(-1);
    if (last && !last.isOver) return last;
    const clockMs = sight.clocks.get(placeOf(stream, sight.levels.get(version) ?? 0));
    const life: AbsenceLife = {
      ...{ partition: sight.partition, beganMs: undefined, knownMs: undefined },
      fromMs: (clockMs ?? Number.NEGATIVE_INFINITY) - this.#latenessMs,
      ...{ taken: new Map(), isUnsure: false, isOver: false },
    };
    lives.push(life);
    return life;
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
      const name = nameOf({ stream, version: match.version, from: match.from, id, group });
      if (timeMs >= clockMs - this.#latenessMs) this.#taken.add(name);
      if (!sight.absences.has(match.version) || clockMs === Number.POSITIVE_INFINITY) continue;
      const life = this.#lifeIn(sight, stream, match.version);
      if (timeMs < life.fromMs) continue;
      if (timeMs < clockMs - this.#latenessMs) life.isUnsure = true;
      life.taken.set(name, timeMs);
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
    for (const version of this.#inForceIn(sight)) {
      const began = placeOf(version, level);
      if (stream === LIVE && !sight.beganMs.has(began)) sight.beganMs.set(began, clockMs);
      if (sight.levels.get(version) !== level) continue;
      const life = this.#lifeIn(sight, stream, version);
      if (stream === LIVE) life.beganMs ??= clockMs;
      life.fromMs = clockMs - this.#latenessMs;
      life.knownMs = life.fromMs;
    }
  }
}

const newPartition = (partition: number): Partition => ({
  partition,
  ...{ feeders: new Map(), clocks: new Map(), levels: new Map() },
  ...{ inForce: new Map(), beganMs: new Map(), early: [] },
  ...{ absences: new Set(), lives: new Map() },
});

export type SignalName = {
  readonly stream: string;
  readonly version: string;
  readonly from: number;
  readonly id: string;
  readonly group: readonly string[];
};
export const nameOf = ({ stream, version, from, id, group }: SignalName): string =>
  JSON.stringify([stream, version, from, id, group]);

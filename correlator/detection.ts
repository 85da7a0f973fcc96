// detection.ts — the detect stage of one partition of wache.events, as a deterministic processor.
//
// In:    events and ticks.
// Out:   the rules in force (announced before the first signal of each), signals, findings of rules that stand alone,
//        and ticks: the minimum over this partition's feeders, to every partition of signals.
// Holds: an event that came too late gives no signal (it is marked, kept and counted), but a rule that stands alone sees it.
import type { BusRecord, OutRecord } from "../core/bus/bus.ts";
import { LIVE } from "../core/event.ts";
import type { Processor, SnapshotPart } from "../core/processor.ts";
import { type EventRecord, type SignalRecord, type Tick, TOPIC } from "../core/records.ts";
import type { Matcher } from "./match/matcher.ts";
import type { RuleSet } from "./sigma/rule.ts";
import { findingOf, type Missed, signalsOf } from "./signals.ts";
import { ENDED_MS, type FeederClock, minimumOfActive, passed } from "./windows/clocks.ts";

export const SILENT_MS = 15 * 60_000; // a feeder silent for longer is not waited for

export type ActiveRules = { readonly set: RuleSet; readonly matcher: Matcher };
export type DetectOptions = {
  readonly partition: number;
  readonly signalPartitions: number;
  readonly rules: () => ActiveRules;
};
export type DetectCounts = Missed & { events: number; matches: number };

type StreamClock = {
  readonly feeders: Map<string, FeederClock>;
  passedMs: number;
  untilMs?: number;
};

export class DetectProcessor implements Processor {
  readonly counts: DetectCounts = { events: 0, matches: 0, missedGroups: 0, missedValues: 0 };
  readonly #options: DetectOptions;
  readonly #streams = new Map<string, StreamClock>();
  #announced: RuleSet | undefined;

  constructor(options: DetectOptions, parts?: readonly SnapshotPart[]) {
    this.#options = options;
    for (const part of parts ?? []) {
      const [name, passedMs, feeders, untilMs] = JSON.parse(part) as [
        string,
        number,
        [string, FeederClock][],
        number?,
      ];
      this.#streams.set(name, {
        ...{ passedMs, feeders: new Map(feeders) },
        ...(typeof untilMs === "number" && { untilMs }),
      });
    }
  }

  process(record: BusRecord, out: OutRecord[]): void {
    const rules = this.#options.rules();
    if (this.#announced !== rules.set) this.#announce(rules.set, out);
    const value = record.value as EventRecord;
    switch (value?.kind) {
      case "event":
        this.#event(value, rules.matcher, out);
        break;
      case "tick":
        this.#tick(value, out);
        break;
      default:
        throw new Error(
          `a record of kind ${JSON.stringify((value as { kind?: unknown } | undefined)?.kind)} is neither event nor tick`,
        );
    }
  }

  *snapshot(): Generator<SnapshotPart> {
    for (const [name, { passedMs, feeders, untilMs }] of this.#streams)
      yield JSON.stringify([name, passedMs, [...feeders], untilMs]);
  }

  #event({ event }: EventRecord & { kind: "event" }, matcher: Matcher, out: OutRecord[]): void {
    this.counts.events += 1;
    const matched = matcher.match(event, event.wache.sources).map(({ rule }) => rule);
    this.counts.matches += matched.length;
    for (const rule of matched) if (rule.standalone) out.push(findingOf(event, rule));
    if (event.wache.late || event.wache.implausible) return;
    for (const signal of signalsOf(event, matched, this.counts)) out.push(signal);
  }

  #tick(tick: Tick, out: OutRecord[]): void {
    const stream = this.#streams.get(tick.stream) ?? {
      feeders: new Map<string, FeederClock>(),
      passedMs: Number.MIN_SAFE_INTEGER,
    };
    this.#streams.set(tick.stream, stream);
    const next = { atMs: tick.end ? ENDED_MS : tick.atMs, ...(tick.idle && { idle: true }) };
    if (!passed(stream.feeders, tick.feeder, next)) return;
    if (tick.end) stream.untilMs = Math.max(stream.untilMs ?? tick.atMs, tick.atMs);
    const atMs = minimumOfActive(
      stream.feeders,
      tick.stream === LIVE ? SILENT_MS : Number.POSITIVE_INFINITY,
    );
    if (atMs === undefined || atMs <= stream.passedMs) return;
    stream.passedMs = atMs;
    const ended = atMs === ENDED_MS;
    this.#toAll(out, {
      kind: "tick",
      stream: tick.stream,
      feeder: `events/${this.#options.partition}`,
      atMs,
      ...(ended && { end: true as const }),
      ...(ended && stream.untilMs !== undefined && { untilMs: stream.untilMs }),
    });
    if (ended) this.#streams.delete(tick.stream);
  }

  #announce(set: RuleSet, out: OutRecord[]): void {
    this.#announced = set;
    for (const rule of set.correlations) this.#toAll(out, { kind: "rule", rule });
    const absences = set.correlations.filter(({ absence }) => absence).map((rule) => rule.version);
    this.#toAll(out, { kind: "rules", feeder: `events/${this.#options.partition}`, absences });
  }

  #toAll(out: OutRecord[], value: SignalRecord): void {
    const key = `events/${this.#options.partition}`;
    for (let partition = 0; partition < this.#options.signalPartitions; partition++)
      out.push({ topic: TOPIC.signals, key, partition, value });
  }
}

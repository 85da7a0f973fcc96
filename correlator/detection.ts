// detection.ts — the detect stage of one partition of wache.events, as a deterministic processor.
//
// In:    events and ticks.
// Out:   the rules in force (announced before the first signal of each), signals, findings of rules that stand alone,
//        and ticks: the minimum over this partition's feeders, to every partition of signals.
// Holds: an event that came too late gives no signal (it is marked, kept and counted), but a rule that stands alone sees it.
import type { BusRecord, OutRecord } from "../core/bus/bus.ts";
import { type EcsEvent, LIVE, timeOf } from "../core/event.ts";
import type { Processor, SnapshotPart } from "../core/processor.ts";
import { type EventRecord, type SignalRecord, type Tick, TOPIC } from "../core/records.ts";
import type { Matcher } from "./match/matcher.ts";
import type { RuleSet } from "./sigma/rule.ts";
import { baseOf, findingOf, type Missed, noneMissed, signalsOf } from "./signals.ts";
import { ENDED_MS } from "./windows/clocks.ts";
import { Feeders, type SilentFeeder, type StoredFeeders } from "./windows/feeders.ts";
import { recordOf } from "./windows/signal-records.ts";

export const SILENT_MS = 15 * 60_000; // a feeder silent for longer is not waited for

export type ActiveRules = { readonly set: RuleSet; readonly matcher: Matcher };
export type DetectOptions = {
  readonly partition: number;
  readonly signalPartitions: number;
  readonly latenessMs: number;
  readonly rules: () => ActiveRules;
};
export type DetectCounts = Missed & { events: number; matches: number; behind: number };

type StreamClock = { readonly feeders: Feeders; passedMs: number; untilMs?: number };
type Stored = readonly [
  name: string,
  passedMs: number,
  feeders: StoredFeeders["feeders"],
  elapsedMs: number,
  untilMs?: number | null,
];

export class DetectProcessor implements Processor {
  readonly counts: DetectCounts = {
    ...{ events: 0, matches: 0, behind: 0 },
    ...noneMissed(),
  };
  readonly #options: DetectOptions;
  readonly #streams = new Map<string, StreamClock>();
  #announced: RuleSet | undefined;

  constructor(options: DetectOptions, parts?: readonly SnapshotPart[]) {
    this.#options = options;
    for (const part of parts ?? []) {
      const [name, passedMs, feeders, elapsedMs, untilMs] = JSON.parse(part) as Stored;
      const stored = { elapsedMs, feeders };
      this.#streams.set(name, {
        ...{ passedMs, feeders: new Feeders(silentMsOf(name), stored) },
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
        this.#event(record, rules.matcher, out);
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
    for (const [name, { passedMs, feeders, untilMs }] of this.#streams) {
      const stored = feeders.stored();
      yield JSON.stringify([name, passedMs, stored.feeders, stored.elapsedMs, untilMs]);
    }
  }

  /** Collectors that the live clock does not wait for any more, though they did not say farewell. */
  silent(): SilentFeeder[] {
    return this.#streams.get(LIVE)?.feeders.silent() ?? [];
  }

  #event({ value, text }: BusRecord, matcher: Matcher, out: OutRecord[]): void {
    const { event } = value as EventRecord & { kind: "event" };
    this.counts.events += 1;
    const matched = matcher.match(event, event.wache.sources, text).map(({ rule }) => rule);
    this.counts.matches += matched.length;
    for (const rule of matched) if (rule.standalone) out.push(findingOf(event, rule));
    if (event.wache.late || event.wache.implausible) return;
    if (this.#isBehind(event)) this.counts.behind += 1;
    for (const signal of signalsOf(event, baseOf(event), { rules: matched, missed: this.counts }))
      out.push(recordOf(signal));
  }

  /** Nobody waited for its collector: the windows may be past it. */
  #isBehind(event: EcsEvent): boolean {
    const { stream, clockMs } = event.wache;
    if (stream !== LIVE || clockMs === undefined) return false;
    const passedMs = this.#streams.get(LIVE)?.passedMs ?? Number.MIN_SAFE_INTEGER;
    return clockMs < passedMs && timeOf(event) < passedMs - this.#options.latenessMs;
  }

  #tick(tick: Tick, out: OutRecord[]): void {
    const stream = this.#streams.get(tick.stream) ?? {
      feeders: new Feeders(silentMsOf(tick.stream)),
      passedMs: Number.MIN_SAFE_INTEGER,
    };
    this.#streams.set(tick.stream, stream);
    const next = { atMs: tick.end ? ENDED_MS : tick.atMs, ...(tick.idle && { idle: true }) };
    const atMs = stream.feeders.tick(tick.feeder, next);
    if (tick.end) stream.untilMs = Math.max(stream.untilMs ?? tick.atMs, tick.atMs);
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

const silentMsOf = (stream: string): number =>
  stream === LIVE ? SILENT_MS : Number.POSITIVE_INFINITY;

// finished-stream.ts — the findings of events that are all there already: a file, a test's case.
//
// In:    events, each with the rules that it satisfies.
// Out:   at the end, the unsuperseded findings, the newest revision of each.
// Holds: without a clock every window stays open to the end, so that the order of the events does not matter; with one,
//        windows close behind it, and an event that comes later than the lateness allows is counted as overdue. What did not
//        come is missed up to the time of the last event, and not after it.
import type { BusRecord, OutRecord } from "../core/bus/bus.ts";
import { type EcsEvent, LIVE, timeOf } from "../core/event.ts";
import { type Finding, type SignalRecord, type Tick, TOPIC } from "../core/records.ts";
import type { DetectionRule, RuleSet } from "./sigma/rule.ts";
import { findingOf, type Missed, signalsOf } from "./signals.ts";
import { type Counts, WindowsProcessor } from "./windows/processor.ts";
import type { Bounds } from "./windows/rule-windows.ts";

export type StreamCounts = Counts & Missed;

/** `stream`: the findings are those of a stream of this name; `live` unless told. */
export type FinishedStreamOptions = Bounds & {
  readonly latenessMs: number;
  readonly stream?: string;
};

export class FinishedStream {
  readonly #windows: WindowsProcessor;
  readonly #findings = new Map<string, Finding>();
  readonly #missed: Missed = { missedGroups: 0, missedValues: 0 };
  readonly #tick: Pick<Tick, "kind" | "stream" | "feeder">;
  #fromMs = Number.POSITIVE_INFINITY;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(set: RuleSet, { stream = LIVE, ...options }: FinishedStreamOptions) {
    this.#tick = { kind: "tick", stream, feeder: FEEDER };
    this.#windows = new WindowsProcessor({
      ...options,
      ...{ partition: 0, eventPartitions: 1, signalPartitions: 1, onlyLast: true },
    });
    this.#take(set.correlations.map((rule) => signal({ kind: "rule", rule })));
    const absences = set.correlations.filter(({ absence }) => absence).map((rule) => rule.version);
    this.#take([signal({ kind: "rules", feeder: FEEDER, absences })]);
  }

  get counts(): StreamCounts {
    return { ...this.#windows.counts, ...this.#missed };
  }

  /** The event says that it belongs to this stream. */
  add(event: EcsEvent, matched: readonly DetectionRule[]): void {
    this.#take(
      matched.filter(({ standalone }) => standalone).map((rule) => findingOf(event, rule)),
    );
    this.correlate(event, matched);
  }

  /** As `add`, but rules that stand alone make no findings. */
  correlate(event: EcsEvent, matched: readonly DetectionRule[]): void {
    this.seen(timeOf(event));
    this.#take(signalsOf(event, matched, this.#missed));
  }

  /** The stream has an event at this time, whether or not a rule matches it. */
  seen(timeMs: number): void {
    if (timeMs < this.#fromMs) this.#fromMs = timeMs;
    if (timeMs > this.#untilMs) this.#untilMs = timeMs;
  }

  /** No event will come whose time is before this one less the lateness. */
  clock(atMs: number): void {
    this.#take([signal({ ...this.#tick, atMs, ...this.#from() })]);
  }

  end(): readonly Finding[] {
    const untilMs = Number.isFinite(this.#untilMs) ? { untilMs: this.#untilMs } : {};
    this.#take([signal({ ...this.#tick, atMs: 0, end: true, ...this.#from(), ...untilMs })]);
    const all = [...this.#findings.values()];
    const superseded = new Set(all.flatMap(({ supersedes }) => supersedes ?? []));
    return all.filter(({ id, withdrawn }) => !superseded.has(id) && !withdrawn);
  }

  #from(): Pick<Tick, "fromMs"> {
    return Number.isFinite(this.#fromMs) ? { fromMs: this.#fromMs } : {};
  }

  #take(out: readonly OutRecord[]): void {
    for (const { topic, value } of out) {
      if (topic === TOPIC.signals) {
        const next: OutRecord[] = [];
        this.#windows.process(recordOf(value as SignalRecord), next);
        this.#take(next);
        continue;
      }
      const finding = value as Finding;
      if (finding.revision > (this.#findings.get(finding.id)?.revision ?? 0))
        this.#findings.set(finding.id, finding);
    }
  }
}

const FEEDER = "events/0";
const signal = (value: SignalRecord): OutRecord => ({ topic: TOPIC.signals, key: "", value });
const recordOf = (value: SignalRecord): BusRecord => ({
  topic: TOPIC.signals,
  partition: 0,
  offset: 0,
  key: "",
  value,
  text: "",
  timestampMs: 0,
});

// finished-stream.ts — the findings of events that are all there already: a file, a test's case.
//
// In:    events, each with the rules that it satisfies.
// Out:   at the end, the unsuperseded findings, the newest revision of each.
// Holds: without a clock every window stays open to the end, so that the order of the events does not matter; with one,
//        windows close behind it, and what comes from before them is left out: whoever feeds the stream judges what is late,
//        and tells it. What did not come is missed up to the time of the last event, and not after it.
import type { OutRecord } from "../core/bus/bus.ts";
import { type EcsEvent, LIVE, saysTime } from "../core/event.ts";
import { type Finding, type SignalRecord, type Tick, TOPIC } from "../core/records.ts";
import type { Readable } from "./match/matcher.ts";
import type { DetectionRule, RuleSet } from "./sigma/rule.ts";
import { baseOf, findingOf, type Missed, noneMissed, signalsOf } from "./signals.ts";
import { type Counts, WindowsProcessor } from "./windows/processor.ts";
import type { Bounds } from "./windows/rule-windows.ts";
import type { SignalBase } from "./windows/signal-records.ts";

export type StreamCounts = Counts & Missed;

/** `stream`: the findings are those of a stream of this name; `live` unless told. */
export type FinishedStreamOptions = Bounds & {
  readonly latenessMs: number;
  readonly stream?: string;
};

export class FinishedStream {
  readonly #windows: WindowsProcessor;
  readonly #out: OutRecord[] = []; // of the windows, until it is passed on
  readonly #findings = new Map<string, Finding>();
  readonly #missed: Missed = noneMissed();
  readonly #tick: Pick<Tick, "kind" | "stream" | "feeder">;
  #fromMs = Number.POSITIVE_INFINITY;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(set: RuleSet, { stream = LIVE, ...options }: FinishedStreamOptions) {
    this.#tick = { kind: "tick", stream, feeder: FEEDER };
    this.#windows = new WindowsProcessor({
      ...options,
      ...{ partition: 0, eventPartitions: 1, signalPartitions: 1, onlyLast: true },
    });
    for (const rule of set.correlations) this.#take({ kind: "rule", rule });
    const absences = set.correlations.filter(({ absence }) => absence).map((rule) => rule.version);
    this.#take({ kind: "rules", feeder: FEEDER, absences });
  }

  get counts(): StreamCounts {
    return { ...this.#windows.counts, ...this.#missed };
  }

  /** The event says that it belongs to this stream. */
  add(event: EcsEvent, matched: readonly DetectionRule[]): void {
    for (const rule of matched)
      if (rule.standalone) this.#keep(findingOf(event, rule).value as Finding);
    this.correlate(event, matched);
  }

  /** As `add`, but rules that stand alone make no findings. */
  correlate(event: EcsEvent, matched: readonly DetectionRule[]): void {
    const base = baseOf(event);
    if (saysTime(event)) this.seen(base.timeMs);
    this.correlateAs(event, base, matched);
  }

  /** As `correlate`, for an event that does not say itself whose it is; who calls tells what times were seen. */
  correlateAs(event: Readable, base: SignalBase, rules: readonly DetectionRule[]): void {
    for (const signal of signalsOf(event, base, { rules, missed: this.#missed }))
      this.#take(signal);
  }

  /** The stream came as far as this time, whether or not a rule matches something there. */
  seen(timeMs: number): void {
    if (timeMs < this.#fromMs) this.#fromMs = timeMs;
    if (timeMs > this.#untilMs) this.#untilMs = timeMs;
  }

  /** No event will come whose time is before this one less the lateness. */
  clock(atMs: number): void {
    this.#take({ ...this.#tick, atMs, ...this.#from() });
  }

  end(): readonly Finding[] {
    const untilMs = Number.isFinite(this.#untilMs) ? { untilMs: this.#untilMs } : {};
    this.#take({ ...this.#tick, atMs: 0, end: true, ...this.#from(), ...untilMs });
    const all = [...this.#findings.values()];
    const superseded = new Set(all.flatMap(({ supersedes = NONE }) => supersedes));
    return all.filter(({ id, withdrawn }) => !superseded.has(id) && !withdrawn);
  }

  #from(): Pick<Tick, "fromMs"> {
    return Number.isFinite(this.#fromMs) ? { fromMs: this.#fromMs } : {};
  }

  /** With all that follows from it; what comes of most is nothing. */
  #take(value: SignalRecord): void {
    this.#windows.take(value, this.#out);
    if (this.#out.length === 0) return;
    for (const next of this.#out.splice(0))
      if (next.topic === TOPIC.signals) this.#take(next.value as SignalRecord);
      else this.#keep(next.value as Finding);
  }

  #keep(finding: Finding): void {
    if (finding.revision > (this.#findings.get(finding.id)?.revision ?? 0))
      this.#findings.set(finding.id, finding);
  }
}

const FEEDER = "events/0";
const NONE: readonly string[] = [];

// processor.ts — the windows of one partition of wache.signals, as a deterministic processor.
//
// In:    rules (detect announces them), signals, ticks of every level.
// Out:   findings; signals and ticks for the correlations of the next level.
// Holds: a stream's windows depend on its signals alone; a signal below the watermark was counted before or came too
//        late, and changes nothing.
import type { BusRecord, OutRecord } from "../../core/bus/bus.ts";
import type { Processor, SnapshotPart } from "../../core/processor.ts";
import {
  type CorrelationRule,
  type Signal,
  type SignalMatch,
  type SignalRecord,
  type Tick,
  TOPIC,
} from "../../core/records.ts";
import { ENDED_MS, type FeederClock, minimumOf, passed } from "./clocks.ts";
import type { Member } from "./members.ts";
import { type Bounds, type Caused, type Room, RuleWindows } from "./rule-windows.ts";
import { signalRecords } from "./signal-records.ts";
import { partsOf, restoreParts } from "./snapshot-parts.ts";

const EARLY_MAX = 10_000; // signals kept for a rule that was not announced yet
const ENDED_MAX = 10_000; // streams remembered as ended
const STREAMS_MAX = 1000;
const RULES_MAX = 10_000; // versions of rules
const EVICTED_SHARE = 1000; // of groupsMax: as many go at once, so that looking for them is not the work

export type WindowsOptions = Bounds & {
  readonly partition: number;
  readonly eventPartitions: number; // feeders of level 0
  readonly signalPartitions: number; // feeders of the levels above
  readonly latenessMs: number;
};
export type Counts = {
  added: number;
  known: number;
  overdue: number;
  early: number;
  evicted: number;
  dropped: number; // streams that had not ended
};

export type StreamState = {
  readonly feeders: Map<number, Map<string, FeederClock>>; // by level
  readonly clocks: Map<number, number>; // by level
  readonly windows: Map<string, RuleWindows>; // by rule version
};

export class WindowsProcessor implements Processor {
  readonly rules = new Map<string, CorrelationRule>();
  readonly streams = new Map<string, StreamState>();
  readonly ended = new Set<string>();
  readonly early: Signal[] = [];
  readonly counts: Counts = { added: 0, known: 0, overdue: 0, early: 0, evicted: 0, dropped: 0 };
  readonly options: WindowsOptions;
  readonly #room: Room = { groups: 0, make: () => this.#evict() };

  constructor(options: WindowsOptions, parts?: readonly SnapshotPart[]) {
    this.options = options;
    if (parts) restoreParts(this, parts);
  }

  process(record: BusRecord, out: OutRecord[]): void {
    const value = record.value as SignalRecord;
    switch (value?.kind) {
      case "rule":
        this.#announced(value.rule, out);
        break;
      case "signal":
        this.#signal(value, out);
        break;
      case "tick":
        this.#tick(value, out);
        break;
      default:
        throw new Error(
          `a record of kind ${JSON.stringify((value as { kind?: unknown } | undefined)?.kind)} is neither rule, signal nor tick`,
        );
    }
  }

  snapshot(): Iterable<SnapshotPart> {
    return partsOf(this);
  }

  groups(): number {
    return this.#room.groups;
  }

  /** The rule with the most groups gives way, so that a flood of one kind does not blind the others. */
  #evict(): void {
    let most: RuleWindows | undefined;
    for (const { windows } of this.streams.values())
      for (const one of windows.values())
        if (one.groups.size > (most?.groups.size ?? 0)) most = one;
    most?.evict(Math.ceil(this.options.groupsMax / EVICTED_SHARE));
  }

  #announced(rule: CorrelationRule, out: OutRecord[]): void {
    this.rules.set(rule.version, rule);
    this.#retire();
    const waiting = this.early.splice(0);
    for (const signal of waiting) this.#signal(signal, out);
  }

  /** Of rules that were reloaded again and again, versions without windows go, the oldest first. */
  #retire(): void {
    for (const version of this.rules.keys()) {
      if (this.rules.size <= RULES_MAX) return;
      if (![...this.streams.values()].some(({ windows }) => windows.has(version)))
        this.rules.delete(version);
    }
  }

  #signal(signal: Signal, out: OutRecord[]): void {
    const { id, timeMs, group } = signal;
    const stream = this.#stream(signal.stream);
    const unknown: SignalMatch[] = [];
    for (const match of signal.matches) {
      const { version, from, values } = match;
      const rule = this.rules.get(version);
      if (!rule) {
        unknown.push(match);
        continue;
      }
      if (!stream || stream.clocks.get(rule.level) === ENDED_MS) {
        this.counts.overdue += 1;
        continue;
      }
      const caused: Caused = { findings: [], points: [] };
      const member: Member = { timeMs, id, from, ...(values && { values }) };
      const taken = this.windowsOf(signal.stream, stream, rule).take(
        { group, member, page: signal.page === true },
        caused,
      );
      this.counts[taken] += 1;
      this.#emit(signal.stream, rule, caused, out);
    }
    if (unknown.length > 0) this.#wait({ ...signal, matches: unknown });
  }

  #wait(signal: Signal): void {
    if (this.early.length >= EARLY_MAX) this.early.shift();
    this.early.push(signal);
    this.counts.early += 1;
  }

  #tick(tick: Tick, out: OutRecord[]): void {
    const level = tick.level ?? 0;
    const stream = this.#stream(tick.stream);
    if (!stream) return;
    const feeders = stream.feeders.get(level) ?? new Map<string, FeederClock>();
    stream.feeders.set(level, feeders);
    if (!passed(feeders, tick.feeder, { atMs: tick.end ? ENDED_MS : tick.atMs })) return;
    const expected = level === 0 ? this.options.eventPartitions : this.options.signalPartitions;
    const clockMs = minimumOf(feeders, expected);
    if (clockMs === undefined || clockMs <= (stream.clocks.get(level) ?? Number.NEGATIVE_INFINITY))
      return;
    stream.clocks.set(level, clockMs);
    this.#advance(tick.stream, stream, level, out);
  }

  #advance(name: string, stream: StreamState, level: number, out: OutRecord[]): void {
    const clockMs = stream.clocks.get(level) ?? Number.NEGATIVE_INFINITY;
    for (const windows of stream.windows.values()) {
      if (windows.rule.level !== level) continue;
      const caused: Caused = { findings: [], points: [] };
      windows.advance(this.#watermark(clockMs), caused);
      this.#emit(name, windows.rule, caused, out);
      if (windows.groups.size === 0) stream.windows.delete(windows.rule.version);
    }
    const highest = Math.max(0, ...[...this.rules.values()].map((rule) => rule.level));
    if (level < highest) this.#pass(name, level + 1, clockMs, out);
    else if (clockMs === ENDED_MS) this.#end(name);
  }

  #pass(stream: string, level: number, clockMs: number, out: OutRecord[]): void {
    const feeder = `signals/${this.options.partition}`;
    const tick: Tick = {
      kind: "tick",
      stream,
      feeder,
      atMs: clockMs,
      level,
      ...(clockMs === ENDED_MS && { end: true }),
    };
    for (let partition = 0; partition < this.options.signalPartitions; partition++)
      out.push({ topic: TOPIC.signals, key: feeder, partition, value: tick });
  }

  #end(name: string): void {
    for (const { groups } of this.streams.get(name)?.windows.values() ?? [])
      this.#room.groups -= groups.size;
    this.streams.delete(name);
    this.ended.add(name);
    for (const oldest of this.ended) {
      if (this.ended.size <= ENDED_MAX) break;
      this.ended.delete(oldest);
    }
  }

  #emit(stream: string, rule: CorrelationRule, caused: Caused, out: OutRecord[]): void {
    if (rule.feeds.length === 0 || rule.generate)
      for (const finding of caused.findings)
        out.push({ topic: TOPIC.findings, key: finding.fingerprint, value: finding });
    for (const { group, member } of caused.points) {
      const valuesOf = (names: readonly string[]): string[] =>
        names.map((name) => group.values[rule.groupBy.indexOf(name)] ?? "");
      const found = rule.feeds.map(({ version, place, groupBy, values }) => ({
        group: valuesOf(groupBy),
        match: {
          ...{ version, from: place },
          ...(values && { values: [valuesOf(values).join("\u0000")] }),
        },
      }));
      const { id, timeMs } = member;
      const base = { stream, id, timeMs, ...(group.page && { page: true as const }) };
      out.push(...signalRecords(base, found));
    }
  }

  /** The windows of a rule in a stream, made when first needed. */
  windowsOf(name: string, stream: StreamState, rule: CorrelationRule): RuleWindows {
    const known = stream.windows.get(rule.version);
    if (known) return known;
    const { evidenceMax } = this.options;
    const windows = new RuleWindows(
      { stream: name, rule, evidenceMax },
      { bounds: this.options, counts: this.counts, room: this.#room },
    );
    const clockMs = stream.clocks.get(rule.level);
    if (clockMs !== undefined) windows.watermarkMs = this.#watermark(clockMs);
    stream.windows.set(rule.version, windows);
    return windows;
  }

  #stream(name: string): StreamState | undefined {
    const known = this.streams.get(name);
    if (known) return known;
    if (this.ended.has(name)) return undefined;
    if (this.streams.size >= STREAMS_MAX) {
      this.#end([...this.streams.keys()].find((one) => one !== "live") ?? name);
      this.counts.dropped += 1;
    }
    const stream: StreamState = { feeders: new Map(), clocks: new Map(), windows: new Map() };
    this.streams.set(name, stream);
    return stream;
  }

  #watermark(clockMs: number): number {
    return clockMs === ENDED_MS ? ENDED_MS : clockMs - this.options.latenessMs;
  }
}

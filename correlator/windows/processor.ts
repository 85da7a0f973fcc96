// processor.ts — the windows of one partition of wache.signals, as a deterministic processor.
//
// In:    rules (detect announces them), signals, ticks of every level.
// Out:   findings; signals and ticks for the correlations of the next level.
// Holds: a stream's windows depend on its signals alone; a signal below the watermark was counted before or came too
//        late, and changes nothing.
import type { BusRecord, OutRecord } from "../../core/bus/bus.ts";
import { LIVE } from "../../core/event.ts";
import type { Processor, SnapshotPart } from "../../core/processor.ts";
import {
  type CorrelationRule,
  type Finding,
  type RulesRecord,
  type Signal,
  type SignalMatch,
  type SignalRecord,
  type Tick,
  TOPIC,
} from "../../core/records.ts";
import { withOne } from "../with-one.ts";
import { AbsenceWindows } from "./absence-windows.ts";
import { ENDED_MS, type FeederClock, minimumOf, passed } from "./clocks.ts";
import { tellsRulesApart } from "./condition.ts";
import { memberOf } from "./members.ts";
import { pointSignals } from "./points.ts";
import { type Bounds, type Caused, type Lost, type Room, RuleWindows } from "./rule-windows.ts";
import { RulesInForce } from "./rules-in-force.ts";
import { partitionOfGroup, recordOf } from "./signal-records.ts";
import { partsOf, restoreParts } from "./snapshot-parts.ts";
import { newStream, type StreamState } from "./stream-state.ts";
import { Suppression } from "./suppression.ts";

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
  readonly onlyLast?: boolean; // nobody waits for findings: each is told once, when it is complete
};
export type Counts = Lost & {
  added: number;
  known: number;
  overdue: number;
  early: number;
  groupless: number; // matches of correlations that lack a field by which the next one is grouped
  valueless: number; // that have no value, or number, for the next one
  dropped: number; // streams that had not ended
};
export const noCounts = (): Counts => ({
  ...{ added: 0, known: 0, overdue: 0, early: 0, groupless: 0, valueless: 0, dropped: 0 },
  ...{ evicted: 0, forgotten: 0, evictedOf: new Set(), forgottenOf: new Set() },
});

type Advance = {
  readonly level: number;
  readonly clockMs: number;
  readonly out: OutRecord[];
};
export class WindowsProcessor implements Processor {
  readonly rules = new Map<string, CorrelationRule>();
  readonly streams = new Map<string, StreamState>();
  readonly ended = new Set<string>();
  readonly early: Signal[] = [];
  readonly counts: Counts = noCounts();
  readonly options: WindowsOptions;
  readonly inForce: RulesInForce;
  readonly #room: Room = { groups: 0, make: () => this.#evict() };
  readonly #parting: OutRecord[] = []; // what groups that gave way had still to tell
  #caused: Caused = { findings: [], points: [] }; // by the last match: nothing, mostly

  constructor(options: WindowsOptions, parts?: readonly SnapshotPart[]) {
    this.options = options;
    this.inForce = new RulesInForce(options.eventPartitions);
    if (parts) restoreParts(this, parts);
  }

  process(record: BusRecord, out: OutRecord[]): void {
    this.take(record.value as SignalRecord, out);
  }

  take(value: SignalRecord, out: OutRecord[]): void {
    switch (value?.kind) {
      case "rule":
        this.#announced(value.rule, out);
        break;
      case "rules":
        this.#setInForce(value);
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
    if (this.#parting.length > 0) out.push(...this.#parting.splice(0));
  }

  snapshot(): Iterable<SnapshotPart> {
    return partsOf(this);
  }

  groups(): number {
    return this.#room.groups;
  }

  /** The rule with the most groups gives way, so that a flood of one kind does not blind the others. */
  #evict(): void {
    let most: RuleWindows | AbsenceWindows | Suppression | undefined;
    let [name, ruleVersion] = ["", ""];
    for (const [stream, { windows, absences, suppressions }] of this.streams)
      for (const [version, one] of [...windows, ...absences, ...suppressions])
        if (one.groups.size > (most?.groups.size ?? 0)) {
          most = one;
          [name, ruleVersion] = [stream, version];
        }
    const count = Math.ceil(this.options.groupsMax / EVICTED_SHARE);
    const rule = this.rules.get(ruleVersion);
    this.counts.evictedOf.add(rule?.about.id ?? ruleVersion);
    if (most instanceof RuleWindows)
      this.#emit(name, most.rule, { findings: most.evict(count), points: [] }, this.#parting);
    else if (most instanceof Suppression) {
      const clockMs = this.streams.get(name)?.clocks.get(rule?.level ?? 0);
      tell(most.evict(count, this.#watermark(clockMs ?? 0)), this.#parting);
    } else most?.evict(count);
  }

  #announced(rule: CorrelationRule, out: OutRecord[]): void {
    this.rules.set(rule.version, rule);
    for (const { windows, absences } of this.streams.values()) {
      windows.get(rule.version)?.announced(rule);
      absences.get(rule.version)?.announced(rule);
    }
    this.#retire();
    const waiting = this.early.splice(0);
    for (const signal of waiting) this.#signal(signal, out);
  }

  /** Of rules that were reloaded again and again, versions that are not used go, the oldest first. */
  #retire(): void {
    for (const version of this.rules.keys()) {
      if (this.rules.size <= RULES_MAX) return;
      const isUsed = [...this.streams.values()].some(
        ({ windows, absences, suppressions }) =>
          windows.has(version) || absences.has(version) || suppressions.has(version),
      );
      if (!isUsed && !this.inForce.isAnywhere(version)) this.rules.delete(version);
    }
  }

  /** Silence of a rule that was changed or removed means nothing: what was awaited of it is forgotten. */
  #setInForce({ feeder, absences }: RulesRecord): void {
    const before = this.inForce.versions;
    this.inForce.set(feeder, absences);
    for (const stream of this.streams.values())
      for (const [version, { groups }] of stream.absences) {
        const stays = this.inForce.versions.has(version) || !before.has(version);
        if (stays && this.inForce.isAnywhere(version)) continue;
        stream.absences.delete(version);
        this.#room.groups -= groups.size;
      }
  }

  #signal(signal: Signal, out: OutRecord[]): void {
    const { id, timeMs, group } = signal;
    const stream = this.#stream(signal.stream);
    let unknown: SignalMatch[] | undefined;
    for (const match of signal.matches) {
      const { version, from, values, carried, bounded = false } = match;
      const rule = this.rules.get(version);
      if (!rule) {
        unknown = withOne(unknown, match);
        continue;
      }
      if (!stream || stream.clocks.get(rule.level) === ENDED_MS) {
        this.counts.overdue += 1;
        continue;
      }
      const caused = this.#nothingCaused();
      const place = tellsRulesApart(rule) ? from : 0;
      const member = memberOf({ timeMs, id, from: place }, values, carried);
      const found = { group, member, page: signal.page === true, bounded };
      const taken =
        rule.type === "absence"
          ? this.absencesOf(signal.stream, stream, rule).take(found)
          : this.windowsOf(signal.stream, stream, rule).take(found, caused);
      this.counts[taken] += 1;
      this.#emit(signal.stream, rule, caused, out);
    }
    if (unknown) this.#wait({ ...signal, matches: unknown });
  }

  /** What the match before caused, or left when it failed, is never taken for this one's. */
  #nothingCaused(): Caused {
    const { findings, points } = this.#caused;
    if (findings.length > 0 || points.length > 0) this.#caused = { findings: [], points: [] };
    return this.#caused;
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
    if (tick.fromMs !== undefined)
      stream.fromMs = Math.min(stream.fromMs ?? tick.fromMs, tick.fromMs);
    if (tick.untilMs !== undefined)
      stream.untilMs = Math.max(stream.untilMs ?? tick.untilMs, tick.untilMs);
    const feeders = stream.feeders.get(level) ?? new Map<string, FeederClock>();
    stream.feeders.set(level, feeders);
    if (!passed(feeders, tick.feeder, tick.end ? ENDED_MS : tick.atMs)) return;
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
      if (windows.isIdle()) stream.windows.delete(windows.rule.version);
    }
    this.#advanceAbsences(name, stream, { level, clockMs, out });
    this.#advanceSuppressions(stream, { level, clockMs, out });
    const highest = Math.max(0, ...[...this.rules.values()].map((rule) => rule.level));
    if (level < highest) this.#pass(name, level + 1, clockMs, out);
    else if (clockMs === ENDED_MS) this.#end(name);
  }

  #advanceAbsences(name: string, stream: StreamState, { level, clockMs, out }: Advance): void {
    if (clockMs !== ENDED_MS) stream.clockMs = Math.max(stream.clockMs ?? clockMs, clockMs);
    const reachedMs = stream.untilMs ?? stream.clockMs ?? 0;
    const knownMs = this.#watermark(clockMs);
    const to = { knownMs, clockMs: clockMs === ENDED_MS ? reachedMs : knownMs };
    for (const version of this.inForce.versions) {
      const rule = this.rules.get(version);
      if (rule?.type !== "absence" || rule.level !== level) continue;
      const absences = this.absencesOf(name, stream, rule);
      const fromMs = stream.fromMs ?? (clockMs === ENDED_MS ? undefined : clockMs);
      // What an import of old logs does not hold at all was hardly ever meant to be in it.
      if (name === LIVE && fromMs !== undefined)
        absences.begin(fromMs, (values) => this.#isOurs(name, values));
      const caused: Caused = { findings: [], points: [] };
      absences.advance(to, caused);
      this.#emit(name, rule, caused, out);
    }
  }

  #isOurs(stream: string, values: readonly string[]): boolean {
    const { partition, signalPartitions } = this.options;
    return partitionOfGroup(stream, values, signalPartitions) === partition;
  }

  #advanceSuppressions(stream: StreamState, { level, clockMs, out }: Advance): void {
    for (const [version, suppression] of stream.suppressions) {
      if (this.rules.get(version)?.level !== level) continue;
      tell(suppression.advance(this.#watermark(clockMs)), out);
      if (suppression.groups.size === 0) stream.suppressions.delete(version);
    }
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
    const { windows, absences, suppressions } = this.streams.get(name) ?? newStream();
    for (const { groups } of [...windows.values(), ...absences.values(), ...suppressions.values()])
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
      tell(this.#told(stream, rule, caused.findings), out);
    for (const point of caused.points)
      for (const signal of pointSignals(stream, rule, point, this.counts))
        out.push(recordOf(signal));
  }

  #told(name: string, rule: CorrelationRule, findings: readonly Finding[]): readonly Finding[] {
    if (rule.suppressMs === undefined || findings.length === 0) return findings;
    const stream = this.streams.get(name);
    return stream ? this.suppressionOf(stream, rule, rule.suppressMs).take(findings) : findings;
  }

  suppressionOf(stream: StreamState, rule: CorrelationRule, suppressMs: number): Suppression {
    const known = stream.suppressions.get(rule.version);
    if (known) return known;
    const parts = { counts: this.counts, room: this.#room };
    const made = new Suppression({ suppressMs, spanMs: rule.spanMs }, parts);
    stream.suppressions.set(rule.version, made);
    return made;
  }

  /** What is awaited by a rule in a stream, made when first needed. */
  absencesOf(name: string, stream: StreamState, rule: CorrelationRule): AbsenceWindows {
    const known = stream.absences.get(rule.version);
    if (known) return known;
    const made = new AbsenceWindows(
      { stream: name, rule },
      { bounds: this.options, counts: this.counts, room: this.#room },
    );
    const clockMs = stream.clocks.get(rule.level);
    if (clockMs !== undefined) made.watermarkMs = this.#watermark(clockMs);
    stream.absences.set(rule.version, made);
    return made;
  }

  /** The windows of a rule in a stream, made when first needed. */
  windowsOf(name: string, stream: StreamState, rule: CorrelationRule): RuleWindows {
    const known = stream.windows.get(rule.version);
    if (known) return known;
    const { evidenceMax } = this.options;
    // What suppression decides depends on episodes as they grow.
    const onlyLast = this.options.onlyLast === true && rule.suppressMs === undefined;
    const windows = new RuleWindows(
      { stream: name, rule, evidenceMax, onlyLast },
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
    const stream = newStream();
    this.streams.set(name, stream);
    return stream;
  }

  #watermark(clockMs: number): number {
    return clockMs === ENDED_MS ? ENDED_MS : clockMs - this.options.latenessMs;
  }
}

function tell(findings: Iterable<Finding>, out: OutRecord[]): void {
  for (const finding of findings)
    out.push({ topic: TOPIC.findings, key: finding.fingerprint, value: finding });
}

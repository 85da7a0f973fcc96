// backtest.ts — what rules would have found in events that are there: matches and findings a rule and a day.
//
// In:    kept events, the oldest first.
// Out:   counts by rule and UTC day: events of detections, findings of correlations.
// Holds: each stream correlates by itself, as it does live; windows close behind its events, so that memory stays bounded.
import { dayOf, type EcsEvent, timeOf } from "../core/event.ts";
import { FinishedStream } from "../correlator/finished-stream.ts";
import { indexedMatcher } from "../correlator/match/indexed.ts";
import type { Matcher } from "../correlator/match/matcher.ts";
import type { RuleSet } from "../correlator/sigma/rule.ts";
import type { Bounds } from "../correlator/windows/rule-windows.ts";

const STREAMS_MAX = 1000;
const CLOCK_EVERY_EVENTS = 1000;

export type Backtested = {
  readonly kind: string; // detection, or the correlation's type
  readonly rule: string;
  readonly title: string;
  readonly level: string;
  readonly day: string;
  readonly count: number;
};

export class Backtest {
  events = 0;
  streamsLeftOut = 0; // events of more streams than are kept apart: matched, not correlated
  readonly #set: RuleSet;
  readonly #bounds: Bounds;
  readonly #matcher: Matcher;
  readonly #streams = new Map<string, FinishedStream>();
  readonly #counts = new Map<string, Map<string, number>>(); // by rule and day

  constructor(set: RuleSet, bounds: Bounds) {
    this.#set = set;
    this.#bounds = bounds;
    this.#matcher = indexedMatcher(set);
  }

  add(event: EcsEvent): void {
    this.events += 1;
    const rules = this.#matcher.match(event, event.wache.sources).map(({ rule }) => rule);
    for (const { about } of rules) this.#count(about.id, timeOf(event));
    if (this.#set.correlations.length === 0) return;
    const stream = this.#streamOf(event.wache.stream);
    if (stream === undefined) {
      this.streamsLeftOut += 1;
      return;
    }
    if (!event.wache.late && !event.wache.implausible) stream.correlate(event, rules);
    if (this.events % CLOCK_EVERY_EVENTS === 0) stream.clock(timeOf(event));
  }

  /** The counts, once there are no more events. */
  end(): readonly Backtested[] {
    for (const stream of this.#streams.values())
      for (const { rule, firstMs } of stream.end()) this.#count(rule.id, firstMs);
    const rules = [
      ...this.#set.detections.map(({ about }) => ({ kind: "detection", about })),
      ...this.#set.correlations.map(({ about, type }) => ({ kind: type, about })),
    ];
    return rules.flatMap(({ kind, about: { id, title, level } }) =>
      [...(this.#counts.get(id) ?? [])]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([day, count]) => ({ kind, rule: id, title, level, day, count })),
    );
  }

  #count(rule: string, timeMs: number): void {
    const days = this.#counts.get(rule) ?? new Map<string, number>();
    const day = dayOf(timeMs).replaceAll(".", "-");
    days.set(day, (days.get(day) ?? 0) + 1);
    this.#counts.set(rule, days);
  }

  #streamOf(name: string): FinishedStream | undefined {
    const known = this.#streams.get(name);
    if (known !== undefined || this.#streams.size >= STREAMS_MAX) return known;
    const stream = new FinishedStream(this.#set, { ...this.#bounds, latenessMs: 0, stream: name });
    this.#streams.set(name, stream);
    return stream;
  }
}

// stored-streams.ts — the findings of correlations over kept events: each stream by itself, as it was live.
//
// In:    events, the oldest first, with the rules that they satisfy.
// Out:   at the end, the findings of all streams.
// Holds: windows close behind the events, so that memory stays bounded however many there are.
import { type EcsEvent, LIVE, timeOf } from "../../core/event.ts";
import type { Finding } from "../../core/records.ts";
import { FinishedStream } from "../finished-stream.ts";
import type { DetectionRule, RuleSet } from "../sigma/rule.ts";
import type { Bounds } from "../windows/rule-windows.ts";

const STREAMS_MAX = 1000;
const CLOCK_EVERY_EVENTS = 1000;

export class StoredStreams {
  leftOut = 0; // events of more streams than are kept apart
  readonly #set: RuleSet;
  readonly #bounds: Bounds;
  readonly #streams = new Map<string, FinishedStream>();
  readonly #versions: ReadonlySet<string>;
  readonly #rules = new Map<DetectionRule, DetectionRule>();
  #events = 0;

  constructor(set: RuleSet, bounds: Bounds) {
    this.#set = set;
    this.#bounds = bounds;
    this.#versions = new Set(set.correlations.map(({ version }) => version));
  }

  add(event: EcsEvent, rules: readonly DetectionRule[]): void {
    if (this.#set.correlations.length === 0) return;
    const stream = this.#streamOf(event.wache.stream);
    if (stream === undefined) {
      this.leftOut += 1;
      return;
    }
    stream.correlate(
      event,
      rules.map((rule) => this.#narrowed(rule)),
    );
    this.#events += 1;
    if (this.#events % CLOCK_EVERY_EVENTS === 0) stream.clock(timeOf(event));
  }

  /** Live goes on by itself where nothing comes: what is missing is missed up to `liveUntilMs`. */
  end(liveUntilMs?: number): readonly Finding[] {
    if (liveUntilMs !== undefined) this.#streams.get(LIVE)?.seen(liveUntilMs);
    return [...this.#streams.values()].flatMap((stream) => stream.end());
  }

  /** Only the feeds of correlations that are here. */
  #narrowed(rule: DetectionRule): DetectionRule {
    const known = this.#rules.get(rule);
    if (known !== undefined) return known;
    const feeds = rule.feeds.filter(({ version }) => this.#versions.has(version));
    const made = feeds.length === rule.feeds.length ? rule : { ...rule, feeds };
    this.#rules.set(rule, made);
    return made;
  }

  #streamOf(name: string): FinishedStream | undefined {
    const known = this.#streams.get(name);
    if (known !== undefined || this.#streams.size >= STREAMS_MAX) return known;
    const stream = new FinishedStream(this.#set, { ...this.#bounds, latenessMs: 0, stream: name });
    this.#streams.set(name, stream);
    return stream;
  }
}

// evaluation.ts — tries rules on lines of JSON, outside of any running Wache.
//
// In:    lines, in any of the forms of events.
// Out:   a line of JSON for each match; at the end one for each finding of a correlation; counts of all that was seen.
// Holds: what is counted by name is bounded; no text of a line that could not be read is told.
import { withWindowsFields } from "../../collectors/parsers/windows-shippers.ts";
import { fieldOf, LIVE, type LogSource } from "../../core/event.ts";
import { isObject, type Json } from "../../core/json.ts";
import type { Mappings } from "../../core/mappings.ts";
import { type EventForm, formOf } from "../../correlator/event-forms.ts";
import { FinishedStream, type StreamCounts } from "../../correlator/finished-stream.ts";
import { BySources } from "../../correlator/match/by-sources.ts";
import { type IndexedMatcher, indexedMatcher } from "../../correlator/match/indexed.ts";
import { looksAt, type Match, type Readable } from "../../correlator/match/matcher.ts";
import type { DetectionRule, RuleSet } from "../../correlator/sigma/rule.ts";
import type { Bounds } from "../../correlator/windows/rule-windows.ts";
import { withOne } from "../../correlator/with-one.ts";
import { findingLine } from "../finding-line.ts";
import { Judge, type Judged } from "./judge.ts";

const FAULTS_MAX = 10; // named; all are counted
const SOURCES_MAX = 1000; // told apart
const IDS_MAX = 100_000; // of events that correlations count, to tell of those that come again
const CLOCK_EVERY_EVENTS = 100; // of those that correlations count

type Counter = { count: number };
export type EvaluationCounts = {
  lines: number;
  events: number;
  matches: number;
  matchedEvents: number;
  unreadable: number;
  timeless: number; // correlations could not count them
  implausible: number; // before 1980, or kept as such: correlations do not count them
  ahead: number; // of now, by more than a day
  overdue: number; // later than the lateness allows: correlations do not count them
  repeated: number; // had an id that came before; known of the first IDS_MAX
  readonly forms: Record<EventForm | "log", number>;
  readonly unmatched: Map<string, Counter>; // by log source: events that no rule looks at
  readonly faults: { readonly line: number; readonly reason: string }[];
};

export type EvaluationOptions = {
  readonly mappings: Pick<Mappings, "sourcesOf">;
  readonly bounds: Bounds;
  readonly latenessMs?: number; // absent: windows stay open to the end
  readonly nowMs?: number; // what is far ahead of it is told
  readonly stream?: string; // that the events belong to; absent: live
  readonly zone?: string; // of times that carry none; absent: UTC
};

export class Evaluation {
  readonly counts: EvaluationCounts = {
    ...{ lines: 0, events: 0, matches: 0, matchedEvents: 0, unreadable: 0 },
    ...{ timeless: 0, implausible: 0, ahead: 0, overdue: 0, repeated: 0 },
    forms: { flat: 0, evtx: 0, wache: 0, log: 0 },
    ...{ unmatched: new Map(), faults: [] },
  };
  readonly matchedRules = new Set<DetectionRule>();
  readonly #set: RuleSet;
  readonly #mappings: Pick<Mappings, "sourcesOf">;
  readonly #matcher: IndexedMatcher;
  readonly #tails = new Map<DetectionRule, string>();
  readonly #unread = new BySources<Counter | undefined>(); // by log sources that no rule looks at
  readonly #stream: FinishedStream | undefined;
  readonly #judge: Judge;
  readonly #name: string; // of the stream
  /** What closes windows, and that something does not come, depends on the time of every event. */
  readonly #readsTimes: boolean;
  readonly #ids = new Set<string>();
  #correlated = 0;

  constructor(set: RuleSet, options: EvaluationOptions) {
    const { mappings, bounds, latenessMs, stream = LIVE, zone = "UTC" } = options;
    this.#set = set;
    this.#name = stream;
    this.#mappings = mappings;
    this.#matcher = indexedMatcher(set);
    if (set.correlations.length > 0)
      this.#stream = new FinishedStream(set, { ...bounds, latenessMs: latenessMs ?? 0, stream });
    const nowMs = options.nowMs ?? Number.POSITIVE_INFINITY;
    this.#judge = new Judge({ latenessMs, nowMs, zone });
    const awaits = set.correlations.some(({ type }) => type === "absence");
    this.#readsTimes = awaits || (this.#stream !== undefined && latenessMs !== undefined);
  }

  get streamCounts(): StreamCounts | undefined {
    return this.#stream?.counts;
  }

  /** Makes before the first event what events of these log sources need. */
  prepare(all: readonly (readonly LogSource[])[]): void {
    for (const _ of this.#matcher.prepare(all));
  }

  /** What is to be printed for a line of JSON: nothing, or lines with their newlines. */
  evaluate(line: string | undefined, number: number): string {
    this.counts.lines += 1;
    const read = this.#read(line, number);
    if (read === undefined) return "";
    return this.#evaluated(withWindowsFields(read), { number, json: line });
  }

  /** As `evaluate`, for the event of a line of a log; the caller counts lines. */
  evaluateEvent(event: Readable, number: number): string {
    return this.#evaluated(event, { number, json: undefined, form: "log" });
  }

  #evaluated(
    event: Readable,
    from: { readonly number: number; readonly json: string | undefined; readonly form?: "log" },
  ): string {
    const { number, json } = from;
    const { form, sources } = formOf(event, this.#mappings);
    this.counts.events += 1;
    this.counts.forms[from.form ?? form] += 1;
    const matches = this.#matcher.match(event, sources, json);
    const seen = this.#readsTimes ? this.#seen(event) : undefined;
    if (matches.length === 0) this.#unmatched(sources);
    else if (this.#stream) this.#correlate(matches, event, { number, seen });
    return matches.length === 0 ? "" : this.#printed(matches, number);
  }

  /** A line that is no event. */
  fault(line: number, reason: string): undefined {
    this.counts.unreadable += 1;
    if (this.counts.faults.length < FAULTS_MAX) this.counts.faults.push({ line, reason });
  }

  /** The findings of correlations, once there are no more lines. */
  *end(): Generator<string> {
    const findings = [...(this.#stream?.end() ?? [])].sort(
      (a, b) => a.firstMs - b.firstMs || (a.id < b.id ? -1 : 1),
    );
    for (const finding of findings) yield `${JSON.stringify(findingLine(finding))}\n`;
  }

  #read(line: string | undefined, number: number): Json | undefined {
    if (line === undefined) return this.fault(number, "too long");
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      // A byte order mark may stand before the first line; an empty line is no event, and no fault.
      const text = number === 0 && line.startsWith("\ufeff") ? line.slice(1) : line;
      if (text !== line) return this.#read(text, number);
      return line.trim() === "" ? undefined : this.fault(number, syntaxFault(error, line));
    }
    if (isObject(value)) return value;
    return this.fault(number, Array.isArray(value) ? "a list" : `no object but ${typeOf(value)}`);
  }

  #printed(matches: readonly Match[], number: number): string {
    this.counts.matches += matches.length;
    this.counts.matchedEvents += 1;
    let text = "";
    for (const { rule } of matches) text += `{"event":${number},${this.#tailOf(rule)}\n`;
    return text;
  }

  #tailOf(rule: DetectionRule): string {
    const known = this.#tails.get(rule);
    if (known !== undefined) return known;
    const { id, title, level } = rule.about;
    const tail = JSON.stringify({ rule: id, title, level }).slice(1);
    this.#tails.set(rule, tail);
    this.matchedRules.add(rule);
    return tail;
  }

  #unmatched(sources: readonly LogSource[]): void {
    const counter = this.#unread.of(sources, () =>
      this.#set.detections.some(({ logsource }) => looksAt(logsource, sources))
        ? undefined
        : this.#unmatchedAs(nameOf(sources)),
    );
    if (counter) counter.count += 1;
  }

  #unmatchedAs(name: string): Counter {
    const { unmatched } = this.counts;
    const shown = unmatched.size < SOURCES_MAX || unmatched.has(name) ? name : "others";
    const counter = unmatched.get(shown) ?? { count: 0 };
    unmatched.set(shown, counter);
    return counter;
  }

  #seen(event: Readable): Judged | undefined {
    const judged = this.#judge.judge(event);
    if (judged?.isSaid && !judged.implausible) this.#stream?.seen(judged.timeMs);
    return judged;
  }

  #noteId(id: string): void {
    if (this.#ids.has(id)) this.counts.repeated += 1;
    else if (this.#ids.size < IDS_MAX) this.#ids.add(id);
  }

  #correlate(
    matches: readonly Match[],
    event: Readable,
    { number, seen }: { readonly number: number; readonly seen: Judged | undefined },
  ): void {
    let rules: DetectionRule[] | undefined;
    for (const { rule } of matches) if (rule.feeds.length > 0) rules = withOne(rules, rule);
    if (rules === undefined) return;
    const judged = this.#readsTimes ? seen : this.#judge.judge(event);
    if (judged === undefined) this.counts.timeless += 1;
    else if (judged.implausible) this.counts.implausible += 1;
    else if (judged.late) this.counts.overdue += 1;
    else this.#count(rules, event, { number, judged });
  }

  #count(
    rules: readonly DetectionRule[],
    event: Readable,
    { number, judged }: { readonly number: number; readonly judged: Judged },
  ): void {
    const { timeMs, clockMs } = judged;
    if (judged.isAhead) this.counts.ahead += 1;
    const own = ownId(event);
    if (own !== undefined) this.#noteId(own);
    const id = own === undefined ? String(number) : `\u0000${own}`; // of a line never as of an event
    const base = { stream: this.#name, id, timeMs };
    this.#stream?.correlateAs(event, base, rules);
    this.#correlated += 1;
    if (clockMs !== undefined && this.#correlated % CLOCK_EVERY_EVENTS === 0)
      this.#stream?.clock(clockMs);
  }
}

/** The id by which a repeated event is known, where it has one. */
function ownId(event: Readable): string | undefined {
  if (event["event.id"] === undefined && event.event === undefined) return undefined;
  const id = fieldOf(event, "event.id");
  return typeof id === "number" || (typeof id === "string" && id !== "") ? String(id) : undefined;
}

/** Of events that say no product, category or service, and that no mapping knows. */
export const NO_SOURCE = "none";
/** Of JSON that goes over several lines. */
export const APART = "a bracket alone";

/** The place, but none of the text: it may hold secrets. */
function syntaxFault(error: unknown, line: string): string {
  if (/^\s*[[\]{}],?\s*$/.test(line)) return APART;
  if (line.includes("\u0000")) return "UTF-16, it seems: make it UTF-8";
  const place = /position (\d+)/.exec(String(error))?.[1];
  return place === undefined
    ? "not JSON, or cut off"
    : `not JSON from column ${Number(place) + 1} on`;
}

const typeOf = (value: unknown): string => (value === null ? "null" : `a ${typeof value}`);

const nameOf = (sources: readonly LogSource[]): string =>
  sources.length === 0 ? NO_SOURCE : sources.map(wordsOf).join("; ");

function wordsOf({ product, category, service }: LogSource): string {
  let words = product === undefined ? "" : ` product=${product}`;
  if (category !== undefined) words += ` category=${category}`;
  if (service !== undefined) words += ` service=${service}`;
  return words === "" ? NO_SOURCE : words.slice(1);
}

// signals.ts — what one matched event means for the correlations that its rules feed, or as a finding by itself.
//
// Holds: the same event and rules give the same signals and findings, by id and content.
import type { OutRecord } from "../core/bus/bus.ts";
import { type EcsEvent, idOf, timeOf } from "../core/event.ts";
import {
  type Carried,
  type EventValues,
  type Finding,
  type Signal,
  TOPIC,
} from "../core/records.ts";
import { areCut, asEventValues, combinationsOf, distinctOf } from "./combinations.ts";
import { numberOf } from "./decimal.ts";
import type { Readable } from "./match/matcher.ts";
import { valueAt } from "./match/values.ts";
import type { DetectionFeed, DetectionRule, EventField } from "./sigma/rule.ts";
import { matchOf, type SignalBase, Signals } from "./windows/signal-records.ts";

const VALUES_MAX = 256; // of one field, that one event adds
const VALUE_CHARS_MAX = 512;

/**
 * Matches that a correlation could not count: the event lacks a group-by field, or has no value (no number) to count. And
 * those of which it counts only the first groups, or values: the event has more than one may add.
 */
export type Missed = {
  missedGroups: number;
  missedValues: number;
  cutGroups: number;
  cutValues: number;
};
export const noneMissed = (): Missed => ({
  missedGroups: 0,
  missedValues: 0,
  cutGroups: 0,
  cutValues: 0,
});

/** Signals for every correlation that the rules feed; `base` says whose event it is. */
export function signalsOf(
  event: Readable,
  base: SignalBase,
  { rules, missed }: { readonly rules: readonly DetectionRule[]; readonly missed: Missed },
): readonly Signal[] {
  const signals = new Signals(base);
  for (const { feeds } of rules)
    for (const feed of feeds) {
      const groups = groupsOf(event, feed.groupBy, missed);
      if (groups.length === 0) {
        missed.missedGroups += 1;
        continue;
      }
      const cutBefore = missed.cutValues;
      const values = valuesOf(event, feed, missed);
      if (values === undefined && feed.valueFields.length > 0) {
        missed.missedValues += 1;
        continue;
      }
      const { version, place: from } = feed;
      const carried = carriedOf(event, feed, missed);
      const isCut = missed.cutValues > cutBefore;
      const match = matchOf({ version, from }, values, carried, isCut);
      for (const group of groups) signals.add(group, match);
    }
  return signals.all;
}

export const baseOf = (event: EcsEvent): SignalBase => ({
  stream: event.wache.stream,
  id: event.event.id,
  timeMs: timeOf(event),
  ...(event.wache.page && { page: true as const }),
});

/** The finding of a rule that stands alone: one an event, grouped by host, else by source. */
export function findingOf(event: EcsEvent, rule: DetectionRule): OutRecord {
  const [name, value] = hostOf(event);
  const { stream } = event.wache;
  const atMs = timeOf(event);
  const finding: Finding = {
    kind: "finding",
    id: idOf(stream, rule.version, event.event.id),
    revision: 1,
    fingerprint: idOf("fingerprint", stream, rule.about.id, value),
    stream,
    rule: rule.about,
    ruleVersion: rule.version,
    group: { [name]: value },
    firstMs: atMs,
    lastMs: atMs,
    count: 1,
    evidence: [event.event.id],
    ...(event.wache.page && { page: true as const }),
  };
  return { topic: TOPIC.findings, key: finding.fingerprint, value: finding };
}

function hostOf(event: EcsEvent): readonly [name: string, value: string] {
  for (const name of ["host.name", "source.ip"]) {
    const [value] = textsOf(valueAt(event, { paths: [name] }));
    if (value !== undefined) return [name, value];
  }
  return ["wache.source", event.wache.source ?? ""];
}

/** A list gives one group an element. */
function groupsOf(
  event: Readable,
  fields: readonly EventField[],
  missed: Missed,
): readonly (readonly string[])[] {
  const texts = fields.map((field) => textsOf(valueAt(event, field)));
  if (areCut(texts)) missed.cutGroups += 1;
  return combinationsOf(texts);
}

/** What correlations further up are grouped by or count. */
function carriedOf(
  event: Readable,
  { carried }: DetectionFeed,
  missed: Missed,
): Carried | undefined {
  if (carried.length === 0) return undefined;
  return Object.fromEntries(
    carried.map(({ name, field }) => {
      const texts = distinctFirst(allTextsOf(valueAt(event, field)));
      if (texts.length > VALUES_MAX) missed.cutValues += 1;
      return [name, texts.slice(0, VALUES_MAX)];
    }),
  );
}

/** So that none is cut off because another one stands there often. */
function distinctFirst(texts: readonly string[]): readonly string[] {
  const seen = new Set(texts);
  if (seen.size === texts.length) return texts;
  const again = texts.filter((text) => !seen.delete(text));
  return [...new Set(texts), ...again];
}

/** What the event has for a condition over values; undefined where it has nothing that counts. */
function valuesOf(
  event: Readable,
  { valueFields, numbers }: DetectionFeed,
  missed: Missed,
): EventValues | undefined {
  const [field] = valueFields;
  if (field === undefined) return undefined;
  if (!numbers) {
    const texts = valueFields.map((one) => textsOf(valueAt(event, one)));
    if (areCut(texts)) missed.cutValues += 1;
    return asEventValues(distinctOf(texts));
  }
  const value = valueAt(event, field);
  const all = numbersOf(value);
  if (all.length > VALUES_MAX || isLong(value)) missed.cutValues += 1;
  return asEventValues(all.slice(0, VALUES_MAX));
}

/** A list of which not all is looked at, or one in it. */
const isLong = (value: unknown): boolean =>
  Array.isArray(value) && (value.length > VALUES_MAX || value.some(isLong));

/** All numbers of a field, those of its list too. */
function numbersOf(value: unknown): number[] {
  if (Array.isArray(value)) return value.slice(0, VALUES_MAX).flatMap(numbersOf);
  const number = numberOf(value);
  return number === undefined ? [] : [number];
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? [...new Set(allTextsOf(value))] : allTextsOf(value);

/** Also those that come again: numbers count each time. */
function allTextsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(allTextsOf);
  if (typeof value === "string") return value === "" ? [] : [short(value)];
  if (typeof value === "number" || typeof value === "boolean") return [String(value)];
  return [];
}

/** A value too long for a key keeps its beginning, and a hash of the whole so that it still compares exactly. */
const short = (value: string): string =>
  value.length <= VALUE_CHARS_MAX ? value : `${value.slice(0, 200)}…${idOf(value)}`;

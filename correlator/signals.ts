// signals.ts — what one matched event means for the correlations that its rule feeds, or as a finding by itself.
//
// Holds: the same event and rule give the same signals and findings, by id and content.
import type { OutRecord } from "../core/bus/bus.ts";
import { type EcsEvent, idOf, timeOf } from "../core/event.ts";
import { type Finding, type Signal, TOPIC } from "../core/records.ts";
import { valueAt } from "./match/plain.ts";
import type { DetectionFeed, DetectionRule, EventField } from "./sigma/rule.ts";
import { signalKey } from "./windows/processor.ts";

const GROUPS_MAX = 64; // groups that one event belongs to, where a field is a list
const VALUES_MAX = 256; // distinct values that one event adds
const VALUE_CHARS_MAX = 512;

/** Signals for every correlation that the rule feeds; `missed` counts those whose group field the event lacks. */
export function signalsOf(
  event: EcsEvent,
  rule: DetectionRule,
): { readonly out: OutRecord[]; readonly missed: number } {
  const out: OutRecord[] = [];
  let missed = 0;
  const base = {
    kind: "signal" as const,
    stream: event.wache.stream,
    from: rule.about.id,
    id: event.event.id,
    timeMs: timeOf(event),
    ...(event.wache.page && { page: true as const }),
  };
  for (const feed of rule.feeds) {
    const groups = groupsOf(event, feed.groupBy);
    if (groups.length === 0) missed += 1;
    const values = feed.valueFields.length > 0 ? distinctOf(event, feed) : undefined;
    if (values?.length === 0) continue;
    for (const group of groups) {
      const value: Signal = { ...base, version: feed.version, group, ...(values && { values }) };
      out.push({ topic: TOPIC.signals, key: signalKey(value), value });
    }
  }
  return { out, missed };
}

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
    const [value] = textsOf(valueAt(event, { name, paths: [name] }));
    if (value !== undefined) return [name, value];
  }
  return ["wache.source", event.wache.source ?? ""];
}

/** Every combination of the group fields' values; a list gives one group an element. */
function groupsOf(event: EcsEvent, fields: readonly EventField[]): string[][] {
  let groups: string[][] = [[]];
  for (const field of fields) {
    const values = textsOf(valueAt(event, field));
    groups = groups
      .flatMap((group) => values.map((value) => [...group, value]))
      .slice(0, GROUPS_MAX);
  }
  return groups;
}

/** value_count over several fields counts distinct combinations. */
function distinctOf(event: EcsEvent, { valueFields }: DetectionFeed): string[] {
  const combinations = groupsOf(event, valueFields).map((values) => values.join("\u0000"));
  return [...new Set(combinations)].slice(0, VALUES_MAX);
}

function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap(textsOf))];
  if (typeof value === "string") return value === "" ? [] : [short(value)];
  if (typeof value === "number" || typeof value === "boolean") return [String(value)];
  return [];
}

/** A value too long for a key keeps its beginning, and a hash of the whole so that it still compares exactly. */
const short = (value: string): string =>
  value.length <= VALUE_CHARS_MAX ? value : `${value.slice(0, 200)}…${idOf(value)}`;

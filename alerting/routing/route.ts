// route.ts — gives each finding the key of the incident that it concerns; keeps nothing.
//
// In:    wache.findings.
// Out:   wache.casework, keyed by the incident's grouping key: the fingerprint (rule, group and stream).
// Holds: what comes out of a record follows from the record alone: read again, it gives the same words again.
//        A record that is no finding goes to the dead letter.
import type { BusRecord, OutRecord } from "../../core/bus/bus.ts";
import { deadLetterOf } from "../../core/dead-letter.ts";
import { type CaseworkRecord, type Finding, LEVELS, TOPIC } from "../../core/records.ts";

const findingCharsMax = 32_768; // beyond it, long texts of a finding are cut before they become state
const textCharsMax = 512;
const listMax = 20;

export function route(record: BusRecord): OutRecord {
  const finding = record.value;
  if (!isFinding(finding)) {
    const why = { code: "alerting.bad-finding", reason: "route: the record is no finding" };
    return deadLetterOf(record, why, record.timestampMs);
  }
  const value: CaseworkRecord = {
    kind: "case",
    key: finding.fingerprint,
    finding: record.text.length <= findingCharsMax ? finding : fitted(finding),
    atMs: record.timestampMs,
  };
  return { topic: TOPIC.casework, key: finding.fingerprint, value };
}

function isFinding(value: unknown): value is Finding {
  if (typeof value !== "object" || value === null) return false;
  const finding = value as Partial<Record<keyof Finding, unknown>>;
  const rule = finding.rule as Partial<Finding["rule"]> | null | undefined;
  return (
    finding.kind === "finding" &&
    [finding.id, finding.fingerprint, finding.stream].every((text) => typeof text === "string") &&
    [finding.revision, finding.firstMs, finding.lastMs, finding.count].every(Number.isFinite) &&
    typeof finding.group === "object" &&
    finding.group !== null &&
    Array.isArray(finding.evidence) &&
    typeof rule?.title === "string" &&
    Array.isArray(rule.tags) &&
    LEVELS.some((level) => level === rule.level)
  );
}

/** A finding of a hostile size, cut to what an incident can carry; it says that it is bounded. */
function fitted(finding: Finding): Finding {
  const { rule } = finding;
  const cut = (text: string): string =>
    text.length <= textCharsMax ? text : `${text.slice(0, textCharsMax)}…`;
  const list = (texts: readonly string[]) => texts.slice(0, listMax).map(cut);
  return {
    ...finding,
    bounded: true,
    group: Object.fromEntries(
      Object.entries(finding.group)
        .slice(0, listMax)
        .map(([name, value]) => [cut(name), cut(value)]),
    ),
    evidence: list(finding.evidence),
    rule: {
      id: cut(rule.id),
      ...(rule.name !== undefined && { name: cut(rule.name) }),
      title: cut(rule.title),
      level: rule.level,
      ...(rule.description !== undefined && { description: cut(rule.description) }),
      tags: list(rule.tags),
      ...(rule.references && { references: list(rule.references) }),
      ...(rule.falsepositives && { falsepositives: list(rule.falsepositives) }),
    },
  };
}

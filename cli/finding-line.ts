// finding-line.ts — a finding as a line of JSON for scripts, and as a line for people.
import { absenceText, isMissing, missedText } from "../alerting/incidents/absence.ts";
import { isoOf } from "../core/event.ts";
import type { AbsenceAbout, Finding } from "../core/records.ts";
import { counted } from "./table.ts";

export function findingLine(finding: Finding) {
  const { id, rule, group, count, bounded, suppressed, absence, firstMs, lastMs } = finding;
  const [first, last] = [isoOf(firstMs), isoOf(lastMs)];
  const missing = absence && missingWord(absence);
  const about = { rule: rule.id, group, first, last, count, level: rule.level };
  return { finding: id, ...about, bounded, suppressed, missing };
}

/** An end without one that came again: nobody awaits it any more. */
function missingWord({ endedMs, forgotten }: AbsenceAbout): "still" | "ended" | "forgotten" {
  if (forgotten) return "forgotten";
  return endedMs === undefined ? "still" : "ended";
}

export function findingText(finding: Finding): string {
  const { id, rule, group, firstMs } = finding;
  const found = isMissing(finding)
    ? [absenceText(finding)]
    : [Object.values(group).join(", "), foundText(finding)].filter((part) => part !== "");
  return `${isoOf(firstMs)}  ${rule.level}  ${rule.title}: ${found.join("  ")}  ${id}`;
}

/** How much was found: an absence counts what did not come. */
export const foundText = (finding: Finding): string =>
  isMissing(finding) ? `missed ${missedText(finding)}` : counted(finding.count, "event");

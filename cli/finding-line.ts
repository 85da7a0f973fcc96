// finding-line.ts — a finding as a line of JSON for scripts.
import { isoOf } from "../core/event.ts";
import type { Finding } from "../core/records.ts";

export function findingLine(finding: Finding) {
  const { id, rule, group, count, bounded, suppressed, absence, firstMs, lastMs } = finding;
  const [first, last] = [isoOf(firstMs), isoOf(lastMs)];
  const missing = absence && (absence.endedMs === undefined ? "still" : "ended");
  return { finding: id, rule: rule.id, group, first, last, count, bounded, suppressed, missing };
}

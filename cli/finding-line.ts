// finding-line.ts — a finding as a line of JSON for scripts.
import type { Finding } from "../core/records.ts";

export function findingLine({
  id,
  rule,
  group,
  count,
  bounded,
  suppressed,
  absence,
  ...times
}: Finding) {
  const first = new Date(times.firstMs).toISOString();
  const last = new Date(times.lastMs).toISOString();
  const missing = absence && (absence.endedMs === undefined ? "still" : "ended");
  return { finding: id, rule: rule.id, group, first, last, count, bounded, suppressed, missing };
}

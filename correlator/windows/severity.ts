// severity.ts — how grave a finding is: its rule's level, or a higher one from a count on.
import type { CorrelationRule, RuleAbout } from "../../core/records.ts";

export function aboutOf({ about, escalate }: CorrelationRule, count: number): RuleAbout {
  const risen = escalate?.findLast((one) => one.count <= count);
  return risen === undefined ? about : { ...about, level: risen.level };
}

// additions.ts — what Wache adds to Sigma's correlations, as the rule in force carries it.
//
// Holds: a rule that uses none of it has the version that it would have without.
import type { CorrelationRule } from "../../core/records.ts";
import type { CorrelationBody } from "./correlation.ts";
import type { Header } from "./header.ts";

const namedMax = 5; // of the rules that an absence awaits

export function additionsOf(
  { absence, suppressMs, escalate, assetLevels }: CorrelationBody,
  awaited: readonly Header[],
): Pick<CorrelationRule, "absence" | "suppressMs" | "escalate" | "assetLevels"> {
  const what = awaited.slice(0, namedMax).map(({ name, title }) => name ?? title);
  return {
    ...(absence && { absence: { what, ...absence } }),
    ...(suppressMs !== undefined && { suppressMs }),
    ...(escalate && { escalate }),
    ...(assetLevels && { assetLevels }),
  };
}

/** What of it belongs to the rule's version: not how grave a finding about an asset is, so that windows go on when assets change. */
export function addedLogic({ absence, suppressMs, escalate }: CorrelationBody): readonly unknown[] {
  return absence || suppressMs || escalate ? [{ absence, suppressMs, escalate }] : [];
}

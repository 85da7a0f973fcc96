// threshold-warnings.ts — correlations that count further than a group is remembered: they load, and never fire.
//
// In:    rules that were loaded, and the bounds of a group.
// Out:   a warning for each that the bounds are too low for, with what to raise, and how far.
import type { CorrelationRule } from "../core/records.ts";
import type { LoadedRules, Problem } from "./sigma/rule.ts";
import { type Bounds, KEPT } from "./windows/rule-windows.ts";

export type GroupBounds = Pick<Bounds, "matchesMax" | "valuesMax">;
type Bound = { readonly key: string; readonly max: number; readonly what: string };

export function thresholdWarnings(
  { set, places }: Pick<LoadedRules, "set" | "places">,
  bounds: GroupBounds,
): readonly Problem[] {
  return (set?.correlations ?? []).flatMap((rule) =>
    boundsOf(rule, bounds).flatMap((bound): readonly Problem[] => {
      const message = messageFor(leastCount(rule), bound);
      if (message === undefined) return [];
      const { id } = rule.about;
      return [{ code: "rule.threshold", at: places?.get(id) ?? id, message, rule: id }];
    }),
  );
}

function boundsOf({ type }: CorrelationRule, bounds: GroupBounds): readonly Bound[] {
  const matches = { key: "correlator.matchesMax", max: bounds.matchesMax };
  if (type === "event_count") return [{ ...matches, what: "matches" }];
  if (type !== "value_count") return [];
  return [
    { key: "correlator.valuesMax", max: bounds.valuesMax, what: "values" },
    { ...matches, what: "values, each of a match of its own where the field is no list," },
  ];
}

/** The least number with which the condition may hold. */
function leastCount({ condition }: CorrelationRule): number {
  const { gt = -1, gte = 0, eq = 0 } = condition;
  return Math.max(Math.floor(gt) + 1, Math.ceil(gte), eq);
}

/** A group that had too much keeps only a part: the condition is to hold with what is left. */
function messageFor(needed: number, { key, max, what }: Bound): string | undefined {
  const kept = Math.ceil(max * KEPT);
  if (needed <= kept) return undefined;
  const meant = `the condition needs ${needed} ${what} in a group, and ${key} is ${max}`;
  const comes =
    needed > max
      ? "it never holds"
      : `a group that had more keeps ${kept}, so it may not hold where it should`;
  return `${meant}: ${comes}; raise ${key} to ${Math.ceil(needed / KEPT)}`;
}

// backtest.ts — what rules would have found in events that are there: matches and findings a rule and a day.
//
// In:    the kept events of a range, and those around it that its findings reach to.
// Out:   counts by rule and UTC day: events of detections, findings of correlations by their beginning; the findings.
// Holds: each stream correlates by itself, as it does live; late events are left out, as live leaves them out.
import { dayOf, timeOf } from "../core/event.ts";
import type { Finding } from "../core/records.ts";
import type { KeptWorld } from "../correlator/backfill/kept-world.ts";
import { findInRange, type RangeWish, type Rules } from "../correlator/backfill/range.ts";
import type { RuleSet } from "../correlator/sigma/rule.ts";

export type Backtested = {
  readonly kind: string; // detection, or the correlation's type
  readonly rule: string;
  readonly title: string;
  readonly level: string;
  readonly day: string;
  readonly count: number;
};
export type Backtest = {
  readonly counts: readonly Backtested[];
  readonly findings: readonly Finding[]; // of correlations that are shown, by their beginning
  readonly events: number;
  readonly leftOut: number; // events of too many imports: matched, not correlated
};

type Days = Map<string, number>;

export async function backtest(
  world: Pick<KeptWorld, "events">,
  rules: Rules,
  wish: RangeWish,
): Promise<Backtest> {
  const byRule = new Map<string, Days>();
  const count = (rule: string, timeMs: number): void => {
    const days: Days = byRule.get(rule) ?? new Map();
    const day = dayOf(timeMs).replaceAll(".", "-");
    days.set(day, (days.get(day) ?? 0) + 1);
    byRule.set(rule, days);
  };
  const found = await findInRange(world, rules, {
    ...wish,
    onEvent: (event, matched) => {
      for (const { about } of matched) count(about.id, timeOf(event));
    },
  });
  for (const { rule, firstMs } of found.findings) count(rule.id, firstMs);
  const findings = found.findings.toSorted(
    (a, b) => a.firstMs - b.firstMs || (a.id < b.id ? -1 : 1),
  );
  const { events, leftOut } = found;
  return { counts: countsOf(rules.set, byRule), findings, events, leftOut };
}

function countsOf(set: RuleSet, byRule: ReadonlyMap<string, Days>): readonly Backtested[] {
  const rules = [
    ...set.detections.map(({ about }) => ({ kind: "detection", about })),
    ...set.correlations.map(({ about, type }) => ({ kind: type, about })),
  ];
  return rules.flatMap(({ kind, about: { id, title, level } }) =>
    [...(byRule.get(id) ?? [])]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([day, count]) => ({ kind, rule: id, title, level, day, count })),
  );
}

// editions.ts — the sets of rules that the workers of a run have, and where they say the same of a rule.
import type { ActiveRules } from "../../correlator/detection.ts";
import type { DrawnRule } from "./drawn-rules.ts";

/** Rules as a worker may have had them. */
export type Edition = {
  readonly rules: readonly DrawnRule[];
  readonly assets: string;
  readonly active: ActiveRules;
};
/** The first has every rule. */
export type AllEditions = readonly [Edition, ...Edition[]];

/** A rule that is another in another edition. What it saw is not what all saw, nor is what it names as evidence. */
export function changedIn(editions: AllEditions): ReadonlySet<string> {
  const [{ rules }] = editions;
  const versions = (name: string) => editions.map(({ active }) => ruleIn(active, name)?.version);
  const names = rules.map(({ name }) => name);
  return new Set(names.filter((name) => new Set(versions(name)).size > 1));
}

/** Whether in all editions the one rule, as it is here, feeds the other, as it is here: then nothing is kept from it. */
export function feedsAlways(
  editions: AllEditions,
  active: ActiveRules,
  { by, rule }: { readonly by: string; readonly rule: string },
): boolean {
  const isSame = (name: string, other: ActiveRules): boolean =>
    ruleIn(other, name)?.version === versionOf(active, name);
  return editions.every((one) => !isSame(by, one.active) || isSame(rule, one.active));
}

/** A correlation that what did not come feeds: of that an undisturbed pass finds less, it has no clock. */
export function isAboveAbsence(rules: readonly DrawnRule[], name: string): boolean {
  const rule = rules.find((one) => one.name === name);
  const below = rules.filter(
    (one) => rule?.kind === "correlation" && rule.rules.includes(one.name),
  );
  return below.some(
    (one) => (one.kind === "correlation" && one.awaiting) || isAboveAbsence(rules, one.name),
  );
}

export const ruleIn = ({ set }: ActiveRules, name: string) =>
  [...set.detections, ...set.correlations].find(({ about }) => about.id === name);

export function versionOf(active: ActiveRules, name: string): string {
  const rule = ruleIn(active, name);
  if (rule === undefined) throw new Error(`there is no rule ${name}`);
  return rule.version;
}

// bounds.ts — bounds so small that they are reached, and what is still certain where they were.
//
// Holds: docs/correlation.md, "Bounds". A rule that had nothing to give up, nor had one below it, finds what it always
//        finds. One that had: whatever it tells without `bounded` is right, to the id and the count; what it tells with it,
//        where more events can only make its condition truer, lies in an episode that is there and counts no more than that.
// Why:   what is missing depends on the order of arrival, and what is no longer fed to another rule can mark nothing there: so
//        nothing is said of what is missing, nor of rules above one that gave something up, nor of what did not come.
import type { Chance } from "./chance.ts";
import type { DrawnCorrelation, DrawnRule } from "./drawn-rules.ts";

export type DrawnBounds = {
  readonly groupsMax?: number;
  readonly matchesMax?: number;
  readonly valuesMax?: number;
};

export function drawBounds(chance: Chance): DrawnBounds {
  if (!chance.is(1 / 6)) return {};
  const which = chance.one([["groups"], ["matches"], ["values"], ["groups", "matches", "values"]]);
  return {
    ...(which.includes("groups") && { groupsMax: chance.int(1, 12) }),
    ...(which.includes("matches") && { matchesMax: chance.one([1, 2, 3, 4, 6, 10]) }),
    ...(which.includes("values") && { valuesMax: chance.one([1, 2, 3, 5, 8, 13]) }),
  };
}

/** How much is certain of a rule's findings. */
export type Certainty = "all" | "unmarked" | "nothing";

/** Names of the rules that were said to have given something up; and of absences of which nothing is certain. */
export function certaintyOf(
  rules: readonly DrawnRule[],
  {
    gaveUp,
    unsure,
  }: { readonly gaveUp: ReadonlySet<string>; readonly unsure: ReadonlySet<string> },
): (name: string) => Certainty {
  const byName = new Map(rules.map((rule) => [rule.name, rule]));
  const below = (name: string): readonly string[] => {
    const rule = byName.get(name);
    return rule?.kind === "correlation" ? rule.rules : [];
  };
  const isTouched = (name: string): boolean =>
    gaveUp.has(name) || unsure.has(name) || below(name).some(isTouched);
  return (name) => {
    const rule = byName.get(name);
    if (unsure.has(name)) return "nothing";
    if (rule === undefined || !isTouched(name)) return "all";
    if (below(name).some(isTouched)) return "nothing";
    return rule.kind === "correlation" && rule.awaiting ? "nothing" : "unmarked";
  };
}

export type Judged = {
  readonly id: string;
  readonly fingerprint: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly words: string; // all that must be the same
  readonly bounded?: boolean;
};

/** What is wrong with what a rule that gave something up has told. `episodes`: all that there are, told or not. */
export function wrongIn(
  rule: DrawnRule,
  told: readonly Judged[],
  episodes: readonly Judged[],
): string[] {
  const words = new Map(episodes.map((one) => [one.id, one.words]));
  return told.flatMap((one) => {
    if (!one.bounded) {
      if (words.get(one.id) === one.words) return [];
      return [`not marked as bounded, ${one.id}: ${one.words}\n      not ${words.get(one.id)}`];
    }
    const isIn = ({ fingerprint, firstMs, lastMs, count }: Judged): boolean =>
      fingerprint === one.fingerprint &&
      firstMs <= one.firstMs &&
      one.lastMs <= lastMs &&
      one.count <= count;
    if (!onlyGetsTruer(rule) || episodes.some(isIn)) return [];
    return [`bounded, and more than there is, ${one.id}: ${one.words}`];
  });
}

const onlyGetsTruer = (rule: DrawnRule): boolean =>
  rule.kind === "correlation" && COUNTS.includes(rule.type) && asksForMore(rule);

const COUNTS = ["event_count", "value_count", "temporal", "temporal_ordered"];

const asksForMore = ({ body: { condition = {}, expression } }: DrawnCorrelation): boolean =>
  expression === undefined && Object.keys(condition).every((op) => op === "gt" || op === "gte");

// cover.ts — what a rule cannot do without: a set of ids of which at least one fires whenever its condition holds.
//
// Holds: no cover means that the rule may match an event in which nothing fires: it is looked at each time.
// Why:   a rule is looked at only when its cover fires, so the cover that fires most seldom is the best.
import type { Expression, Predicate } from "../sigma/rule.ts";

export type Weighing = {
  /** The id that fires whenever the predicate is true; undefined where it may be true of nothing at all. */
  readonly idOf: (predicate: Predicate) => number | undefined;
  /** How often the id fires: a share of the events. */
  readonly weightOf: (id: number) => number;
};

export function coverOf(expression: Expression, weighing: Weighing): readonly number[] | undefined {
  if (weightOf(expression, weighing) === undefined) return undefined;
  const ids = new Set<number>();
  collect(expression, weighing, ids);
  return [...ids];
}

function weightOf(expression: Expression, weighing: Weighing): number | undefined {
  switch (expression.kind) {
    case "predicate": {
      const id = weighing.idOf(expression.predicate);
      return id === undefined ? undefined : weighing.weightOf(id);
    }
    case "selection":
      return weightOf(expression.of, weighing);
    case "not":
      return expression.of.kind === "not" ? weightOf(expression.of.of, weighing) : undefined;
    case "and":
      return lightest(expression.of, weighing)?.weight;
    case "or": {
      let sum = 0;
      for (const one of expression.of) {
        const weight = weightOf(one, weighing);
        if (weight === undefined) return undefined;
        sum += weight;
      }
      return sum;
    }
  }
}

function lightest(
  all: readonly Expression[],
  weighing: Weighing,
): { readonly one: Expression; readonly weight: number } | undefined {
  let best: { readonly one: Expression; readonly weight: number } | undefined;
  for (const one of all) {
    const weight = weightOf(one, weighing);
    if (weight !== undefined && (!best || weight < best.weight)) best = { one, weight };
  }
  return best;
}

/** The ids of an expression that has a weight. */
function collect(expression: Expression, weighing: Weighing, ids: Set<number>): void {
  switch (expression.kind) {
    case "predicate": {
      const id = weighing.idOf(expression.predicate);
      if (id !== undefined) ids.add(id);
      break;
    }
    case "selection":
      collect(expression.of, weighing, ids);
      break;
    case "not":
      if (expression.of.kind === "not") collect(expression.of.of, weighing, ids);
      break;
    case "and": {
      const best = lightest(expression.of, weighing);
      if (best) collect(best.one, weighing, ids);
      break;
    }
    case "or":
      for (const one of expression.of) collect(one, weighing, ids);
      break;
  }
}

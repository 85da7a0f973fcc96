// cover.ts — what a rule cannot do without: a set of ids of which at least one fires whenever its condition holds.
//
// Holds: no cover means that the rule may match an event in which nothing fires: it is looked at each time.
// Why:   a rule is looked at only when its cover fires, so the cover that fires most seldom is the best.
import type { Expression, Predicate } from "../sigma/rule.ts";

export type Cover = { readonly ids: readonly number[]; readonly weight: number };

export type Weighing = {
  /** The id that fires whenever the predicate is true; undefined where it may be true of nothing at all. */
  readonly idOf: (predicate: Predicate) => number | undefined;
  /** How often the id fires: a share of the events. */
  readonly weightOf: (id: number) => number;
};

export function coverOf(expression: Expression, weighing: Weighing): Cover | undefined {
  switch (expression.kind) {
    case "predicate": {
      const id = weighing.idOf(expression.predicate);
      return id === undefined ? undefined : { ids: [id], weight: weighing.weightOf(id) };
    }
    case "selection":
      return coverOf(expression.of, weighing);
    case "not":
      return expression.of.kind === "not" ? coverOf(expression.of.of, weighing) : undefined;
    case "and":
      return lightest(expression.of.map((one) => coverOf(one, weighing)));
    case "or":
      return together(expression.of.map((one) => coverOf(one, weighing)));
  }
}

function lightest(covers: readonly (Cover | undefined)[]): Cover | undefined {
  let best: Cover | undefined;
  for (const cover of covers) if (cover && (!best || cover.weight < best.weight)) best = cover;
  return best;
}

function together(covers: readonly (Cover | undefined)[]): Cover | undefined {
  const ids = new Set<number>();
  let weight = 0;
  for (const cover of covers) {
    if (!cover) return undefined;
    for (const id of cover.ids) ids.add(id);
    weight += cover.weight;
  }
  return { ids: [...ids], weight };
}

// selections.ts — the selections that a condition is made of.
import type { Expression } from "../sigma/rule.ts";

export type Selection = Expression & { readonly kind: "selection" };

/** Each selection of a condition once, in the order in which it names them. */
export function selectionsOf(condition: Expression): readonly Selection[] {
  const found = new Set<Selection>();
  const walk = (expression: Expression): void => {
    switch (expression.kind) {
      case "selection":
        found.add(expression);
        break;
      case "not":
        walk(expression.of);
        break;
      case "and":
      case "or":
        for (const one of expression.of) walk(one);
        break;
      case "predicate":
        break;
    }
  };
  walk(condition);
  return [...found];
}

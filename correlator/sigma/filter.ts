// filter.ts — lays filters under the condition of the rules that they name.
//
// Why:   the specification's example suppresses what `condition: selection` describes; the reference tools let pass
//        what `condition: not selection` describes. A condition made of negations says what passes; any other says
//        what is suppressed. Both ways of writing the same filter suppress the same events (docs/sigma.md).
import type { DetectionRule, EventField, Expression, Predicate } from "./rule.ts";

type Filtering = { readonly body: { readonly condition: Expression } };

/** `fieldOf`: a filter's fields stand where the rule's do, whose log source may be narrower than the filter's. */
export function filtered(
  condition: Expression,
  filters: readonly Filtering[],
  fieldOf: (name: string) => EventField,
): Expression {
  if (filters.length === 0) return condition;
  const passes = filters.map(({ body }): Expression => {
    const read = readBy(fieldOf, body.condition);
    return negative(read) ? read : { kind: "not", of: read };
  });
  return { kind: "and", of: [condition, ...passes] };
}

function readBy(fieldOf: (name: string) => EventField, condition: Expression): Expression {
  const made = new Map<Expression, Expression>();
  const placed = (predicate: Predicate): Predicate => {
    if (predicate.field === null) return predicate;
    const field = fieldOf(predicate.field.name);
    return predicate.kind === "fieldref"
      ? { ...predicate, field, other: fieldOf(predicate.other.name) }
      : { ...predicate, field };
  };
  const fresh = (one: Expression): Expression => {
    switch (one.kind) {
      case "predicate":
        return { kind: "predicate", predicate: placed(one.predicate) };
      case "and":
      case "or":
        return { kind: one.kind, of: one.of.map(read) };
      case "not":
      case "selection":
        return { ...one, of: read(one.of) };
    }
  };
  const read = (one: Expression): Expression => {
    const known = made.get(one) ?? fresh(one);
    made.set(one, known);
    return known;
  };
  return read(condition);
}

/** The two apart again: the rule's own condition, and what each of its filters lets pass. */
export function unfiltered({
  condition,
  filters = [],
}: Pick<DetectionRule, "condition" | "filters">): {
  readonly own: Expression;
  readonly passes: readonly Expression[];
} {
  const [own = condition, ...passes] =
    filters.length > 0 && condition.kind === "and" ? condition.of : [condition];
  return { own, passes };
}

function negative(expression: Expression): boolean {
  if (expression.kind === "not") return true;
  return (expression.kind === "and" || expression.kind === "or") && expression.of.every(negative);
}

// fields.ts — the fields that a rule reads, for people and for checks.
//
// In:    a detection rule.
// Out:   each of its fields once, in the order in which the rule names them; whether it looks for keywords as well.
import type { DetectionRule, EventField, Expression, Predicate } from "./rule.ts";

export type FieldUse = "condition" | "group-by" | "values";
export type UsedField = { readonly field: EventField; readonly use: FieldUse };

export function fieldsOf(rule: DetectionRule): {
  readonly fields: readonly UsedField[];
  readonly keywords: boolean;
} {
  const found = new Map<string, UsedField>();
  const add = (field: EventField, use: FieldUse): void => {
    if (!found.has(field.name)) found.set(field.name, { field, use });
  };
  let keywords = false;
  for (const predicate of predicatesOf(rule.condition)) {
    if (predicate.field === null) keywords = true;
    else add(predicate.field, "condition");
    if (predicate.kind === "fieldref") add(predicate.other, "condition");
  }
  for (const { groupBy, valueFields, carried } of rule.feeds) {
    for (const field of groupBy) add(field, "group-by");
    for (const field of valueFields) add(field, "values");
    for (const { field } of carried) add(field, "group-by");
  }
  return { fields: [...found.values()], keywords };
}

function* predicatesOf(expression: Expression): Generator<Predicate> {
  switch (expression.kind) {
    case "predicate":
      yield expression.predicate;
      break;
    case "and":
    case "or":
      for (const one of expression.of) yield* predicatesOf(one);
      break;
    case "not":
    case "selection":
      yield* predicatesOf(expression.of);
      break;
  }
}

// held-values.ts — what events hold in the place of a value that a rule asks for, as the field's mapping says it.
//
// In:    a field with its modifiers, and one value.
// Out:   further predicates, of which any holds instead; none where the rule looks at parts or at case.
// Why:   rules are read once: a matcher knows of no other values than those of its predicates.
import type { Predicate } from "./rule.ts";
import { fold } from "./text.ts";
import type { Item } from "./values.ts";
import type { ScalarNode } from "./yaml.ts";

export function heldInstead({ plan, field }: Item, node: ScalarNode): Predicate[] {
  const { values } = field ?? {};
  const isWhole = plan.type === "text" && plan.place === "whole" && plan.encoders.length === 0;
  if (field === null || values === undefined || !isWhole || plan.cased) return [];
  const asked = (typeof node.value === "string" ? node.value : node.source).toLowerCase();
  const held = Object.hasOwn(values, asked) ? (values[asked] ?? []) : [];
  return held.map((text) => ({
    kind: "text",
    place: "whole",
    text: fold(text),
    field,
    cased: false,
  }));
}

// detection.ts — reads the `detection` of a rule: its selections, and the condition over them.
//
// In:    the node of `detection` (or of a filter's).
// Out:   one expression, or problems.
import { conditionOf, type Selection } from "./condition.ts";
import { planOf } from "./modifiers.ts";
import type { EventField, Expression } from "./rule.ts";
import { itemExpression } from "./values.ts";
import { entryOf, type MapNode, type Node, nameOfKind, type Source } from "./yaml.ts";

/** What reading one rule needs beside its text. */
export type ReadingContext = {
  readonly source: Source;
  readonly mapField: (name: string) => EventField;
  readonly placeholders: ReadonlyMap<string, readonly string[]>;
};

/** `apart` are keys that belong to the section and are no selections. */
export function detectionOf(
  section: MapNode,
  context: ReadingContext,
  apart: readonly string[] = [],
): Expression | undefined {
  const { source } = context;
  const condition = entryOf(section, "condition");
  if (condition === undefined) {
    source.problem(
      "rule.condition-missing",
      section.offset,
      "there is no condition; say how the selections combine, as in condition: selection",
    );
    return undefined;
  }
  const selections: Selection[] = [];
  let whole = true;
  for (const entry of section.entries) {
    if (entry.key === "condition" || apart.includes(entry.key)) continue;
    if (entry.key === "timeframe") {
      source.problem(
        "rule.timeframe",
        entry.keyOffset,
        "timeframe belongs to the old aggregations; write a correlation with a timespan",
      );
      whole = false;
      continue;
    }
    const of = selectionOf(entry.value, entry.key, context);
    if (of === undefined) whole = false;
    else
      selections.push({
        offset: entry.keyOffset,
        expression: { kind: "selection", name: entry.key, of },
      });
  }
  return whole ? conditionOf(condition.value, selections, source) : undefined;
}

function selectionOf(node: Node, name: string, context: ReadingContext): Expression | undefined {
  if (node.kind === "map") return mapOf(node, name, context);
  const keywords = node.kind === "list" ? node.items : [node];
  if (keywords.length === 0) {
    context.source.problem(
      "rule.selection-empty",
      node.offset,
      `the selection ${name} is empty; give it a field, a keyword or a list of them`,
    );
    return undefined;
  }
  return linked(
    "or",
    keywords.map((item) =>
      item.kind === "map" ? mapOf(item, name, context) : keywordOf(item, name, context),
    ),
  );
}

function mapOf(node: MapNode, name: string, context: ReadingContext): Expression | undefined {
  if (node.entries.length === 0) {
    context.source.problem(
      "rule.selection-empty",
      node.offset,
      `the selection ${name} is empty; give it a field with a value`,
    );
    return undefined;
  }
  return linked(
    "and",
    node.entries.map((entry) => fieldOfEntry(entry.key, entry.keyOffset, entry.value, context)),
  );
}

function linked(
  kind: "and" | "or",
  parts: readonly (Expression | undefined)[],
): Expression | undefined {
  const of = parts.filter((part) => part !== undefined);
  if (of.length < parts.length) return undefined;
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : { kind, of };
}

function keywordOf(node: Node, name: string, context: ReadingContext): Expression | undefined {
  if (node.kind === "scalar") {
    const plan = planOf([], context.source, node.offset);
    return plan && itemExpression({ plan, field: null, name, value: node }, context);
  }
  context.source.problem(
    "rule.selection",
    node.offset,
    `the selection ${name} holds ${nameOfKind(node)} in a list; allowed are text, numbers and maps`,
  );
  return undefined;
}

function fieldOfEntry(
  key: string,
  keyOffset: number,
  value: Node,
  context: ReadingContext,
): Expression | undefined {
  const { source } = context;
  const [name = "", ...words] = key.split("|");
  const plan = planOf(words, source, keyOffset);
  if (plan === undefined) return undefined;
  if (value.kind === "map") {
    source.problem(
      "rule.value",
      value.offset,
      `${key} has a map as a value; give text, a number, a boolean, null or a list of them ` +
        "(a nested field is written with dots: a.b)",
    );
    return undefined;
  }
  if (name !== "") {
    const expression = itemExpression(
      { plan, field: context.mapField(name), name, value },
      context,
    );
    // `exists: false` is the one value that turns its predicate round.
    const absent = plan.type === "exists" && value.kind === "scalar" && value.value === false;
    return expression !== undefined && absent ? { kind: "not", of: expression } : expression;
  }
  if (plan.type !== "text" && plan.type !== "regex") {
    source.problem(
      "rule.keyword-modifier",
      keyOffset,
      `${key} has no field, and ${words.join("|")} needs one; write field|${words.join("|")}`,
    );
    return undefined;
  }
  return itemExpression({ plan, field: null, name: key, value }, context);
}

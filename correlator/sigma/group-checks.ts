// group-checks.ts — whether a correlation can have the fields that it is grouped by, or counts, of all that feeds it.
import type { Reference } from "./correlation.ts";
import { aliased, fieldsOf, ruleId } from "./feeds.ts";
import type { Correlation, Names } from "./link.ts";

/** Whether the groups of a correlation tell the field. */
export const knows = ({ body }: Correlation, field: string): boolean =>
  body.groupBy.some(({ text }) => text === field);

/** A match of a correlation knows its group and its event, but for what did not come: that has no event. */
export function checkGroup(
  rule: Correlation,
  target: Correlation,
  reference: Reference,
  names: Names,
): boolean {
  for (const field of fieldsOf(rule)) {
    const name = aliased(rule, target, field);
    const eventless = knows(target, name) ? undefined : eventlessBelow(target, name, names);
    if (!eventless) continue;
    const known = eventless.body.groupBy.map(({ text }) => text).join(", ") || "nothing";
    names.refuse(
      rule,
      "rule.group-unknown",
      `${field} is not known to the findings of ${eventless.header.name ?? eventless.header.title}, which are grouped by ` +
        `${known} and tell of no event; group that rule by it, or give an alias`,
      rule.body.groupBy.find((one) => one.text === field)?.offset ?? reference.offset,
    );
    return false;
  }
  return true;
}

/** The absence from which a correlation's matches would have a field that it does not know. */
function eventlessBelow(
  rule: Correlation,
  field: string,
  names: Names,
  seen = new Set<string>(),
): Correlation | undefined {
  if (rule.body.type === "absence") return knows(rule, field) ? undefined : rule;
  const name = `${field}\n${ruleId(rule)}`;
  if (seen.has(name)) return undefined;
  seen.add(name);
  for (const { text } of rule.body.rules) {
    const below = names.find(text);
    if (below?.kind !== "correlation") continue;
    const found = eventlessBelow(below, aliased(rule, below, field), names, seen);
    if (found) return found;
  }
  return undefined;
}

export function checkAliases(rule: Correlation, names: Names): boolean {
  const isSame = (one: string, other: string): boolean => names.find(one) === names.find(other);
  let good = true;
  for (const alias of rule.body.aliases)
    for (const { rule: reference } of alias.fields) {
      if (rule.body.rules.some((one) => isSame(one.text, reference.text))) continue;
      good = false;
      names.refuse(
        rule,
        "rule.alias",
        `the alias ${alias.name} names ${reference.text}, which is none of the correlated rules: ` +
          rule.body.rules.map((one) => one.text).join(", "),
        reference.offset,
      );
    }
  for (const field of fieldsOf(rule)) {
    const alias = rule.body.aliases.find((one) => one.name === field);
    const left = rule.body.rules.find(
      (one) =>
        alias !== undefined &&
        !alias.fields.some(({ rule: reference }) => isSame(reference.text, one.text)),
    );
    if (alias === undefined || left === undefined) continue;
    good = false;
    names.refuse(
      rule,
      "rule.alias",
      `the alias ${field} says no field for ${left.text}; give one for each correlated rule`,
      alias.offset,
    );
  }
  return good;
}

// feeds.ts — what a rule hands to a correlation that uses it: its place there, and where the group and the values stand.
import { idOf } from "../../core/event.ts";
import type { CorrelationFeed } from "../../core/records.ts";
import { readsNumbers } from "../windows/value-gauges.ts";
import type { Draft, Reading } from "./document.ts";
import type { Correlation, Detection, Names, Rule } from "./link.ts";
import type { DetectionFeed } from "./rule.ts";
import { isSameWord } from "./rule-words.ts";

export const ruleId = ({ header }: Draft): string =>
  header.id ?? header.name ?? idOf("rule", header.title);

const answersTo = (rule: Draft, word: string): boolean =>
  rule.header.name === word || isSameWord(ruleId(rule), word);

/** The field that a correlation's name for it means in a rule that feeds it. */
export function aliased(rule: Correlation, target: Rule, field: string): string {
  const alias = rule.body.aliases.find((one) => one.name === field);
  return alias?.fields.find((one) => answersTo(target, one.rule.text))?.field ?? field;
}

/**
 * What a field is called in the detections below: where a correlation's matches have it from their events, its meaning
 * depends on the aliases of all rules on the way. `memo`: of what was asked before.
 */
export function meaningOf(
  rule: Rule,
  field: string,
  names: Names,
  memo = new Map<string, string>(),
): string {
  if (rule.kind === "detection") return field;
  const asked = `${field}\n${ruleId(rule)}`;
  const known = memo.get(asked);
  if (known !== undefined) return known;
  const below = rule.body.rules.map(({ text }) => {
    const fed = names.find(text);
    return fed ? [ruleId(fed), meaningOf(fed, aliased(rule, fed, field), names, memo)] : [];
  });
  const meaning = idOf("field", JSON.stringify(below));
  memo.set(asked, meaning);
  return meaning;
}

type Feeding = {
  readonly versions: ReadonlyMap<Draft, string>;
  readonly names: Names;
  readonly carried: CarriedNames;
};
/** What a correlation's matches carry for those further up, by its own names. */
export type CarriedNames = ReadonlyMap<Rule, readonly string[]>;

/** The fields that a correlation asks of what feeds it. */
export const fieldsOf = ({ body }: Correlation): readonly string[] => [
  ...body.groupBy.map((one) => one.text),
  ...(body.condition.field ?? []),
];

/**
 * A match of a correlation tells the values of its group; what a correlation above asks beyond that, or carries itself, comes
 * from the match's event. `ordered` has what feeds before what is fed.
 */
export function carriedNames(
  ordered: readonly Correlation[],
  usersOf: ReadonlyMap<Rule, readonly Correlation[]>,
): CarriedNames {
  const carried = new Map<Rule, readonly string[]>();
  for (const rule of ordered.toReversed()) {
    const names = (usersOf.get(rule) ?? []).flatMap((user) => [
      ...fieldsOf(user)
        .map((field) => aliased(user, rule, field))
        .filter((field) => !rule.body.groupBy.some((one) => one.text === field)),
      ...(carried.get(user) ?? []).map((field) => aliased(user, rule, field)),
    ]);
    carried.set(rule, [...new Set(names)]);
  }
  return carried;
}

export function detectionFeed(
  user: Correlation,
  rule: Detection,
  feeding: Feeding & { readonly reading: Reading },
): DetectionFeed {
  const field = (name: string) =>
    feeding.reading.mapField(rule.body.logsource, aliased(user, rule, name));
  return {
    version: feeding.versions.get(user) ?? "",
    place: placeOf(user, rule, feeding.names),
    groupBy: user.body.groupBy.map((one) => field(one.text)),
    valueFields: (user.body.condition.field ?? []).map(field),
    numbers: readsNumbers(user.body),
    carried: (feeding.carried.get(user) ?? []).map((name) => ({ name, field: field(name) })),
  };
}

export function correlationFeed(
  user: Correlation,
  rule: Correlation,
  feeding: Feeding,
): CorrelationFeed {
  const { field } = user.body.condition;
  const carried = feeding.carried.get(user) ?? [];
  return {
    version: feeding.versions.get(user) ?? "",
    place: placeOf(user, rule, feeding.names),
    groupBy: user.body.groupBy.map((one) => aliased(user, rule, one.text)),
    ...(field && {
      values: {
        fields: field.map((name) => aliased(user, rule, name)),
        numbers: readsNumbers(user.body),
      },
    }),
    ...(carried.length > 0 && {
      carried: carried.map((name) => ({ name, from: aliased(user, rule, name) })),
    }),
  };
}

const placeOf = (user: Correlation, rule: Rule, names: Names): number =>
  user.body.rules.findIndex((reference) => names.find(reference.text) === rule);

// correlation.ts — reads the `correlation` of a rule; link.ts binds its names to rules.
import type { Asset } from "../../core/assets.ts";
import type { CorrelationRule, CountCondition } from "../../core/records.ts";
import { ABSENCE_KEYS, type AbsenceBody, absenceOf, DEADLINE_SPAN_MS } from "./absence.ts";
import { conditionKeys, conditionOf, fieldsMax, isTemporal } from "./correlation-condition.ts";
import { booleanOf, textsIn } from "./header.ts";
import { rulesNamedIn } from "./rule-condition.ts";
import { isSameWord } from "./rule-words.ts";
import { spanMsOf } from "./span.ts";
import { TELLING_KEYS, type Telling, tellingOf } from "./telling.ts";
import { entryOf, type MapNode, type Node, nameOfKind, type Source } from "./yaml.ts";

export const TYPES = [
  "event_count",
  "value_count",
  "value_sum",
  "value_avg",
  "value_median",
  "value_percentile",
  "temporal",
  "temporal_ordered",
  "absence",
] as const;
const KEYS = [
  ...["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"],
  ...[...ABSENCE_KEYS, ...TELLING_KEYS],
];
const spanDaysMax = 30;
const rulesMax = 1000;

export type Reference = { readonly text: string; readonly offset: number };
export type Alias = {
  readonly name: string;
  readonly offset: number;
  readonly fields: readonly { readonly rule: Reference; readonly field: string }[];
};
export type CorrelationBody = {
  readonly type: CorrelationRule["type"];
  readonly rules: readonly Reference[];
  readonly groupBy: readonly Reference[];
  readonly spanMs: number;
  readonly condition: CountCondition;
  readonly aliases: readonly Alias[];
  readonly generate: boolean;
  readonly absence?: AbsenceBody;
} & Telling;

export function correlationOf(
  node: Node,
  inventory: readonly Asset[] | undefined,
  source: Source,
): CorrelationBody | undefined {
  const before = source.problems.length;
  if (node.kind !== "map") {
    source.problem("rule.correlation", node.offset, "correlation must be a map");
    return undefined;
  }
  const type = typeOf(node, source);
  const keysFit = checkKeys(node, type, source);
  const rules = rulesOf(node, type, source);
  if (rules.length === 0 || rules.length > rulesMax)
    source.problem(
      "rule.correlation",
      entryOf(node, "rules")?.value.offset ?? node.offset,
      `rules must name 1 to ${rulesMax} rules by id or name`,
    );
  const groupBy = referencesOf(node, "group-by", source);
  const spanMs = spanOf(node, source);
  const aliases = aliasesOf(node, source);
  const condition =
    type === undefined || !keysFit ? undefined : conditionOf(node, { type, rules }, source);
  const generate = booleanOf(node, "generate", source);
  const fields = groupBy.map(({ text }) => text);
  const absence = absenceOf(node, { type, groupBy: fields, spanMs, inventory }, source);
  const telling = tellingOf(node, { type, inventory }, source);
  if (
    source.problems.length > before ||
    type === undefined ||
    spanMs === undefined ||
    condition === undefined
  )
    return undefined;
  const base = { type, rules, groupBy, spanMs, condition, aliases, generate };
  return { ...base, ...(absence && { absence }), ...telling };
}

/** False where a part of the condition stands beside it: the condition itself lacks it then. */
function checkKeys(
  node: MapNode,
  type: CorrelationRule["type"] | undefined,
  source: Source,
): boolean {
  let fits = true;
  for (const { key, keyOffset } of node.entries.filter((one) => !KEYS.includes(one.key))) {
    const isOfCondition = type !== undefined && conditionKeys(type).includes(key);
    if (isOfCondition) fits = false;
    source.problem(
      "rule.key-unknown",
      keyOffset,
      isOfCondition
        ? `${key} stands inside of condition, as in condition: { ${key}: … }`
        : `correlation has the key ${JSON.stringify(key)}; allowed are ${KEYS.join(", ")}`,
    );
  }
  return fits;
}

function typeOf(node: MapNode, source: Source): CorrelationRule["type"] | undefined {
  const entry = entryOf(node, "type");
  const value = entry?.value;
  const type = TYPES.find((word) => value?.kind === "scalar" && value.value === word);
  if (type === undefined)
    source.problem(
      "rule.correlation-type",
      value?.offset ?? node.offset,
      `the type ${value === undefined ? "is missing" : `${nameOfKind(value)} is not supported`}; supported are ${TYPES.join(", ")}`,
    );
  return type;
}

/** A condition over rule names says them itself, where `rules` does not. */
function rulesOf(
  node: MapNode,
  type: CorrelationRule["type"] | undefined,
  source: Source,
): readonly Reference[] {
  const condition = entryOf(node, "condition")?.value;
  if (entryOf(node, "rules") !== undefined || condition?.kind !== "scalar")
    return referencesOf(node, "rules", source);
  return type !== undefined && isTemporal(type) ? rulesNamedIn(condition, source) : [];
}

function referencesOf(node: MapNode, key: string, source: Source): Reference[] {
  const entry = entryOf(node, key);
  if (entry === undefined) return [];
  const nodes = entry.value.kind === "list" ? entry.value.items : [entry.value];
  const out: Reference[] = [];
  for (const item of nodes) {
    const [text] = textsIn(item, key, source);
    if (text === undefined) continue;
    if (out.some((earlier) => isSameWord(earlier.text, text)))
      source.problem("rule.correlation", item.offset, `${key} names ${text} twice; name it once`);
    out.push({ text, offset: item.offset });
  }
  if (key === "group-by" && out.length > fieldsMax)
    source.problem(
      "rule.correlation",
      entry.value.offset,
      `group-by has ${out.length} fields; the most is ${fieldsMax}`,
    );
  return out;
}

function spanOf(node: MapNode, source: Source): number | undefined {
  const value = entryOf(node, "timespan")?.value;
  if (value === undefined && entryOf(node, "deadline") !== undefined) return DEADLINE_SPAN_MS;
  return spanMsOf(value, { key: "timespan", daysMax: spanDaysMax, map: node, source });
}

function aliasesOf(node: MapNode, source: Source): Alias[] {
  const entry = entryOf(node, "aliases");
  if (entry === undefined) return [];
  if (entry.value.kind !== "map") {
    source.problem("rule.alias", entry.value.offset, "aliases must be a map of maps");
    return [];
  }
  return entry.value.entries.map(({ key, keyOffset, value }) => {
    if (value.kind !== "map")
      source.problem(
        "rule.alias",
        value.offset,
        `the alias ${key} is ${nameOfKind(value)}; it must be a map of rule name to field`,
      );
    const fields = value.kind === "map" ? value.entries : [];
    return {
      name: key,
      offset: keyOffset,
      fields: fields.map((field) => ({
        rule: { text: field.key, offset: field.keyOffset },
        field: textsIn(field.value, `the alias ${key}`, source)[0] ?? "",
      })),
    };
  });
}

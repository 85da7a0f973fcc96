// correlation-condition.ts — reads the `condition` of a correlation: numbers to compare with, the field that they are
// about, or an expression over rule names.
//
// Holds: a condition that no window can satisfy is refused.
import type { CorrelationRule, CountCondition, Operator } from "../../core/records.ts";
import { readsNumbers } from "../windows/value-gauges.ts";
import type { Reference } from "./correlation.ts";
import { textsIn } from "./header.ts";
import { ruleCondition } from "./rule-condition.ts";
import {
  entryOf,
  isBeyondNumbers,
  type MapNode,
  type Node,
  nameOfKind,
  type Source,
} from "./yaml.ts";

export const OPERATORS: readonly Operator[] = ["gt", "gte", "lt", "lte", "eq", "neq"];
export const fieldsMax = 32;
const percentMax = 100;
const thousandths = 1000; // a percentile may have as many parts of a percent

export type Type = CorrelationRule["type"];
type Refuse = (message: string, offset?: number) => undefined;

export const isTemporal = (type: Type): boolean =>
  type === "temporal" || type === "temporal_ordered";
const isAboutValues = (type: Type): boolean => type.startsWith("value_");

export function conditionOf(
  node: MapNode,
  of: { readonly type: Type; readonly rules: readonly Reference[] },
  source: Source,
): CountCondition | undefined {
  const { type, rules } = of;
  const value = entryOf(node, "condition")?.value;
  if (type === "absence") return {}; // absence.ts refuses one
  if (value === undefined && isTemporal(type)) return { gte: rules.length };
  if (value?.kind === "scalar" && typeof value.value === "string" && isTemporal(type))
    return ruleCondition(value, { rules, isOrdered: type === "temporal_ordered" }, source);
  const refuse: Refuse = (message, offset = value?.offset ?? node.offset) => {
    source.problem("rule.correlation-condition", offset, message);
    return undefined;
  };
  if (value?.kind !== "map")
    return refuse(
      `condition must be a map of ${OPERATORS.join(", ")}` +
        (isTemporal(type) ? ", or an expression over the names of its rules" : ""),
    );
  const read = partsOf(value, type, { refuse, source });
  if (read === undefined) return undefined;
  const { numbers, fields, percentile } = read;
  const condition: CountCondition = {
    ...Object.fromEntries(
      OPERATORS.flatMap((word) => (numbers.has(word) ? [[word, numbers.get(word)]] : [])),
    ),
    ...(fields.length > 0 && { field: fields }),
    ...(percentile !== undefined && { percentile }),
  };
  if (!fieldsAreGood(type, condition, refuse)) return undefined;
  return numbersAreGood(numbers, { ...of, condition, map: value }, refuse) ? condition : undefined;
}

/** What may stand in the condition of a type. */
export const conditionKeys = (type: Type): readonly string[] =>
  type === "absence"
    ? []
    : [
        ...OPERATORS,
        ...(isAboutValues(type) ? ["field"] : []),
        ...(type === "value_percentile" ? ["percentile"] : []),
      ];

/** The keys of the condition, each alone. */
function partsOf(
  map: MapNode,
  type: Type,
  to: { readonly refuse: Refuse; readonly source: Source },
):
  | {
      readonly numbers: ReadonlyMap<Operator, number>;
      readonly fields: readonly string[];
      readonly percentile?: number;
    }
  | undefined {
  const { refuse, source } = to;
  const numbers = new Map<Operator, number>();
  let fields: readonly string[] = [];
  let percentile: number | undefined;
  for (const { key, keyOffset, value } of map.entries) {
    const operator = OPERATORS.find((word) => word === key);
    const number = numberIn(value);
    if (key === "field" && isAboutValues(type)) fields = textsIn(value, key, source);
    else if (key === "percentile" && type === "value_percentile") {
      if (number === undefined || number < 0 || number > percentMax || !isThousandths(number))
        return refuse(
          `percentile is ${nameOfKind(value)}; it must be a number from 0 to ${percentMax}, with at most three decimals`,
          value.offset,
        );
      percentile = number;
    } else if (operator === undefined)
      return refuse(
        `the condition of ${type} has the key ${JSON.stringify(key)}; allowed are ${conditionKeys(type).join(", ")}`,
        keyOffset,
      );
    else if (number === undefined)
      return refuse(
        `${key} is ${nameOfKind(value)}; it must be a number${isBeyondNumbers(value) ? " below 2^53" : ""}`,
        value.offset,
      );
    else numbers.set(operator, number);
  }
  return { numbers, fields, ...(percentile !== undefined && { percentile }) };
}

const numberIn = (node: Node): number | undefined =>
  node.kind === "scalar" && typeof node.value === "number" && Number.isFinite(node.value)
    ? node.value
    : undefined;

const isThousandths = (percent: number): boolean =>
  Math.round(percent * thousandths) / thousandths === percent;

function fieldsAreGood(type: Type, condition: CountCondition, refuse: Refuse): boolean {
  const fields = condition.field?.length ?? 0;
  if (!isAboutValues(type)) return true;
  if (!readsNumbers({ type, condition })) {
    if (fields > 0 && fields <= fieldsMax) return true;
    refuse(`${type} needs field: the 1 to ${fieldsMax} fields whose values count`);
    return false;
  }
  if (fields === 1) return true;
  refuse(`${type} needs field: the one field whose numbers count; found ${fields}`);
  return false;
}

function numbersAreGood(
  numbers: ReadonlyMap<Operator, number>,
  of: {
    readonly type: Type;
    readonly rules: readonly Reference[];
    readonly condition: CountCondition;
    readonly map: MapNode;
  },
  refuse: Refuse,
): boolean {
  const { type, rules, condition, map } = of;
  if (numbers.size === 0) {
    refuse(`the condition compares nothing; give one of ${OPERATORS.join(", ")}`);
    return false;
  }
  if (readsNumbers(of) || type === "value_percentile") {
    const isShare = condition.percentile === undefined && type === "value_percentile";
    if (someNumber(numbers, isShare ? [0, percentMax] : [-Infinity, Infinity])) return true;
    refuse(
      `no ${isShare ? `share from 0 to ${percentMax} percent` : "number"} satisfies the condition; correct its numbers`,
    );
    return false;
  }
  for (const [operator, number] of numbers)
    if (!isCount(number)) {
      const node = entryOf(map, operator)?.value ?? map;
      refuse(`${operator} is ${nameOfKind(node)}; it must be a whole number`, node.offset);
      return false;
    }
  const most = isTemporal(type) ? rules.length : Number.POSITIVE_INFINITY;
  if (someCount(numbers, most)) return true;
  refuse(
    `no count${isTemporal(type) ? ` up to the ${most} rules` : ""} satisfies the condition; correct its numbers`,
  );
  return false;
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** A window holds at least one event: some count from 1 on must satisfy all parts. */
function someCount(numbers: ReadonlyMap<Operator, number>, most: number): boolean {
  const low = Math.max(1, numbers.get("gte") ?? 1, (numbers.get("gt") ?? 0) + 1);
  const high = Math.min(most, numbers.get("lte") ?? most, (numbers.get("lt") ?? most + 1) - 1);
  const eq = numbers.get("eq");
  const neq = numbers.get("neq");
  if (eq !== undefined) return eq >= low && eq <= high && eq !== neq;
  return low < high || (low === high && low !== neq);
}

/** Some number within the bounds, whole or not, must satisfy all parts. */
function someNumber(
  numbers: ReadonlyMap<Operator, number>,
  [least, most]: readonly [number, number],
): boolean {
  const {
    gt = -Infinity,
    lt = Infinity,
    gte = least,
    lte = most,
    eq,
    neq,
  } = Object.fromEntries(numbers) as { readonly [word in Operator]?: number };
  const low = Math.max(least, gt, gte);
  const high = Math.min(most, lt, lte);
  if (eq === undefined && low < high) return true;
  const only = eq ?? low;
  return only >= low && only <= high && only > gt && only < lt && only !== neq;
}

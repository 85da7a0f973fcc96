// telling.ts — reads what a correlation says of its findings: how soon another is told, and from which count it is graver.
import { type CorrelationRule, type Escalation, LEVELS, type Level } from "../../core/records.ts";
import { spanMsOf } from "./span.ts";
import { entryOf, type MapNode, type Node, nameOfKind, type Source } from "./yaml.ts";

export const TELLING_KEYS = ["suppress", "escalate"];
const ESCALATE_KEYS = ["count", "level"];
const suppressDaysMax = 30;

export type Telling = { readonly suppressMs?: number; readonly escalate?: readonly Escalation[] };

export function tellingOf(
  node: MapNode,
  type: CorrelationRule["type"] | undefined,
  source: Source,
): Telling {
  const suppress = entryOf(node, "suppress");
  if (suppress !== undefined && type === "absence") {
    source.problem(
      "rule.suppress",
      suppress.keyOffset,
      "an absence is told once for as long as it lasts: there is nothing to suppress; remove it",
    );
    return {};
  }
  const to = { key: "suppress", daysMax: suppressDaysMax, map: node, source };
  const suppressMs = suppress && spanMsOf(suppress.value, to);
  const escalate = escalateOf(node, source);
  return {
    ...(suppressMs !== undefined && { suppressMs }),
    ...(escalate && { escalate }),
  };
}

/** They stand in a correlation: where they would do nothing, they are refused. */
export function refuseTelling(map: MapNode, source: Source): void {
  for (const { key, keyOffset } of map.entries)
    if (TELLING_KEYS.includes(key))
      source.problem(
        `rule.${key}`,
        keyOffset,
        `${key} stands inside of correlation; for single matches, count them: type: event_count, condition: { gte: 1 }`,
      );
}

/** A rule's own level is the lowest: what is not graver would never be seen. */
export function checkEscalate(
  map: MapNode,
  rule: {
    readonly level: Level | undefined;
    readonly escalate: readonly Escalation[] | undefined;
  },
  source: Source,
): void {
  const { level, escalate: [first] = [] } = rule;
  if (level === undefined || first === undefined) return;
  if (LEVELS.indexOf(first.level) > LEVELS.indexOf(level)) return;
  source.problem(
    "rule.escalate",
    entryOf(map, "escalate")?.value.offset ?? map.offset,
    `escalate begins with ${first.level}, which is no higher than the rule's own level ${level}; name a higher one`,
  );
}

function escalateOf(node: MapNode, source: Source): readonly Escalation[] | undefined {
  const value = entryOf(node, "escalate")?.value;
  if (value === undefined) return undefined;
  const items = value.kind === "list" ? value.items : [];
  if (items.length === 0) {
    source.problem(
      "rule.escalate",
      value.offset,
      `escalate is ${nameOfKind(value)}; it must be a list, as in [{ count: 100, level: critical }]`,
    );
    return undefined;
  }
  const found: Escalation[] = [];
  for (const item of items) {
    const one = escalationOf(item, source);
    if (one === undefined) continue;
    const before = found.at(-1);
    if (
      before !== undefined &&
      (one.count <= before.count || LEVELS.indexOf(one.level) <= LEVELS.indexOf(before.level))
    )
      source.problem(
        "rule.escalate",
        item.offset,
        `from count ${one.count} on the level is ${one.level}, after ${before.level} from ${before.count} on; count and level must rise from line to line`,
      );
    found.push(one);
  }
  return found;
}

function escalationOf(item: Node, source: Source): Escalation | undefined {
  const entries = item.kind === "map" ? item.entries : [];
  const count = entries.find(({ key }) => key === "count")?.value;
  const level = entries.find(({ key }) => key === "level")?.value;
  const word = LEVELS.find((one) => level?.kind === "scalar" && level.value === one);
  const number = count?.kind === "scalar" ? count.value : undefined;
  if (
    entries.every(({ key }) => ESCALATE_KEYS.includes(key)) &&
    word !== undefined &&
    typeof number === "number" &&
    Number.isSafeInteger(number) &&
    number >= 1
  )
    return { count: number, level: word };
  source.problem(
    "rule.escalate",
    item.offset,
    `escalate holds ${nameOfKind(item)}; each is { count, level }: a whole number from 1 on, and one of ${LEVELS.join(", ")}`,
  );
  return undefined;
}

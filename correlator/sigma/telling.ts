// telling.ts — reads what a correlation says of its findings: how soon another is told, from which count and about which
// assets it is graver.
import type { Asset } from "../../core/assets.ts";
import { lowered } from "../../core/letter-case.ts";
import {
  type AssetLevels,
  type CorrelationRule,
  type Escalation,
  LEVELS,
  type Level,
} from "../../core/records.ts";
import { assetsIn } from "./asset-choice.ts";
import { spanMsOf } from "./span.ts";
import { entryOf, type MapNode, type Node, nameOfKind, type Source } from "./yaml.ts";

export const TELLING_KEYS = ["suppress", "escalate"];
const namesMax = 10_000; // of assets with a level of their own: they travel with the rule
const namesCharsMax = 200_000;
const suppressDaysMax = 30;

export type Telling = {
  readonly suppressMs?: number;
  readonly escalate?: readonly Escalation[];
  readonly assetLevels?: AssetLevels;
};
type Risen = Pick<Telling, "escalate" | "assetLevels">;

export function tellingOf(
  node: MapNode,
  {
    type,
    inventory,
  }: {
    readonly type: CorrelationRule["type"] | undefined;
    readonly inventory: readonly Asset[] | undefined;
  },
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
  return {
    ...(suppressMs !== undefined && { suppressMs }),
    ...escalateOf(node, inventory, source),
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

/** A rule's own level is the lowest: a line that is not graver would never be seen, whatever assets it chooses today. */
export function checkEscalate(map: MapNode, level: Level | undefined, source: Source): void {
  const lines = entryOf(map, "escalate")?.value;
  if (level === undefined || lines?.kind !== "list") return;
  for (const line of lines.items) {
    const own = line.kind === "map" ? entryOf(line, "level")?.value : undefined;
    const word = LEVELS.find((one) => own?.kind === "scalar" && own.value === one);
    if (word === undefined || LEVELS.indexOf(word) > LEVELS.indexOf(level)) continue;
    source.problem(
      "rule.escalate",
      line.offset,
      `escalate has ${word}, which is no higher than the rule's own level ${level}; name a higher one`,
    );
    return;
  }
}

/** Each line is for counts or for assets. */
function escalateOf(node: MapNode, inventory: readonly Asset[] | undefined, source: Source): Risen {
  const value = entryOf(node, "escalate")?.value;
  if (value === undefined) return {};
  const items = value.kind === "list" ? value.items : [];
  if (items.length === 0) {
    source.problem(
      "rule.escalate",
      value.offset,
      `escalate is ${nameOfKind(value)}; it must be a list, as in [{ count: 100, level: critical }]`,
    );
    return {};
  }
  const counts: Escalation[] = [];
  const assets = new Map<string, Level>();
  for (const item of items) {
    const level = levelIn(item, source);
    if (item.kind !== "map" || level === undefined) continue;
    const choice = entryOf(item, "assets");
    if (choice === undefined) addCount(counts, { item, level }, source);
    else
      for (const name of namesOf(assetsIn(choice.value, inventory, source) ?? []))
        assets.set(name, graver(level, assets.get(name)));
  }
  const assetLevels = [...assets].sort(([a], [b]) => (a < b ? -1 : 1));
  const chars = assetLevels.reduce((sum, [name]) => sum + name.length, 0);
  if (assets.size > namesMax || chars > namesCharsMax)
    source.problem(
      "rule.assets",
      value.offset,
      `escalate chooses ${assets.size} names of assets with ${chars} characters; the most is ${namesMax} with ${namesCharsMax}: choose fewer`,
    );
  return {
    ...(counts.length > 0 && { escalate: counts }),
    ...(assetLevels.length > 0 && { assetLevels }),
  };
}

const namesOf = (assets: readonly Asset[]): readonly string[] =>
  assets.flatMap(({ name, aliases }) => [name, ...aliases]).map(lowered);

const graver = (level: Level, other: Level | undefined): Level =>
  other !== undefined && LEVELS.indexOf(other) > LEVELS.indexOf(level) ? other : level;

/** The level of a line that says what it is to: a count, or assets. */
function levelIn(item: Node, source: Source): Level | undefined {
  const entries = item.kind === "map" ? item.entries : [];
  const level = entries.find(({ key }) => key === "level")?.value;
  const word = LEVELS.find((one) => level?.kind === "scalar" && level.value === one);
  const keys = entries
    .map(({ key }) => key)
    .sort()
    .join();
  if (word !== undefined && (keys === "count,level" || keys === "assets,level")) return word;
  source.problem(
    "rule.escalate",
    item.offset,
    `escalate holds ${nameOfKind(item)}; each is { count, level } or { assets, level }: a whole number from 1 on, or assets, and one of ${LEVELS.join(", ")}`,
  );
  return undefined;
}

function addCount(
  counts: Escalation[],
  { item, level }: { readonly item: MapNode; readonly level: Level },
  source: Source,
): void {
  const value = entryOf(item, "count")?.value;
  const count = value?.kind === "scalar" ? value.value : undefined;
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 1) {
    source.problem(
      "rule.escalate",
      value?.offset ?? item.offset,
      `count is ${value ? nameOfKind(value) : "missing"}; it must be a whole number from 1 on`,
    );
    return;
  }
  const before = counts.at(-1);
  if (
    before !== undefined &&
    (count <= before.count || LEVELS.indexOf(level) <= LEVELS.indexOf(before.level))
  )
    source.problem(
      "rule.escalate",
      item.offset,
      `from count ${count} on the level is ${level}, after ${before.level} from ${before.count} on; count and level must rise from line to line`,
    );
  counts.push({ count, level });
}

// asset-choice.ts — reads which assets a rule means: `all`, or those with these tags and of this criticality at least.
import { type Asset, CRITICALITIES, type Criticality, chosen } from "../../core/assets.ts";
import { nearest } from "../../core/nearest.ts";
import { textsIn } from "./header.ts";
import { entryOf, type MapNode, type Node, nameOfKind, type Source } from "./yaml.ts";

const KEYS = ["tags", "criticality"];
const [LEAST] = CRITICALITIES;

/** Undefined where it is refused, and where no inventory is at hand. */
export function assetsIn(
  node: Node,
  inventory: readonly Asset[] | undefined,
  source: Source,
): readonly Asset[] | undefined {
  const refuse = (message: string, offset = node.offset): undefined => {
    source.problem("rule.assets", offset, message);
  };
  if (inventory === undefined) return undefined;
  if (inventory.length === 0)
    return refuse("no asset is known; name the files that list them in correlator.assets");
  if (node.kind === "scalar" && node.value === "all") return inventory;
  if (node.kind !== "map" || node.entries.length === 0)
    return refuse(
      `assets is ${nameOfKind(node)}; write all, or a map as in { tags: [backup], criticality: high }`,
    );
  const before = source.problems.length;
  for (const { key, keyOffset } of node.entries)
    if (!KEYS.includes(key))
      refuse(
        `assets has the key ${JSON.stringify(key)}; allowed are ${KEYS.join(", ")}`,
        keyOffset,
      );
  const choice = { tags: tagsIn(node, inventory, source), criticality: least(node, source) };
  return source.problems.length > before ? undefined : chosen(inventory, choice);
}

/** A tag that no asset has is most likely mistyped, and would choose none in silence. */
function tagsIn(node: MapNode, inventory: readonly Asset[], source: Source): readonly string[] {
  const value = entryOf(node, "tags")?.value;
  if (value === undefined) return [];
  if (value.kind === "list" && value.items.length === 0)
    source.problem(
      "rule.assets",
      value.offset,
      "tags is empty, which would choose every asset; name one, or write assets: all",
    );
  const tags = textsIn(value, "tags", source);
  for (const tag of tags) {
    if (inventory.some((asset) => asset.tags.includes(tag))) continue;
    const meant = nearest(tag, [...new Set(inventory.flatMap((asset) => asset.tags))]);
    const hint = meant === undefined ? "correct it" : `did you mean ${meant}?`;
    source.problem("rule.assets", value.offset, `no asset has the tag ${tag}; ${hint}`);
  }
  return tags;
}

function least(node: MapNode, source: Source): Criticality {
  const value = entryOf(node, "criticality")?.value;
  if (value === undefined) return LEAST;
  const word = CRITICALITIES.find((one) => value.kind === "scalar" && value.value === one);
  if (word === undefined)
    source.problem(
      "rule.assets",
      value.offset,
      `criticality is ${nameOfKind(value)}; it is one of ${CRITICALITIES.join(", ")}: this one and those above`,
    );
  return word ?? LEAST;
}

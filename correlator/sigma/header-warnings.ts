// header-warnings.ts — what a rule says of itself in another form than the specification's: it loads, but other tools may not take it.
import { tagFault } from "../attack-tags.ts";
import { DAY, RELATIONS } from "./header.ts";
import type { Warn } from "./unknown-fields.ts";
import { entryOf, type MapNode, type Node, nameOfKind } from "./yaml.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TEXTS = ["title", "name", "description", "author", "license", "taxonomy"];
const LISTS = ["references", "fields", "falsepositives", "scope"];
const DAYS = ["date", "modified"];

export function headerWarnings(map: MapNode, warn: Warn): void {
  idWarnings(map, warn);
  tagWarnings(map, warn);
  const form = (key: string, node: Node, wanted: string): void =>
    warn("rule.header-form", node.offset, `${key} is ${nameOfKind(node)}; it should be ${wanted}`);
  for (const { key, value } of map.entries) {
    if (TEXTS.includes(key) && !isText(value)) form(key, value, "text");
    if (DAYS.includes(key) && !isDay(value)) form(key, value, "a day as in 2026-01-31");
    if (LISTS.includes(key))
      for (const item of value.kind === "list" ? value.items : [value])
        if (!isText(item)) form(key, item, "a list of texts");
    if (key === "related")
      for (const item of value.kind === "list" ? value.items : [value])
        if (!isRelation(item))
          form(key, item, `a list of { id, type }; types are ${RELATIONS.join(", ")}`);
  }
}

const isText = (node: Node): boolean => node.kind === "scalar" && typeof node.value === "string";
const isDay = (node: Node): boolean =>
  node.kind === "scalar" && new RegExp(DAY).test(String(node.value));

function isRelation(node: Node): boolean {
  if (node.kind !== "map") return false;
  const id = entryOf(node, "id")?.value;
  const type = entryOf(node, "type")?.value;
  return (
    id !== undefined && isText(id) && type?.kind === "scalar" && RELATIONS.includes(type.source)
  );
}

function idWarnings(map: MapNode, warn: Warn): void {
  const id = entryOf(map, "id")?.value;
  if (id?.kind === "scalar" && id.source !== "" && !UUID.test(id.source))
    warn("rule.id-form", id.offset, "the id is no UUID; the specification wants one");
}

function tagWarnings(map: MapNode, warn: Warn): void {
  const tags = entryOf(map, "tags")?.value;
  if (tags !== undefined && tags.kind !== "list")
    warn("rule.tag", tags.offset, `tags is ${nameOfKind(tags)}; it should be a list of tags`);
  const seen = new Set<string>();
  for (const tag of tags?.kind === "list" ? tags.items : []) {
    if (tag.kind !== "scalar") continue;
    const fault = tagFault(tag.source);
    if (fault !== undefined)
      warn("rule.tag", tag.offset, `the tag ${JSON.stringify(tag.source)}: ${fault}`);
    if (seen.has(tag.source))
      warn("rule.tag", tag.offset, `the tag ${JSON.stringify(tag.source)} stands twice`);
    seen.add(tag.source);
  }
}

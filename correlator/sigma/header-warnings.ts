// header-warnings.ts — what a rule says of itself in another form than the specification's: it loads, but other tools may not take it.
import { isDay } from "../../core/written-times.ts";
import { tagFault } from "../attack-tags.ts";
import { DAY, RELATIONS } from "./header.ts";
import { isUuid } from "./rule-words.ts";
import type { Warn } from "./unknown-fields.ts";
import { entryOf, type MapNode, type Node, nameOfKind } from "./yaml.ts";

const TEXTS = ["title", "name", "description", "author", "license", "taxonomy"];
const LISTS = ["references", "fields", "falsepositives", "scope"];
const READ = ["title", "name", "description", "references", "falsepositives"]; // header.ts refuses what is no value
const DAYS = ["date", "modified"];

export function headerWarnings(map: MapNode, warn: Warn): void {
  idWarnings(map, warn);
  tagWarnings(map, warn);
  for (const { key, value } of map.entries) {
    const tell: Tell = (node, text) => warn("rule.header-form", node.offset, `${key} ${text}`);
    const isOdd = (node: Node): boolean => !isText(node) && (isValue(node) || !READ.includes(key));
    if (TEXTS.includes(key) && isOdd(value))
      tell(value, `is ${nameOfKind(value)}; it should be text`);
    if (DAYS.includes(key) && !isDate(value))
      tell(value, `is ${nameOfKind(value)}; it should be a day as in 2026-01-31`);
    const verb = value.kind === "list" ? "holds" : "is";
    if (LISTS.includes(key))
      for (const item of itemsOf(value).filter(isOdd))
        tell(item, `${verb} ${nameOfKind(item)}; it should be a list of texts`);
    if (key === "related") relationWarnings(value, tell);
  }
}

type Tell = (node: Node, text: string) => void;

const itemsOf = (node: Node): readonly Node[] => (node.kind === "list" ? node.items : [node]);
const isValue = (node: Node): boolean => node.kind === "scalar" && node.value !== null;
const isText = (node: Node): boolean => node.kind === "scalar" && typeof node.value === "string";

function isDate(node: Node): boolean {
  if (node.kind !== "scalar" || !new RegExp(DAY).test(String(node.value))) return false;
  const [year = 0, month = 0, day = 0] = String(node.value).split(/[-/]/).map(Number);
  return isDay(year, month, day);
}

function relationWarnings(related: Node, tell: Tell): void {
  if (related.kind !== "list")
    tell(related, `is ${nameOfKind(related)}; it should be a list of { id, type }`);
  for (const item of itemsOf(related)) {
    if (item.kind === "map") relationParts(item, tell);
    else if (related.kind === "list")
      tell(item, `holds ${nameOfKind(item)}; each should be { id, type }`);
  }
}

function relationParts(relation: MapNode, tell: Tell): void {
  const id = entryOf(relation, "id")?.value;
  const type = entryOf(relation, "type")?.value;
  const types = `types are ${RELATIONS.join(", ")}`;
  if (id === undefined) tell(relation, "lacks the id of the other rule");
  else if (!isText(id)) tell(id, `has the id ${nameOfKind(id)}; it should be text`);
  if (type === undefined) tell(relation, `lacks the type; ${types}`);
  else if (type.kind !== "scalar" || !RELATIONS.includes(type.source))
    tell(type, `has the type ${nameOfKind(type)}; ${types}`);
}

function idWarnings(map: MapNode, warn: Warn): void {
  const id = entryOf(map, "id")?.value;
  if (id?.kind === "scalar" && id.value !== null && id.source !== "" && !isUuid(id.source))
    warn("rule.id-form", id.offset, "the id is no UUID; the specification wants one");
}

function tagWarnings(map: MapNode, warn: Warn): void {
  const tags = entryOf(map, "tags")?.value;
  if (tags !== undefined && isValue(tags))
    warn("rule.tag", tags.offset, `tags is ${nameOfKind(tags)}; it should be a list of tags`);
  const seen = new Set<string>();
  for (const tag of tags?.kind === "list" ? tags.items : []) {
    if (tag.kind !== "scalar" || tag.value === null) continue;
    const fault = tagFault(tag.source);
    if (fault !== undefined)
      warn("rule.tag", tag.offset, `the tag ${JSON.stringify(tag.source)}: ${fault}`);
    if (seen.has(tag.source))
      warn("rule.tag", tag.offset, `the tag ${JSON.stringify(tag.source)} stands twice`);
    seen.add(tag.source);
  }
}

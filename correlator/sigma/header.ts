// header.ts — reads what a rule says of itself: title, id, level, tags and texts.
import type { LogSource } from "../../core/event.ts";
import { nearest } from "../../core/nearest.ts";
import { LEVELS, type Level, type RuleAbout } from "../../core/records.ts";
import { entryOf, type MapNode, type Node, nameOfKind, type Source } from "./yaml.ts";

export type Header = {
  readonly id?: string;
  readonly name?: string;
  readonly title: string;
  readonly level?: Level;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly references: readonly string[];
  readonly falsepositives: readonly string[];
  readonly generate: boolean;
};

export const STATUSES = ["stable", "test", "experimental", "deprecated", "unsupported"];
export const RELATIONS = ["derived", "obsolete", "merged", "renamed", "similar"];
/** As the specification writes it, or with the slashes that it had before. */
export const DAY = "^\\d{4}([-/])(0[1-9]|1[012])\\1(0[1-9]|[12]\\d|3[01])$";
const wordCharsMax = 256;
const textCharsMax = 65_535;

export function headerOf(map: MapNode, source: Source): Header | undefined {
  const before = source.problems.length;
  const title = textOf(map, "title", wordCharsMax, source);
  const id = textOf(map, "id", wordCharsMax, source);
  const name = textOf(map, "name", wordCharsMax, source);
  const description = textOf(map, "description", textCharsMax, source);
  const level = wordOf(map, "level", LEVELS, source);
  wordOf(map, "status", STATUSES, source);
  const lists = {
    tags: textsOf(map, "tags", source),
    references: textsOf(map, "references", source),
    falsepositives: textsOf(map, "falsepositives", source),
  };
  if (title === undefined && entryOf(map, "title") === undefined)
    source.problem("rule.title", map.offset, "there is no title; every rule has one");
  const generate = booleanOf(map, "generate", source);
  if (source.problems.length > before || title === undefined) return undefined;
  return {
    ...(id === undefined ? {} : { id }),
    ...(name === undefined ? {} : { name }),
    title,
    ...(level === undefined ? {} : { level }),
    ...(description === undefined ? {} : { description }),
    ...lists,
    generate,
  };
}

/** What people need to know of the rule. */
export function aboutOf(
  header: Header,
  { id, level }: { readonly id: string; readonly level: Level },
): RuleAbout {
  const { name, title, description, tags, references, falsepositives } = header;
  return {
    id,
    ...(name === undefined ? {} : { name }),
    title,
    level,
    ...(description === undefined ? {} : { description }),
    tags,
    ...(references.length === 0 ? {} : { references }),
    ...(falsepositives.length === 0 ? {} : { falsepositives }),
  };
}

export function booleanOf(map: MapNode, key: string, source: Source): boolean {
  const entry = entryOf(map, key);
  if (entry === undefined) return false;
  if (entry.value.kind === "scalar" && typeof entry.value.value === "boolean")
    return entry.value.value;
  source.problem(
    "rule.header",
    entry.value.offset,
    `${key} is ${nameOfKind(entry.value)}; allowed are true and false`,
  );
  return false;
}

function textOf(map: MapNode, key: string, charsMax: number, source: Source): string | undefined {
  const entry = entryOf(map, key);
  if (entry === undefined) return undefined;
  const { value } = entry;
  const text = value.kind === "scalar" && value.value !== null ? value.source.trim() : "";
  if (text !== "" && text.length <= charsMax) return text;
  source.problem(
    "rule.header",
    value.offset,
    `${key} is ${nameOfKind(value)}; it must be text of 1 to ${charsMax} characters`,
  );
  return undefined;
}

function wordOf<T extends string>(
  map: MapNode,
  key: string,
  allowed: readonly T[],
  source: Source,
): T | undefined {
  const entry = entryOf(map, key);
  if (entry === undefined) return undefined;
  const { value } = entry;
  const found = allowed.find((word) => value.kind === "scalar" && value.value === word);
  if (found === undefined)
    source.problem(
      "rule.header",
      value.offset,
      `${key} is ${nameOfKind(value)}; allowed are ${allowed.join(", ")}`,
    );
  return found;
}

/** A list of texts; one text alone is a list of one. */
export function textsOf(map: MapNode, key: string, source: Source): readonly string[] {
  const entry = entryOf(map, key);
  return entry === undefined ? [] : textsIn(entry.value, key, source);
}

export function textsIn(node: Node, key: string, source: Source): readonly string[] {
  const items = node.kind === "list" ? node.items : [node];
  return items.flatMap((item) => {
    if (item.kind === "scalar" && item.value !== null) return [item.source];
    source.problem(
      "rule.header",
      item.offset,
      `${key} holds ${nameOfKind(item)}; it must be a list of texts`,
    );
    return [];
  });
}

const SOURCE_KEYS = ["product", "category", "service"] as const;

/** Which events a rule looks at; a rule that names none looks at all. */
export function logSourceOf(map: MapNode, source: Source): LogSource | undefined {
  const entry = entryOf(map, "logsource");
  if (entry === undefined || entry.value.kind !== "map") {
    source.problem(
      "rule.logsource",
      entry?.value.offset ?? map.offset,
      "logsource must be a map of product, category and service",
    );
    return undefined;
  }
  const found: { product?: string; category?: string; service?: string } = {};
  let whole = true;
  for (const { key, keyOffset, value } of entry.value.entries) {
    if (key === "definition") continue;
    const known = SOURCE_KEYS.find((word) => word === key);
    if (known === undefined) {
      // Sigma allows keys of one's own beside its three; one that only looks mistyped would widen the rule unseen.
      const meant = nearest(key, SOURCE_KEYS);
      if (meant === undefined) continue;
      source.problem(
        "rule.logsource",
        keyOffset,
        `logsource has the key ${JSON.stringify(key)}; if ${meant} is meant, write it so: ` +
          `what selects events is ${SOURCE_KEYS.join(", ")}, and a key of your own must look like none of them`,
      );
      whole = false;
    } else if (value.kind !== "scalar" || value.value === null || value.source === "") {
      source.problem(
        "rule.logsource",
        value.offset,
        `${key} is ${nameOfKind(value)}; it must be text`,
      );
      whole = false;
    } else found[known] = value.source;
  }
  if (!whole) return undefined;
  // Written key by key, so that equal log sources are equal as text.
  return {
    ...(found.product === undefined ? {} : { product: found.product }),
    ...(found.category === undefined ? {} : { category: found.category }),
    ...(found.service === undefined ? {} : { service: found.service }),
  };
}

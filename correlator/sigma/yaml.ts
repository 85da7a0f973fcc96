// yaml.ts — reads a rule file into plain nodes that remember where they stood.
//
// In:    the text of a file, from anyone.
// Out:   one node a document with what is wrong in it, and the problems of what makes no document, at file:line:column.
// Holds: the work is bounded whatever the text holds: aliases that unfold beyond `nodesMax`, nesting beyond
//        `depthMax` and duplicate keys are problems. A key is only ever a string in a list, never a property.

import type { Alias, CST, Document, Node as YamlNode } from "yaml";
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser } from "yaml";
import type { Problem } from "./rule.ts";
import { blockDocuments } from "./yaml-block.ts";

const nodesMax = 100_000; // of one file, aliases unfolded
const depthMax = 40;
const stackMax = 2 * depthMax + 10; // of the parser, whose stack holds more than the collections that are open
const bytesMax = 4 * 1024 * 1024;

export type ScalarValue = string | number | boolean | null;
export type ScalarNode = {
  readonly kind: "scalar";
  readonly value: ScalarValue;
  readonly source: string; // as written, without quotes
  readonly offset: number;
};
export type ListNode = {
  readonly kind: "list";
  readonly items: readonly Node[];
  readonly offset: number;
};
export type Entry = { readonly key: string; readonly keyOffset: number; readonly value: Node };
export type MapNode = {
  readonly kind: "map";
  readonly entries: readonly Entry[];
  readonly offset: number;
};
export type Node = ScalarNode | ListNode | MapNode;
/** What a problem stands in is missing from the node: one with problems is not what was written. */
export type YamlDocument = { readonly node: Node; readonly problems: readonly Problem[] };

/** One file while it is read: turns offsets into places and collects what is wrong. */
export type Source = {
  readonly path: string;
  readonly problems: Problem[];
  readonly at: (offset: number) => string;
  /** Where a word of a scalar stands: quotes, margins and line breaks may have pushed it on. */
  readonly find: (word: string, from: number) => number;
  readonly problem: (code: string, offset: number, message: string) => void;
};

export function sourceOf(
  path: string,
  text: string,
): { readonly source: Source; readonly documents: readonly YamlDocument[] } {
  const problems: Problem[] = [];
  const at = (offset: number): string => {
    const before = text.slice(0, offset);
    const lineStart = before.lastIndexOf("\n") + 1;
    let line = 1;
    for (let i = before.indexOf("\n"); i >= 0; i = before.indexOf("\n", i + 1)) line += 1;
    return `${path}:${line}:${before.length - lineStart + 1}`;
  };
  const problem = (code: string, offset: number, message: string) => {
    problems.push({ code, at: at(offset), message });
  };
  const find = (word: string, from: number): number => {
    const found = text.indexOf(word, from);
    return found < 0 ? Math.min(from, text.length) : found;
  };
  const source: Source = { path, problems, at, find, problem };
  if (text.length <= bytesMax) {
    const simple = blockDocuments(text)?.map((node) => ({ node, problems: [] }));
    return { source, documents: simple ?? libraryDocuments(text, source) };
  }
  const message = `the file has ${text.length} characters; the most is ${bytesMax}; split it`;
  problem("rule.file-too-big", 0, message);
  return { source, documents: [] };
}

/** For the slips that people make most, what to do. */
const WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "a tab indents; use spaces",
  BLOCK_AS_IMPLICIT_KEY: "a text that holds a colon and a blank stands in quotes",
};

/** What the YAML library makes of a text: all of YAML, and words for its faults. */
export function libraryDocuments(text: string, source: Source): readonly YamlDocument[] {
  const out: YamlDocument[] = [];
  const budget = { nodes: 0 };
  for (const document of composed(text, source)) {
    const error = document.errors[0];
    if (error !== undefined) {
      const words = WORDS[error.code] ?? error.message;
      source.problem("rule.yaml", error.pos[0], `not valid YAML: ${words}`);
      continue;
    }
    if (document.contents === null) continue;
    const before = source.problems.length;
    const node = convert(document.contents, { document, source, budget, open: [] });
    if (budget.nodes > nodesMax) break; // what the rest of it would lack is no fault of its own
    if (node === undefined || (node.kind === "scalar" && node.value === null)) continue;
    out.push({ node, problems: source.problems.splice(before) });
  }
  return out;
}

/** Composing recurses: what nests too deep is refused while it is still a list of tokens. */
function composed(text: string, source: Source): readonly Document.Parsed[] {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > stackMax) {
      source.problem("rule.too-deep", offset, `nested deeper than ${depthMax} levels; flatten it`);
      return [];
    }
    offset = parser.offset;
  }
  tokens.push(...parser.end());
  // Keys are compared below, in linear time.
  return [...new Composer({ uniqueKeys: false, logLevel: "silent" }).compose(tokens)] as never;
}

type Walk = {
  readonly document: Document.Parsed;
  readonly source: Source;
  readonly budget: { nodes: number };
  readonly open: YamlNode[]; // from the root to here
};

function convert(node: YamlNode, walk: Walk): Node | undefined {
  const { source, budget, open } = walk;
  const offset = node.range?.[0] ?? 0;
  budget.nodes += 1;
  if (budget.nodes > nodesMax) {
    if (budget.nodes === nodesMax + 1)
      source.problem(
        "rule.too-many-nodes",
        offset,
        `the file unfolds to more than ${nodesMax} values; write fewer aliases or split it`,
      );
    return undefined;
  }
  if (open.length > depthMax) {
    source.problem("rule.too-deep", offset, `nested deeper than ${depthMax} levels; flatten it`);
    return undefined;
  }
  if (isAlias(node)) return convertAlias(node, walk);
  if (isScalar(node)) return scalarOf(node.value, node.source, offset);
  open.push(node);
  const result = isSeq<YamlNode>(node)
    ? convertList(node.items, offset, walk)
    : isMap<YamlNode, YamlNode | null>(node)
      ? convertMap(node.items, offset, walk)
      : undefined;
  open.pop();
  return result;
}

function convertAlias(node: Alias, walk: Walk): Node | undefined {
  const target = node.resolve(walk.document);
  const offset = node.range?.[0] ?? 0;
  if (target === undefined || walk.open.includes(target)) {
    walk.source.problem(
      "rule.yaml-alias",
      offset,
      `the alias *${node.source} ${target === undefined ? "names no anchor; a text that begins with * stands in quotes" : "contains itself"}`,
    );
    return undefined;
  }
  return convert(target, walk);
}

function scalarOf(value: unknown, written: string | undefined, offset: number): ScalarNode {
  const source = written ?? (value === null || value === undefined ? "" : String(value));
  if (value === null || typeof value === "string" || typeof value === "boolean")
    return { kind: "scalar", value, source, offset };
  // An integer beyond 2^53 would lose digits as a number: it stays the text that was written, as do .inf and .nan.
  if (typeof value === "number")
    return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))
      ? { kind: "scalar", value, source, offset }
      : { kind: "scalar", value: source, source, offset };
  return { kind: "scalar", value: source, source, offset };
}

/** An integer from 2^53 on, which has stayed text. */
export const isBeyondNumbers = (node: Node): boolean =>
  node.kind === "scalar" &&
  typeof node.value === "string" &&
  /^[+-]?\d+$/.test(node.value) &&
  !Number.isSafeInteger(Number(node.value));

function convertList(items: readonly YamlNode[], offset: number, walk: Walk): Node {
  const out: Node[] = [];
  for (const item of items) {
    const node = convert(item, walk);
    if (node !== undefined) out.push(node);
  }
  return { kind: "list", items: out, offset };
}

function convertMap(
  pairs: readonly { readonly key: YamlNode; readonly value: YamlNode | null }[],
  offset: number,
  walk: Walk,
): Node {
  const entries: Entry[] = [];
  const merged: Entry[] = [];
  const seen = new Set<string>();
  for (const pair of pairs) {
    const keyOffset = pair.key?.range?.[0] ?? offset;
    const target = isAlias(pair.key) ? pair.key.resolve(walk.document) : pair.key;
    if (!isScalar(target)) {
      walk.source.problem("rule.yaml-key", keyOffset, "a key is a list or a map; it must be text");
      continue;
    }
    const key = scalarOf(target.value, target.source, keyOffset).source;
    if (seen.has(key)) {
      walk.source.problem(
        "rule.duplicate-key",
        keyOffset,
        `the key ${JSON.stringify(key)} stands twice in one map; keys must differ`,
      );
      continue;
    }
    seen.add(key);
    const value =
      pair.value === null ? scalarOf(null, "", keyOffset + key.length) : convert(pair.value, walk);
    if (value === undefined) continue;
    if (key === "<<" && target.type === "PLAIN") merged.push(...mergedEntries(value));
    else entries.push({ key, keyOffset, value });
  }
  for (const entry of merged) {
    if (seen.has(entry.key)) continue;
    seen.add(entry.key);
    entries.push(entry);
  }
  return { kind: "map", entries, offset };
}

const mergedEntries = (value: Node): readonly Entry[] => {
  if (value.kind === "map") return value.entries;
  return value.kind === "list" ? value.items.flatMap(mergedEntries) : [];
};

export const entryOf = (map: MapNode, key: string): Entry | undefined =>
  map.entries.find((entry) => entry.key === key);

/** The text of a scalar, as written; of no use beyond what a name may have. */
export function textAt(map: MapNode, key: string): string | undefined {
  const value = entryOf(map, key)?.value;
  return value?.kind === "scalar" && value.source !== "" ? value.source.slice(0, 256) : undefined;
}

/** What a person calls a node: for messages. */
export function nameOfKind(node: Node): string {
  if (node.kind !== "scalar") return node.kind === "map" ? "a map" : "a list";
  if (node.value === null) return "null";
  const text = JSON.stringify(node.value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

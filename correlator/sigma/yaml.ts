// yaml.ts — reads a rule file into plain nodes that remember where they stood.
//
// In:    the text of a file, from anyone.
// Out:   one node a document, or problems with file:line:column.
// Holds: the work is bounded whatever the text holds: aliases that unfold beyond `nodesMax`, nesting beyond
//        `depthMax` and duplicate keys are problems. A key is only ever a string in a list, never a property.

import type { Document, Node as YamlNode } from "yaml";
import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import type { Problem } from "./rule.ts";

const nodesMax = 100_000; // of one file, aliases unfolded
const depthMax = 40;
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

/** One file while it is read: turns offsets into places and collects what is wrong. */
export type Source = {
  readonly path: string;
  readonly problems: Problem[];
  readonly at: (offset: number) => string;
  readonly problem: (code: string, offset: number, message: string) => void;
};

export function sourceOf(path: string, text: string): { source: Source; documents: Node[] } {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const problem = (code: string, offset: number, message: string) => {
    problems.push({ code, at: at(offset), message });
  };
  const source: Source = { path, problems, at, problem };
  return { source, documents: documentsOf(text, lines, source) };
}

function documentsOf(text: string, lines: LineCounter, source: Source): Node[] {
  if (text.length > bytesMax) {
    source.problem(
      "rule.file-too-big",
      0,
      `the file has ${text.length} characters; the most is ${bytesMax}; split it`,
    );
    return [];
  }
  if (nestsTooDeep(text)) {
    source.problem("rule.too-deep", 0, `nested deeper than ${depthMax} levels; flatten it`);
    return [];
  }
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false, // checked below, in linear time
    logLevel: "silent",
    keepSourceTokens: false,
  });
  if (!Array.isArray(parsed)) return [];
  const out: Node[] = [];
  const budget = { nodes: 0 };
  for (const document of parsed) {
    const error = document.errors[0];
    if (error !== undefined) {
      const words = error.code === "TAB_AS_INDENT" ? "a tab indents; use spaces" : error.message;
      source.problem("rule.yaml", error.pos[0], `not valid YAML: ${words}`);
      continue;
    }
    if (document.contents === null) continue;
    const node = convert(document.contents, { document, source, budget, open: [] });
    if (node !== undefined && !(node.kind === "scalar" && node.value === null)) out.push(node);
  }
  return out;
}

/** The parser recurses; brackets or indents that would exhaust the stack are refused before it sees them. */
function nestsTooDeep(text: string): boolean {
  let depth = 0;
  let most = 0;
  let indents = 0;
  let last = -1;
  const stack: number[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const dashes = /^(?:\s*[-?:]\s)*/.exec(line.slice(0, 4096))?.[0] ?? "";
    const indent = line.length - line.trimStart().length;
    while (last >= indent && stack.length > 0) {
      stack.pop();
      last = stack.at(-1) ?? -1;
    }
    stack.push(indent);
    last = indent;
    indents = Math.max(indents, stack.length + dashes.replaceAll(/\s/g, "").length);
  }
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c === 0x5b || c === 0x7b) {
      depth += 1;
      most = Math.max(most, depth);
    } else if ((c === 0x5d || c === 0x7d) && depth > 0) depth -= 1;
  }
  return indents > 4 * depthMax || most > 2000;
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
      `the alias *${node.source} ${target === undefined ? "names no anchor" : "contains itself"}`,
    );
    return undefined;
  }
  return convert(target, walk);
}

function scalarOf(value: unknown, written: string | undefined, offset: number): ScalarNode {
  const source = written ?? (value === null || value === undefined ? "" : String(value));
  if (value === null || typeof value === "string" || typeof value === "boolean")
    return { kind: "scalar", value, source, offset };
  // An integer beyond 2^53 would lose digits as a number: it stays the text that was written.
  if (typeof value === "number")
    return Number.isInteger(value) && !Number.isSafeInteger(value)
      ? { kind: "scalar", value: source, source, offset }
      : { kind: "scalar", value, source, offset };
  return { kind: "scalar", value: source, source, offset };
}

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

/** What a person calls a node: for messages. */
export function nameOfKind(node: Node): string {
  if (node.kind !== "scalar") return node.kind === "map" ? "a map" : "a list";
  if (node.value === null) return "null";
  const text = JSON.stringify(node.value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

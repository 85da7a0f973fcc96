// condition.ts — reads a condition: `selection and not 1 of filter_*`, with its names bound to the selections.
//
// Holds: every selection is used, but for those whose name begins with an underscore; every name and pattern names one; nesting is bounded.
import type { Expression } from "./rule.ts";
import { type Node, nameOfKind, type Source } from "./yaml.ts";

const charsMax = 65_536;
const depthMax = 64;

export type Selection = {
  readonly offset: number;
  readonly expression: Extract<Expression, { readonly kind: "selection" }>;
};

type WordToken = { readonly text: string; readonly from: number };
type Reader = {
  readonly words: readonly WordToken[];
  readonly selections: readonly Selection[];
  readonly byName: ReadonlyMap<string, Selection>;
  readonly used: Set<Selection>;
  readonly length: number;
  position: number;
  depth: number;
};

/** Thrown inside the reader only: where in the condition, and what. */
class Refusal extends Error {
  readonly code: string;
  readonly from: number;
  constructor(code: string, from: number, message: string) {
    super(message);
    this.code = code;
    this.from = from;
  }
}

/** A condition, or a list of them that are linked by `or`. */
export function conditionOf(
  node: Node,
  selections: readonly Selection[],
  source: Source,
): Expression | undefined {
  const nodes = node.kind === "list" ? node.items : [node];
  const used = new Set<Selection>();
  const of: Expression[] = [];
  if (nodes.length === 0)
    source.problem("rule.condition", node.offset, "the condition is an empty list; write one");
  for (const item of nodes) {
    if (item.kind !== "scalar" || typeof item.value !== "string") {
      source.problem(
        "rule.condition",
        item.offset,
        `the condition is ${nameOfKind(item)}; it must be text, as in selection and not filter`,
      );
      return undefined;
    }
    const expression = parse(item.value, item.offset, { selections, used, source });
    if (expression === undefined) return undefined;
    of.push(expression);
  }
  const unused = selections.filter(
    (selection) => !used.has(selection) && !selection.expression.name.startsWith("_"),
  );
  for (const selection of unused)
    source.problem(
      "rule.selection-unused",
      selection.offset,
      `the selection ${selection.expression.name} is used by no condition; use it or remove it`,
    );
  const [only] = of;
  if (only === undefined || unused.length > 0) return undefined;
  return of.length === 1 ? only : { kind: "or", of };
}

function parse(
  text: string,
  offset: number,
  known: {
    readonly selections: readonly Selection[];
    readonly used: Set<Selection>;
    readonly source: Source;
  },
): Expression | undefined {
  try {
    if (text.length > charsMax)
      throw new Refusal("rule.condition", 0, `the condition has more than ${charsMax} characters`);
    const reader: Reader = {
      words: wordsOf(text),
      selections: known.selections,
      byName: new Map(known.selections.map((one) => [one.expression.name, one])),
      used: known.used,
      length: text.length,
      position: 0,
      depth: 0,
    };
    const expression = readOr(reader);
    const rest = reader.words[reader.position];
    if (rest !== undefined) throw unexpected(rest, "and, or, or the end");
    return expression;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const word = /^[^\s()]+|^[()]/.exec(text.slice(error.from))?.[0] ?? "";
    known.source.problem(error.code, known.source.find(word, offset + error.from), error.message);
    return undefined;
  }
}

function wordsOf(text: string): WordToken[] {
  const out: WordToken[] = [];
  for (const match of text.matchAll(/[()|]|[^\s()|]+/g)) {
    if (match[0] === "|" && text[match.index + 1] === "|") throw signRefusal("||", match.index);
    if (match[0] === "|")
      throw new Refusal(
        "rule.condition-aggregation",
        match.index,
        "aggregations after a pipe are no longer part of Sigma; write a correlation (event_count, value_count, temporal)",
      );
    out.push({ text: match[0], from: match.index });
  }
  return out;
}

/** What other languages write for Sigma's words. */
export const SIGNS: ReadonlyMap<string, string> = new Map([
  ["||", "or"],
  ["&&", "and"],
  ["!", "not"],
]);

const signRefusal = (sign: string, from: number): Refusal =>
  new Refusal("rule.condition", from, `the condition has "${sign}"; write ${SIGNS.get(sign)}`);

/** For a word that is none of Sigma's, and no selection. */
function signIn({ text, from }: WordToken): Refusal | undefined {
  const found = /&&|^!/.exec(text);
  return found === null ? undefined : signRefusal(found[0], from + found.index);
}

const isWord = (token: WordToken | undefined, word: string): boolean =>
  token !== undefined && token.text.toLowerCase() === word;

const unexpected = (token: WordToken | undefined, expected: string, end = 0): Refusal =>
  (token && signIn(token)) ??
  new Refusal(
    "rule.condition",
    token?.from ?? end,
    `the condition has ${token === undefined ? "its end" : JSON.stringify(token.text.slice(0, 60))} where ${expected} must stand`,
  );

const peek = (reader: Reader): WordToken | undefined => reader.words[reader.position];

function readOr(reader: Reader): Expression {
  const of = [readAnd(reader)];
  while (isWord(peek(reader), "or")) {
    reader.position += 1;
    of.push(readAnd(reader));
  }
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : { kind: "or", of };
}

function readAnd(reader: Reader): Expression {
  const of = [readNot(reader)];
  while (isWord(peek(reader), "and")) {
    reader.position += 1;
    of.push(readNot(reader));
  }
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : { kind: "and", of };
}

function readNot(reader: Reader): Expression {
  const token = peek(reader);
  if (!isWord(token, "not")) return readTerm(reader);
  enter(reader, token);
  reader.position += 1;
  const of = readNot(reader);
  reader.depth -= 1;
  return { kind: "not", of };
}

function enter(reader: Reader, token: WordToken | undefined): void {
  reader.depth += 1;
  if (reader.depth > depthMax)
    throw new Refusal(
      "rule.too-deep",
      token?.from ?? 0,
      `the condition is nested deeper than ${depthMax} levels; flatten it`,
    );
}

function readTerm(reader: Reader): Expression {
  const token = peek(reader);
  if (token === undefined || token.text === ")" || isWord(token, "and") || isWord(token, "or"))
    throw unexpected(token, "a selection, not, 1 of, all of or a bracket", reader.length);
  reader.position += 1;
  if (token.text === "(") {
    enter(reader, token);
    const inner = readOr(reader);
    const close = peek(reader);
    if (close?.text !== ")") throw unexpected(close, "a closing bracket", reader.length);
    reader.position += 1;
    reader.depth -= 1;
    return inner;
  }
  if (isWord(peek(reader), "of")) return readQuantified(reader, token);
  const selection = reader.byName.get(token.text);
  if (selection === undefined) throw unknownSelection(reader, token);
  reader.used.add(selection);
  return selection.expression;
}

function readQuantified(reader: Reader, quantity: WordToken): Expression {
  const all = isWord(quantity, "all");
  if (!all && quantity.text !== "1" && !isWord(quantity, "any"))
    throw unexpected(quantity, "1 or all before of");
  reader.position += 1;
  const pattern = peek(reader);
  if (pattern === undefined || pattern.text === "(" || pattern.text === ")")
    throw unexpected(pattern, "them or a pattern such as selection_*", reader.length);
  reader.position += 1;
  const wanted = isWord(pattern, "them") ? "*" : pattern.text;
  const chosen = reader.selections.filter(
    ({ expression: { name } }) =>
      (wanted.startsWith("_") || !name.startsWith("_")) && matches(wanted, name),
  );
  if (chosen.length === 0) throw unknownSelection(reader, pattern);
  for (const selection of chosen) reader.used.add(selection);
  const of = chosen.map((selection) => selection.expression);
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : { kind: all ? "and" : "or", of };
}

const unknownSelection = (reader: Reader, token: WordToken): Refusal => {
  const sign = signIn(token);
  if (sign !== undefined) return sign;
  const names = [...reader.byName.keys()].slice(0, 20);
  return new Refusal(
    "rule.selection-unknown",
    token.from,
    `the condition names ${JSON.stringify(token.text.slice(0, 60))}, which is no selection; ` +
      `there ${names.length === 1 ? "is" : "are"} ${names.join(", ") || "none"}`,
  );
};

/** `*` stands for any run of characters, at any place of the pattern. */
function matches(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return name === pattern;
  if (!name.startsWith(first)) return false;
  const last = rest.pop() ?? "";
  let from = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return name.length - from >= last.length && name.endsWith(last);
}

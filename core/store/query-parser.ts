// query-parser.ts — the analysts' query language: words, "phrases", field:value, wildcards, ranges, networks, AND OR NOT.
//
// In:    what a person typed.
// Out:   the query's tree, or an error that names the column and what is allowed there.
// Holds: length, depth and clauses are bounded; no text throws.
import { UserError } from "../errors.ts";
import { lowered } from "../letter-case.ts";
import { networkOf } from "./leaves.ts";
import {
  ALL,
  type Bound,
  literalOf,
  MESSAGE,
  type Pattern,
  type PatternPart,
  type Query,
} from "./query.ts";
import { type Lexeme, lexemesOf, queryError } from "./query-lexer.ts";
import { isWordText, tokensOf } from "./tokens.ts";

export type ParsedQuery =
  | { readonly ok: true; readonly query: Query }
  | { readonly ok: false; readonly error: UserError };

export const QUERY_DEPTH_MAX = 32;
export const QUERY_CLAUSES_MAX = 256;

/** An empty text asks for everything. */
export function parseQuery(text: string): ParsedQuery {
  try {
    const reader: Reader = { lexemes: lexemesOf(text), at: 0, clauses: 0 };
    if (peek(reader).kind === "end") return { ok: true, query: ALL };
    const query = readOr(reader, undefined, 0);
    const left = peek(reader);
    if (left.kind === "close")
      throw queryError("parenthesis", left.column, "a ) without its (; remove it or add the (");
    return { ok: true, query };
  } catch (error) {
    if (error instanceof UserError) return { ok: false, error };
    throw error;
  }
}

type Reader = { readonly lexemes: readonly Lexeme[]; at: number; clauses: number };

const END: Lexeme = { kind: "end", column: 1 };
const peek = (reader: Reader): Lexeme => reader.lexemes[reader.at] ?? END;

function readOr(reader: Reader, field: string | undefined, depth: number): Query {
  const parts = [readAnd(reader, field, depth)];
  while (peek(reader).kind === "or") {
    reader.at++;
    parts.push(readAnd(reader, field, depth));
  }
  return joined("or", parts);
}

function readAnd(reader: Reader, field: string | undefined, depth: number): Query {
  const parts = [readNot(reader, field, depth)];
  for (;;) {
    const next = peek(reader).kind;
    if (next === "or" || next === "close" || next === "end") return joined("and", parts);
    if (next === "and") reader.at++;
    parts.push(readNot(reader, field, depth));
  }
}

function joined(kind: "and" | "or", parts: readonly Query[]): Query {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind, parts };
}

function readNot(reader: Reader, field: string | undefined, depth: number): Query {
  let negated = false;
  while (peek(reader).kind === "not") {
    reader.at++;
    negated = !negated;
  }
  const query = readClause(reader, field, depth);
  return negated ? { kind: "not", part: query } : query;
}

function readClause(reader: Reader, field: string | undefined, depth: number): Query {
  const lexeme = peek(reader);
  if (++reader.clauses > QUERY_CLAUSES_MAX)
    throw queryError(
      "clauses",
      lexeme.column,
      `more than ${QUERY_CLAUSES_MAX} clauses; ask in parts`,
    );
  reader.at++;
  switch (lexeme.kind) {
    case "open":
      return readGroup(reader, { field, column: lexeme.column, depth: depth + 1 });
    case "field": {
      if (field !== undefined)
        throw queryError(
          "field-twice",
          lexeme.column,
          `${lexeme.name}: stands inside the parentheses of ${field}:; name one field for a value`,
        );
      return readValue(reader, lexeme, depth);
    }
    case "quoted":
      return quotedQuery(field, lexeme.text, lexeme.column);
    case "word":
      return wordQuery(field, lexeme.parts, lexeme.column);
    case "end":
      throw queryError("unfinished", lexeme.column, "a word, a phrase or field:value must follow");
    default:
      throw queryError(
        "unexpected",
        lexeme.column,
        `a word, a phrase, field:value or ( must stand here; quote what is meant as text`,
      );
  }
}

function readGroup(
  reader: Reader,
  args: { readonly field: string | undefined; readonly column: number; readonly depth: number },
): Query {
  if (args.depth > QUERY_DEPTH_MAX)
    throw queryError(
      "depth",
      args.column,
      `more than ${QUERY_DEPTH_MAX} parentheses in one another`,
    );
  const query = readOr(reader, args.field, args.depth);
  if (peek(reader).kind !== "close")
    throw queryError("parenthesis", args.column, "this ( is never closed; add the )");
  reader.at++;
  return query;
}

function readValue(
  reader: Reader,
  field: { readonly name: string; readonly column: number },
  depth: number,
): Query {
  const lexeme = peek(reader);
  const { name } = field;
  reader.at++;
  switch (lexeme.kind) {
    case "open":
      return readGroup(reader, { field: name, column: lexeme.column, depth: depth + 1 });
    case "quoted":
      return quotedQuery(name, lexeme.text, lexeme.column);
    case "word":
      return wordQuery(name, lexeme.parts, lexeme.column);
    case "range": {
      const from = boundOf(lexeme.from, lexeme.fromInclusive);
      const to = boundOf(lexeme.to, lexeme.toInclusive);
      return rangeQuery(name, from, to);
    }
    case "compare": {
      const text = boundText(reader);
      const bound: Bound = { text, inclusive: lexeme.operator.endsWith("=") };
      return lexeme.operator.startsWith(">")
        ? rangeQuery(name, bound, undefined)
        : rangeQuery(name, undefined, bound);
    }
    default:
      throw queryError(
        "value-missing",
        lexeme.column,
        `a value must follow ${name}: — text, "text", *, [a TO b], >=a, a network or (…)`,
      );
  }
}

function boundText(reader: Reader): string {
  const lexeme = peek(reader);
  reader.at++;
  if (lexeme.kind === "quoted") return lexeme.text;
  const text = lexeme.kind === "word" ? literalOf(lexeme.parts) : undefined;
  if (text === undefined)
    throw queryError("range", lexeme.column, "a number, time, address or text must follow");
  return text;
}

const boundOf = (text: string | undefined, inclusive: boolean): Bound | undefined =>
  text === undefined ? undefined : { text, inclusive };

function rangeQuery(field: string, from: Bound | undefined, to: Bound | undefined): Query {
  if (from === undefined && to === undefined) return { kind: "exists", field };
  return {
    kind: "range",
    field,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

function quotedQuery(field: string | undefined, text: string, column: number): Query {
  if (field !== undefined && field !== MESSAGE) return { kind: "value", field, text };
  const tokens = tokensOf(text).map((token): Pattern => [{ kind: "literal", text: token }]);
  return wordsQuery(field, tokens, column);
}

function wordQuery(field: string | undefined, parts: Pattern, column: number): Query {
  const [first] = parts;
  if (parts.length === 1 && first?.kind === "any")
    return field === undefined ? ALL : { kind: "exists", field };
  if (field === undefined || field === MESSAGE)
    return wordsQuery(field, tokenPatterns(parts), column);
  const text = literalOf(parts);
  if (text === undefined) return { kind: "pattern", field, pattern: parts };
  if (/^[0-9a-f:.]+\/\d+$/i.test(text) && /[.:]/.test(text.split("/")[0] ?? "")) {
    if (networkOf(text) === undefined)
      throw queryError(
        "network",
        column,
        `${text} is no network: write an address and its bits, as 10.0.0.0/8 or 2001:db8::/32, or quote it`,
      );
    return { kind: "network", field, cidr: text };
  }
  return { kind: "value", field, text };
}

function wordsQuery(field: string | undefined, tokens: readonly Pattern[], column: number): Query {
  if (tokens.length === 0)
    throw queryError("no-words", column, "there is no letter or digit to search for; name a field");
  return { kind: "words", tokens, in: field === undefined ? "any" : "message" };
}

/** A word's tokens; a wildcard counts as a part of the token that it touches. */
function tokenPatterns(parts: Pattern): readonly Pattern[] {
  const tokens: PatternPart[][] = [];
  let open: PatternPart[] | undefined;
  for (const part of parts) {
    if (part.kind !== "literal") {
      if (open === undefined) {
        open = [];
        tokens.push(open);
      }
      open.push(part);
      continue;
    }
    const lower = lowered(part.text);
    const runs = lower.split(/([^\p{L}\p{M}\p{N}]+)/u);
    for (const run of runs) {
      if (run === "") continue;
      if (!isWordText(run)) {
        open = undefined;
        continue;
      }
      if (open === undefined) {
        open = [];
        tokens.push(open);
      }
      open.push({ kind: "literal", text: run });
    }
  }
  return tokens.flatMap((token) => {
    const text = literalOf(token);
    if (text === undefined) return [token];
    return tokensOf(text).map((piece): Pattern => [{ kind: "literal", text: piece }]);
  });
}

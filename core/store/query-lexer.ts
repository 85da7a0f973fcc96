// query-lexer.ts — cuts an analyst's query into its pieces, each with the column where it begins.
import { UserError } from "../errors.ts";
import type { PatternPart } from "./query.ts";

export type Lexeme = { readonly column: number } & (
  | { readonly kind: "open" | "close" | "and" | "or" | "not" | "end" }
  | { readonly kind: "quoted"; readonly text: string }
  | { readonly kind: "word"; readonly parts: readonly PatternPart[] }
  | { readonly kind: "field"; readonly name: string } // and its colon
  | { readonly kind: "compare"; readonly operator: ">" | ">=" | "<" | "<=" }
  | {
      readonly kind: "range";
      readonly from: string | undefined;
      readonly to: string | undefined;
      readonly fromInclusive: boolean;
      readonly toInclusive: boolean;
    }
);

export const QUERY_CHARS_MAX = 8_192;
const SPACE = /\s/;
const KEYWORDS: ReadonlyMap<string, "and" | "or" | "not"> = new Map([
  ["AND", "and"],
  ["&&", "and"],
  ["OR", "or"],
  ["||", "or"],
  ["NOT", "not"],
  ["!", "not"],
]);

export const queryError = (code: string, column: number, message: string): UserError =>
  new UserError(`query.${code}`, `query, column ${column}: ${message}`);

/** Throws a UserError with the column. */
export function lexemesOf(text: string): Lexeme[] {
  if (text.length > QUERY_CHARS_MAX)
    throw queryError(
      "too-long",
      QUERY_CHARS_MAX + 1,
      `it has ${text.length} characters, the most is ${QUERY_CHARS_MAX}; ask in parts`,
    );
  const lexemes: Lexeme[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    const afterField = lexemes.at(-1)?.kind === "field";
    if (SPACE.test(char)) at++;
    else if (char === "(" || char === ")") {
      lexemes.push({ kind: char === "(" ? "open" : "close", column: ++at });
    } else if (char === '"') {
      const quoted = readQuoted(text, at);
      lexemes.push({ kind: "quoted", text: quoted.text, column: at + 1 });
      at = quoted.next;
    } else if (afterField && (char === "[" || char === "{")) {
      at = readRange(text, at, lexemes);
    } else if (afterField && (char === ">" || char === "<")) {
      const operator = text.charAt(at + 1) === "=" ? (`${char}=` as const) : char;
      lexemes.push({ kind: "compare", operator, column: at + 1 });
      at += operator.length;
    } else at = readWord(text, at, lexemes);
  }
  lexemes.push({ kind: "end", column: text.length + 1 });
  return lexemes;
}

function readWord(text: string, start: number, lexemes: Lexeme[]): number {
  const column = start + 1;
  const before = lexemes.at(-1)?.kind;
  const isValue = before === "field" || before === "compare";
  const char = text.charAt(start);
  const next = text.charAt(start + 1);
  if (!isValue && (char === "-" || char === "!" || char === "+") && /[^\s)]/.test(next)) {
    if (char !== "+") lexemes.push({ kind: "not", column });
    return start + 1;
  }
  const parts: PatternPart[] = [];
  let literal = "";
  const flush = (): void => {
    if (literal !== "") parts.push({ kind: "literal", text: literal });
    literal = "";
  };
  let at = start;
  for (; at < text.length; at++) {
    const here = text.charAt(at);
    if (SPACE.test(here) || here === "(" || here === ")" || here === '"') break;
    if (here === "\\") {
      if (at + 1 >= text.length)
        throw queryError("escape", at + 1, "a backslash at the end; write \\\\ for a backslash");
      literal += text.charAt(++at);
    } else if (here === ":" && !isValue) {
      if (parts.length > 0)
        throw queryError(
          "field-wildcard",
          column,
          "a field's name takes no * or ?; escape it by \\",
        );
      if (literal === "")
        throw queryError("field-missing", column, "a field's name must stand before the colon");
      lexemes.push({ kind: "field", name: literal, column });
      return at + 1;
    } else if (here === "*" || here === "?") {
      flush();
      parts.push({ kind: here === "*" ? "any" : "one" });
    } else literal += here;
  }
  flush();
  const keyword = isValue ? undefined : KEYWORDS.get(text.slice(start, at));
  lexemes.push(keyword === undefined ? { kind: "word", parts, column } : { kind: keyword, column });
  return at;
}

function readQuoted(text: string, start: number): { readonly text: string; readonly next: number } {
  let quoted = "";
  for (let at = start + 1; at < text.length; at++) {
    const here = text.charAt(at);
    if (here === '"') return { text: quoted, next: at + 1 };
    if (here === "\\" && at + 1 < text.length) quoted += text.charAt(++at);
    else quoted += here;
  }
  throw queryError(
    "quote",
    start + 1,
    'the quote is never closed; end it by ", or write \\" for one',
  );
}

function readRange(text: string, start: number, lexemes: Lexeme[]): number {
  const column = start + 1;
  let at = start + 1;
  const found: (string | undefined)[] = [];
  while (at < text.length && text.charAt(at) !== "]" && text.charAt(at) !== "}") {
    if (SPACE.test(text.charAt(at))) {
      at++;
      continue;
    }
    if (text.charAt(at) === '"') {
      const quoted = readQuoted(text, at);
      found.push(quoted.text);
      at = quoted.next;
      continue;
    }
    const from = at;
    while (at < text.length && !/[\s\]}]/.test(text.charAt(at))) at++;
    const word = text.slice(from, at);
    found.push(word === "*" ? undefined : word);
  }
  const [from, to, more, ...rest] = found;
  if (at >= text.length || found.length !== 3 || to !== "TO" || rest.length > 0)
    throw queryError(
      "range",
      column,
      "a range is written [a TO b], or {a TO b} without its ends; * leaves an end open",
    );
  lexemes.push({
    kind: "range",
    from,
    to: more,
    fromInclusive: text.charAt(start) === "[",
    toInclusive: text.charAt(at) === "]",
    column,
  });
  return at + 1;
}

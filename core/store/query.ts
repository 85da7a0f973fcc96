// query.ts — the tree that a search means, whoever wrote it: the parser from an analyst's text, or a route by hand.
//
// Holds: the same tree gives the same documents on every store; `query-match.ts` says plainly which ones those are.

/** A piece of a pattern: plain text, `*` (any run, also none) or `?` (one character). */
export type PatternPart =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "any" }
  | { readonly kind: "one" };
export type Pattern = readonly PatternPart[];

export type Bound = { readonly text: string; readonly inclusive: boolean };

export type Query =
  | { readonly kind: "all" }
  | { readonly kind: "and" | "or"; readonly parts: readonly Query[] } // never empty
  | { readonly kind: "not"; readonly part: Query }
  /** Tokens next to one another in one value: of any field, or of `message` alone. */
  | { readonly kind: "words"; readonly tokens: readonly Pattern[]; readonly in: "any" | "message" }
  /** A value of the field is this text, whatever its case; or the same IP address. */
  | { readonly kind: "value"; readonly field: string; readonly text: string }
  | { readonly kind: "pattern"; readonly field: string; readonly pattern: Pattern }
  | { readonly kind: "exists"; readonly field: string }
  /** Numbers, times or addresses where both bounds are such; else text in code point order. */
  | {
      readonly kind: "range";
      readonly field: string;
      readonly from?: Bound;
      readonly to?: Bound;
    }
  | { readonly kind: "network"; readonly field: string; readonly cidr: string };

export const ALL: Query = { kind: "all" };
/** The field that is searched by tokens. */
export const MESSAGE = "message";

export const fieldIs = (field: string, text: string): Query => ({ kind: "value", field, text });

export function allOf(...queries: readonly Query[]): Query {
  const parts = queries.filter((query) => query.kind !== "all");
  return parts.length > 1 ? { kind: "and", parts } : (parts[0] ?? ALL);
}

export function anyOf(...queries: readonly [Query, ...Query[]]): Query {
  return queries.length > 1 ? { kind: "or", parts: queries } : queries[0];
}

/** The text of a pattern without wildcards, else undefined. */
export function literalOf(pattern: Pattern): string | undefined {
  let text = "";
  for (const part of pattern) {
    if (part.kind !== "literal") return undefined;
    text += part.text;
  }
  return text;
}

/** Whether the whole text fits the pattern; costs at most the product of both lengths. */
export function fitsPattern(pattern: Pattern, text: string): boolean {
  const units = [...text];
  const wanted: (string | "any" | "one")[] = [];
  for (const part of pattern) {
    if (part.kind === "literal") for (const unit of part.text) wanted.push(unit);
    else wanted.push(part.kind);
  }
  let at = 0;
  let want = 0;
  let star = -1;
  let mark = 0;
  while (at < units.length) {
    const next = wanted[want];
    if (next === "any") {
      star = want++;
      mark = at;
    } else if (next === "one" || (next !== undefined && next === units[at])) {
      want++;
      at++;
    } else if (star >= 0) {
      want = star + 1;
      at = ++mark;
    } else return false;
  }
  while (wanted[want] === "any") want++;
  return want === wanted.length;
}

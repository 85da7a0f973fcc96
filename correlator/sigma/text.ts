// text.ts — reads the strings of Sigma: wildcards, escapes, and the forms that a predicate takes.
import { lowered } from "../../core/letter-case.ts";
import type { Place, Token } from "./rule.ts";

const DOTTED_I = "\u0130"; // has no lower case that is one character

/** Case is folded the same way in rules and in events, each character by itself: where it stands does not matter. */
export const fold = (text: string): string =>
  text.includes(DOTTED_I) ? text.split(DOTTED_I).map(lowered).join(DOTTED_I) : lowered(text);

/**
 * `*` and `?` are wildcards, `\*`, `\?` and `\\` the plain characters; any other backslash stands for itself.
 */
export function tokensOf(text: string): Token[] {
  const out: Token[] = [];
  let plain = "";
  const flush = () => {
    if (plain !== "") out.push({ kind: "text", text: plain });
    plain = "";
  };
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    const next = text[i + 1];
    if (c === "\\" && (next === "*" || next === "?" || next === "\\")) {
      plain += next;
      i += 1;
    } else if (c === "*" || c === "?") {
      flush();
      out.push({ kind: c === "*" ? "any" : "one" });
    } else plain += c;
  }
  flush();
  return out;
}

export const textTokens = (text: string): Token[] => (text === "" ? [] : [{ kind: "text", text }]);

export const hasWildcard = (tokens: readonly Token[]): boolean =>
  tokens.some((token) => token.kind !== "text");

/** Tokens without wildcards, as the text that they stand for. */
export const plainText = (tokens: readonly Token[]): string =>
  tokens.map((token) => (token.kind === "text" ? token.text : "")).join("");

export function placed(tokens: readonly Token[], place: Place): readonly Token[] {
  const any: Token = { kind: "any" };
  if (place === "whole") return tokens;
  return [
    ...(place === "end" || place === "within" ? [any] : []),
    ...tokens,
    ...(place === "start" || place === "within" ? [any] : []),
  ];
}

/** Runs of `*` become one, neighbouring texts join. `*?` and `?*` mean the same; the `?` goes first. */
export function tidied(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  for (const token of tokens) {
    const last = out.at(-1);
    if (token.kind === "any" && last?.kind === "any") continue;
    if (token.kind === "text" && last?.kind === "text") {
      out[out.length - 1] = { kind: "text", text: last.text + token.text };
    } else if (token.kind === "one" && last?.kind === "any") {
      out[out.length - 1] = token;
      out.push(last);
    } else out.push(token);
  }
  return out;
}

export type Shape =
  | { readonly kind: "text"; readonly place: Place; readonly text: string }
  | { readonly kind: "pattern"; readonly tokens: readonly Token[] };

/** The simplest form of a pattern: plain text at one place where that says it all. */
export function shapeOf(given: readonly Token[], cased: boolean): Shape {
  const tokens = tidied(given).map(
    (token): Token =>
      token.kind === "text" && !cased ? { kind: "text", text: fold(token.text) } : token,
  );
  const [a, b, c] = tokens;
  if (a === undefined) return { kind: "text", place: "whole", text: "" };
  if (tokens.length === 1 && a.kind === "any") return { kind: "text", place: "within", text: "" };
  if (tokens.length === 1 && a.kind === "text")
    return { kind: "text", place: "whole", text: a.text };
  if (tokens.length === 2 && a.kind === "text" && b?.kind === "any")
    return { kind: "text", place: "start", text: a.text };
  if (tokens.length === 2 && a.kind === "any" && b?.kind === "text")
    return { kind: "text", place: "end", text: b.text };
  if (tokens.length === 3 && a.kind === "any" && b?.kind === "text" && c?.kind === "any")
    return { kind: "text", place: "within", text: b.text };
  return { kind: "pattern", tokens };
}

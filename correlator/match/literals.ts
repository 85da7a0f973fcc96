// literals.ts — the literal text that a value must hold if a predicate is to be true of it.
//
// Out:   folded text and where it stands; `exact` where holding it is all that the predicate asks.
// Holds: an unsure reading of a regular expression gives nothing, never too much.
import type { Place, Predicate, Token } from "../sigma/rule.ts";
import { fold } from "../sigma/text.ts";

export type Literal = { readonly text: string; readonly place: Place; readonly exact: boolean };

const REGEX_LITERAL_CHARS_MIN = 2;

export function literalOf(predicate: Predicate): Literal | undefined {
  switch (predicate.kind) {
    case "text":
      return { text: fold(predicate.text), place: predicate.place, exact: !predicate.cased };
    case "boolean":
      return { text: String(predicate.value), place: "whole", exact: true };
    case "pattern":
      return patternLiteral(predicate.tokens);
    case "regex": {
      const text = regexLiteral(predicate.source);
      return text === undefined ? undefined : { text: fold(text), place: "within", exact: false };
    }
    default:
      return undefined;
  }
}

function patternLiteral(tokens: readonly Token[]): Literal | undefined {
  let longest = "";
  for (const token of tokens)
    if (token.kind === "text" && token.text.length > longest.length) longest = token.text;
  return longest === "" ? undefined : { text: fold(longest), place: "within", exact: false };
}

/** The longest run of plain characters that stands in every match; only of expressions whose reading is sure. */
export function regexLiteral(source: string): string | undefined {
  let longest = "";
  let run = "";
  let depth = 0;
  const end = () => {
    if (run.length > longest.length) longest = run;
    run = "";
  };
  for (let at = 0; at < source.length; at++) {
    const c = source[at] ?? "";
    if (c === "|" && depth === 0) return undefined;
    if (c === "[") {
      end();
      at = classEnd(source, at);
      if (at < 0) return undefined;
      continue;
    }
    if (c === "(" || c === ")") {
      end();
      depth += c === "(" ? 1 : -1;
      if (c === "(" && source[at + 1] === "?" && /^\?[a-zA-Z-]+[:)]/.test(source.slice(at + 1)))
        return undefined; // flags that hold from here on
      continue;
    }
    if (c === "\\") {
      const next = source[at + 1];
      if (next === undefined || /[xpPQE0-9u]/.test(next)) return undefined;
      at += 1;
      if (depth > 0 || /[a-zA-Z]/.test(next)) {
        end();
        continue;
      }
      run += next;
      continue;
    }
    if (c === "*" || c === "?" || c === "{") {
      run = run.slice(0, -1); // what stands before may be absent
      end();
      if (c === "{") at = source.indexOf("}", at);
      if (at < 0) return undefined;
      continue;
    }
    if (depth > 0 || c === "." || c === "^" || c === "$" || c === "+") {
      end();
      continue;
    }
    run += c;
  }
  end();
  return longest.length >= REGEX_LITERAL_CHARS_MIN && isAscii(longest) ? longest : undefined;
}

/** Folding of other text may not agree with a regular expression's. */
const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** The place of the bracket that closes a class; negative where there is none. */
function classEnd(source: string, start: number): number {
  let at = start + 1;
  if (source[at] === "^") at += 1;
  if (source[at] === "]") at += 1;
  for (; at < source.length; at++) {
    if (source[at] === "\\") at += 1;
    else if (source[at] === "[" && source[at + 1] === ":") return -1;
    else if (source[at] === "]") return at;
  }
  return -1;
}

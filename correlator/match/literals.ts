// literals.ts — the literal text that a value must hold if a predicate is to be true of it.
//
// Out:   needles, of which one must stand there; `exact` where holding it is all that the predicate asks.
import type { Place, Predicate, Token } from "../sigma/rule.ts";
import { fold } from "../sigma/text.ts";
import { type Needle, needleOf } from "./haystack.ts";
import { regexLiterals } from "./regex-literals.ts";

export type Literal = {
  readonly needles: readonly Needle[];
  readonly place: Place;
  readonly exact: boolean;
};

export function literalOf(predicate: Predicate): Literal | undefined {
  switch (predicate.kind) {
    case "text":
      return {
        needles: [needleOf(fold(predicate.text))],
        place: predicate.place,
        exact: !predicate.cased,
      };
    case "boolean":
      return { needles: [needleOf(String(predicate.value))], place: "whole", exact: true };
    case "pattern":
      return patternLiteral(predicate.tokens);
    case "regex": {
      const texts = regexLiterals(predicate.source);
      return texts && { needles: texts.map(needleOf), place: "within", exact: false };
    }
    default:
      return undefined;
  }
}

function patternLiteral(tokens: readonly Token[]): Literal | undefined {
  let longest = "";
  for (const token of tokens)
    if (token.kind === "text" && token.text.length > longest.length) longest = token.text;
  if (longest === "") return undefined;
  return { needles: [needleOf(fold(longest))], place: "within", exact: false };
}

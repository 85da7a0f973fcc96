// predicate.ts — one predicate of a rule as a test on a field's value.
//
// Holds: a list satisfies a predicate when one of its elements does; a missing field satisfies none but `null`.
import { decimalOf } from "../decimal.ts";
import { compileRegex } from "../sigma/regex.ts";
import type { CompareOperator, Place, Predicate, TimePart, Token } from "../sigma/rule.ts";
import { fold } from "../sigma/text.ts";
import { addressBytes, inNetwork } from "./address.ts";
import { cut, textsOfValue } from "./values.ts";

/** `other` is the value of the second field of a fieldref. */
export type ValueTest = (value: unknown, other?: unknown) => boolean;

/** The test of a predicate on the value of its field; undefined where the field is missing. */
export function valueTest(predicate: Predicate): ValueTest {
  switch (predicate.kind) {
    case "null":
      return (value) => (value ?? null) === null || (Array.isArray(value) && value.includes(null));
    case "exists":
      return (value) => value !== undefined;
    case "fieldref":
      return fieldReference(predicate);
    default:
      return onTexts(textTest(predicate));
  }
}

export type OfTexts = Exclude<Predicate, { readonly kind: "null" | "exists" | "fieldref" }>;

/** The test on a text that is folded already; undefined where the predicate looks at case. */
export function foldedTest(predicate: Predicate): ((folded: string) => boolean) | undefined {
  if (predicate.kind === "text" && !predicate.cased)
    return atPlace(predicate.place, predicate.text);
  if (predicate.kind === "pattern" && !predicate.cased) {
    const pieces = piecesOf(predicate.tokens);
    return (folded) => matchesPieces(pieces, folded);
  }
  return undefined;
}

/** A predicate that may be a keyword. */
export const isKeyword = (predicate: Predicate): predicate is OfTexts => predicate.field === null;

/** The test of a predicate on one text of its field, or of the event where it is a keyword. */
export function textTest(predicate: OfTexts): (text: string) => boolean {
  switch (predicate.kind) {
    case "text":
    case "pattern": {
      const test = foldedTest(predicate);
      if (test) return (text) => test(fold(text));
      if (predicate.kind === "text") return atPlace(predicate.place, predicate.text);
      const pieces = piecesOf(predicate.tokens);
      return (text) => matchesPieces(pieces, text);
    }
    case "regex": {
      const compiled = compileRegex(predicate.source, predicate.flags);
      return compiled.ok ? compiled.regex.test : () => false; // refused when the rule was read
    }
    case "number":
      return (text) => decimalOf(text) === predicate.value;
    case "boolean":
      return (text) => fold(text) === String(predicate.value);
    case "cidr":
      return (text) => {
        const bytes = addressBytes(text);
        return bytes !== undefined && inNetwork(bytes, predicate.bytes, predicate.bits);
      };
    case "compare":
      return (text) => {
        const number = predicate.part ? partOf(text, predicate.part) : decimalOf(text);
        return number !== undefined && COMPARE[predicate.operator](number, predicate.value);
      };
  }
}

function fieldReference(predicate: Predicate & { readonly kind: "fieldref" }): ValueTest {
  const form = predicate.cased ? (text: string) => text : fold;
  return (value, other) => {
    const others = textsOfValue(other).map(form);
    return textsOfValue(value).some((text) =>
      others.some((one) => atPlace(predicate.place, one)(form(text))),
    );
  };
}

/** A test on one text as a test on a value. */
export const onTexts =
  (test: (text: string) => boolean): ValueTest =>
  (value) =>
    typeof value === "string" ? test(cut(value)) : textsOfValue(value).some(test);

function atPlace(place: Place, wanted: string): (text: string) => boolean {
  switch (place) {
    case "whole":
      return (text) => text === wanted;
    case "start":
      return (text) => text.startsWith(wanted);
    case "end":
      return (text) => text.endsWith(wanted);
    case "within":
      return (text) => text.includes(wanted);
  }
}

type Piece = string | Token; // one character, or a wildcard

const piecesOf = (tokens: readonly Token[]): readonly Piece[] =>
  tokens.flatMap((token): readonly Piece[] =>
    token.kind === "text" ? token.text.split("") : [token],
  );

/** Goes back to the last `*` only, so that the cost is at most pattern times text. */
function matchesPieces(pattern: readonly Piece[], text: string): boolean {
  let at = 0;
  let star = -1;
  let starAt = 0;
  let next = 0;
  while (at < text.length) {
    const piece = pattern[next];
    if (typeof piece === "object" && piece.kind === "any") {
      if (next === pattern.length - 1) return true;
      star = next;
      starAt = at;
      next += 1;
    } else if (piece !== undefined && (typeof piece === "object" || piece === text[at])) {
      at += typeof piece === "object" && isPair(text, at) ? 2 : 1;
      next += 1;
    } else if (star >= 0) {
      starAt += 1;
      at = starAt;
      next = star + 1;
    } else return false;
  }
  return pattern.slice(next).every((piece) => typeof piece === "object" && piece.kind === "any");
}

/** A character beyond the first 65,536, which takes two units. */
const isPair = (text: string, at: number): boolean => (text.codePointAt(at) ?? 0) > 0xffff;

const COMPARE: Readonly<Record<CompareOperator, (a: number, b: number) => boolean>> = {
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  eq: (a, b) => a === b,
};

/** A part of a date as it is written, in its own zone; ISO 8601 dates only. */
function partOf(text: string, part: TimePart): number | undefined {
  const [, year, month, day, hour, minute] =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d))?/.exec(text) ?? [];
  if (year === undefined) return undefined;
  const found = { year, month, day, hour, minute };
  if (part === "week") return isoWeek(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const value = found[part];
  return value === undefined ? undefined : Number(value);
}

/** ISO 8601 week of a day, 1 to 53. */
function isoWeek(dayMs: number): number {
  const day = 86_400_000;
  const weekday = (new Date(dayMs).getUTCDay() + 6) % 7;
  const thursday = dayMs + (3 - weekday) * day;
  const first = Date.UTC(new Date(thursday).getUTCFullYear(), 0, 1);
  return 1 + Math.floor((thursday - first) / (7 * day));
}

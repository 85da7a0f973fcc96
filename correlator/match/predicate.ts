// predicate.ts — one predicate of a rule as a test on an event.
//
// Holds: a list satisfies a predicate when one of its elements does; a missing field satisfies none but `null`.
import { compileRegex } from "../sigma/regex.ts";
import type {
  CompareOperator,
  EventField,
  Place,
  Predicate,
  TimePart,
  Token,
} from "../sigma/rule.ts";
import { fold } from "../sigma/text.ts";
import { addressBytes, inNetwork } from "./address.ts";

export type View = {
  readonly value: (field: EventField) => unknown;
  readonly texts: () => readonly string[];
};
export type Test = (view: View) => boolean;

const VALUE_CHARS_MAX = 262_144; // longer values are searched up to here
const ELEMENTS_MAX = 1000;

export function predicateOf(predicate: Predicate): Test {
  switch (predicate.kind) {
    case "text": {
      const test = atPlace(predicate.place, predicate.text);
      return onTexts(predicate.field, predicate.cased ? test : (text) => test(fold(text)));
    }
    case "pattern": {
      const test = (text: string) => matchesTokens(predicate.tokens, text);
      return onTexts(predicate.field, predicate.cased ? test : (text) => test(fold(text)));
    }
    case "regex": {
      const compiled = compileRegex(predicate.source, predicate.flags);
      if (!compiled.ok) return () => false; // refused when the rule was read
      return onTexts(predicate.field, compiled.regex.test);
    }
    case "number":
      return onTexts(
        predicate.field,
        (text) => text.trim() !== "" && Number(text) === predicate.value,
      );
    case "boolean":
      return onTexts(predicate.field, (text) => fold(text) === String(predicate.value));
    case "null":
      return (view) => (view.value(predicate.field) ?? null) === null;
    case "exists":
      return (view) => view.value(predicate.field) !== undefined;
    case "cidr":
      return onTexts(predicate.field, (text) => {
        const bytes = addressBytes(text);
        return bytes !== undefined && inNetwork(bytes, predicate.bytes, predicate.bits);
      });
    case "compare":
      return onTexts(predicate.field, (text) => {
        const number = predicate.part ? partOf(text, predicate.part) : numberOf(text);
        return number !== undefined && COMPARE[predicate.operator](number, predicate.value);
      });
    case "fieldref":
      return fieldReference(predicate);
  }
}

function fieldReference(predicate: Predicate & { readonly kind: "fieldref" }): Test {
  const form = predicate.cased ? (text: string) => text : fold;
  return (view) => {
    const others = elementsOf(view.value(predicate.other)).map(form);
    return elementsOf(view.value(predicate.field)).some((text) =>
      others.some((other) => atPlace(predicate.place, other)(form(text))),
    );
  };
}

function onTexts(field: EventField | null, test: (text: string) => boolean): Test {
  if (field === null) return (view) => view.texts().some((text) => test(cut(text)));
  return (view) => {
    const value = view.value(field);
    return typeof value === "string" ? test(cut(value)) : elementsOf(value).some(test);
  };
}

/** A value's texts: itself, or its elements; objects have none. */
function elementsOf(value: unknown): string[] {
  if (typeof value === "string") return [cut(value)];
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")
    return [String(value)];
  if (Array.isArray(value))
    return value
      .slice(0, ELEMENTS_MAX)
      .flatMap((one) => (Array.isArray(one) ? [] : elementsOf(one)));
  return [];
}

const cut = (text: string): string =>
  text.length > VALUE_CHARS_MAX ? text.slice(0, VALUE_CHARS_MAX) : text;

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

/** Goes back to the last `*` only, so that the cost is at most pattern times text. */
export function matchesTokens(tokens: readonly Token[], text: string): boolean {
  const pattern = tokens.flatMap((token): readonly (string | Token)[] =>
    token.kind === "text" ? [...token.text.split("")] : [token],
  );
  let at = 0;
  let star = -1;
  let starAt = 0;
  let next = 0;
  while (at < text.length) {
    const piece = pattern[next];
    if (typeof piece === "object" && piece.kind === "any") {
      star = next;
      starAt = at;
      next += 1;
    } else if (piece !== undefined && (typeof piece === "object" || piece === text[at])) {
      at += 1;
      next += 1;
    } else if (star >= 0) {
      starAt += 1;
      at = starAt;
      next = star + 1;
    } else return false;
  }
  return pattern.slice(next).every((piece) => typeof piece === "object" && piece.kind === "any");
}

const COMPARE: Readonly<Record<CompareOperator, (a: number, b: number) => boolean>> = {
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  eq: (a, b) => a === b,
};

function numberOf(text: string): number | undefined {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isNaN(number) ? undefined : number;
}

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

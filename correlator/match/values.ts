// values.ts — a field's value as predicates read it: its texts, bounded; and every text of an event, for keywords.
import { valueAtFirst } from "../../core/field-reader.ts";
import type { EventField } from "../sigma/rule.ts";
import type { Readable } from "./matcher.ts";

export const VALUE_CHARS_MAX = 8 * 2 ** 20; // longer values are searched up to here: more than a collector takes in
export const ELEMENTS_MAX = 1000;
const TEXTS_MAX = 2000;
const DEPTH_MAX = 64;

/** A field's value in an event: at the first of its paths that is present; undefined when none is. */
export const valueAt = (event: Readable, { paths }: Pick<EventField, "paths">): unknown =>
  valueAtFirst(event, paths);

export const cut = (text: string): string =>
  text.length > VALUE_CHARS_MAX ? text.slice(0, VALUE_CHARS_MAX) : text;

/** A value's texts: itself, or its elements; objects and lists in lists have none. */
export function textsOfValue(value: unknown): readonly string[] {
  if (typeof value === "string") return [cut(value)];
  if (typeof value === "number" || typeof value === "boolean") return [String(value)];
  if (!Array.isArray(value)) return [];
  const texts: string[] = [];
  for (const one of value.slice(0, ELEMENTS_MAX))
    if (!Array.isArray(one)) texts.push(...textsOfValue(one));
  return texts;
}

/** Every text and number of the event but Wache's own fields: what a keyword is looked for in. */
export function textsOfEvent(event: Readable): readonly string[] {
  const texts: string[] = [];
  eachText(event, (text) => texts.push(text));
  return texts;
}

/** The same as one text, each before `between`. */
export function joinedTextsOf(event: Readable, between: string): string {
  let joined = "";
  eachText(event, (text) => {
    joined += text + between;
  });
  return joined;
}

function eachText(event: Readable, take: (text: string) => void): void {
  let count = 0;
  const walk = (value: unknown, depth: number): void => {
    if (count >= TEXTS_MAX || depth > DEPTH_MAX) return;
    if (typeof value === "string" || typeof value === "number") {
      count += 1;
      take(typeof value === "string" ? cut(value) : String(value));
    } else if (typeof value === "object" && value !== null)
      for (const name in value) walk((value as Readable)[name], depth + 1);
  };
  for (const name in event) if (name !== "wache") walk(event[name], 0);
}

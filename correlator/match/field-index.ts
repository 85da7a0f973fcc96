// field-index.ts — what rules wait for in the texts of one field, found in one pass over a value.
//
// In:    literal texts and numbers with ids, then values.
// Out:   the ids of those that the value holds, each perhaps more than once.

import { decimalOf } from "../decimal.ts";
import type { Place } from "../sigma/rule.ts";
import { Edges } from "./edges.ts";
import type { Haystack, Needle } from "./haystack.ts";
import type { Literal } from "./literals.ts";
import { LONG_S } from "./regex-literals.ts";
import { type SeenRuns, type Sink, Substrings } from "./substrings.ts";
import { ELEMENTS_MAX } from "./values.ts";

/** What no text has in it that is looked for among joined ones. */
export const BETWEEN = "\u0000";

export class FieldIndex {
  #starts: Edges | undefined;
  #ends: Edges | undefined;
  #parts: Substrings | undefined;
  #otherParts: Substrings | undefined; // that are not ASCII
  readonly #inexact: number[] = []; // ids of what needs a closer look
  #isJoinable = true;
  #charsMin = Number.POSITIVE_INFINITY; // a shorter value holds none of the texts
  readonly #numbers = new Map<number, number[]>();
  readonly #haystack: Haystack;

  constructor(haystack: Haystack) {
    this.#haystack = haystack;
  }

  addLiteral({ needles, place, exact }: Literal, id: number): void {
    for (const needle of needles) this.#addNeedle(needle, place, id);
    if (!exact) this.#inexact.push(id);
    if (place !== "within" || needles.some(({ text }) => text.includes(BETWEEN)))
      this.#isJoinable = false;
  }

  /** Whether texts can be searched as one, with BETWEEN between them. */
  get isJoinable(): boolean {
    return this.#isJoinable && this.#numbers.size === 0;
  }

  #addNeedle(needle: Needle, place: Place, id: number): void {
    this.#charsMin = Math.min(this.#charsMin, needle.text.length);
    switch (place) {
      case "whole":
      case "start":
        this.#starts ??= new Edges("start");
        this.#starts.add(needle, id, place === "whole");
        break;
      case "end":
        this.#ends ??= new Edges("end");
        this.#ends.add(needle, id, false);
        break;
      case "within":
        this.#addPart(needle, id);
        break;
    }
  }

  #addPart(needle: Needle, id: number): void {
    if (needle.isAscii) {
      this.#parts ??= new Substrings();
      this.#parts.add(needle, id);
    } else {
      this.#otherParts ??= new Substrings();
      this.#otherParts.add(needle, id);
    }
  }

  addNumber(value: number, id: number): void {
    const ids = this.#numbers.get(value);
    if (ids) ids.push(id);
    else this.#numbers.set(value, [id]);
  }

  /** Once everything is there; in steps of some milliseconds. */
  *build(seen: SeenRuns): Generator<void> {
    this.#starts?.build();
    yield;
    this.#ends?.build();
    yield;
    if (this.#parts) yield* this.#parts.build(seen);
    if (this.#otherParts) yield* this.#otherParts.build(seen);
  }

  /** How often a text was compared with a place where it might have stood. */
  get looks(): number {
    return (this.#parts?.looks ?? 0) + (this.#otherParts?.looks ?? 0);
  }

  scan(value: unknown, sink: Sink): void {
    if (typeof value === "string") this.#text(value, sink);
    else if (typeof value === "number") {
      if (this.#numbers.size > 0) this.#number(value, sink);
      if (this.#starts || this.#ends || this.#parts) this.#places(String(value), sink);
    } else if (typeof value === "boolean") this.#places(value ? "true" : "false", sink);
    else if (Array.isArray(value))
      for (let at = 0; at < value.length && at < ELEMENTS_MAX; at++)
        if (!Array.isArray(value[at])) this.scan(value[at], sink);
  }

  #text(text: string, sink: Sink): void {
    const number = this.#numbers.size > 0 ? decimalOf(text) : undefined;
    if (number !== undefined) this.#number(number, sink);
    this.#places(text, sink);
  }

  #number(value: number, sink: Sink): void {
    const ids = this.#numbers.get(value);
    if (ids) for (const id of ids) sink.fire(id);
  }

  #places(text: string, sink: Sink): void {
    if (text.length < this.#charsMin) return;
    const haystack = this.#haystack;
    haystack.take(text);
    if (this.#starts) this.#starts.scan(haystack, sink);
    if (this.#ends) this.#ends.scan(haystack, sink);
    if (this.#parts) this.#parts.scan(haystack, sink);
    if (haystack.isAscii) return;
    if (this.#otherParts) this.#otherParts.scan(haystack, sink);
    if (text.includes(LONG_S)) for (const id of this.#inexact) sink.fire(id);
  }
}

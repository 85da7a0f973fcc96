// field-index.ts — all predicates on the texts of one field, answered in one pass over a value.
//
// In:    predicates with ids, then values.
// Out:   ids: of texts and numbers exactly those that the value satisfies; of what needs a closer look those whose
//        literal text stands in the value.
import type { Sink } from "./folding.ts";
import { Edges } from "./edges.ts";
import type { Literal } from "./literals.ts";
import { Substrings } from "./substrings.ts";
import { cut, ELEMENTS_MAX } from "./values.ts";

export class FieldIndex {
  readonly #starts = new Edges("start");
  readonly #ends = new Edges("end");
  readonly #parts = new Substrings();
  readonly #numbers = new Map<number, number[]>();
  #hasStarts = false;
  #hasEnds = false;
  #hasParts = false;

  addLiteral({ text, place }: Literal, id: number): void {
    switch (place) {
      case "whole":
      case "start":
        this.#hasStarts = true;
        this.#starts.add(text, id, place === "whole");
        break;
      case "end":
        this.#hasEnds = true;
        this.#ends.add(text, id, false);
        break;
      case "within":
        this.#hasParts = true;
        this.#parts.add(text, id);
        break;
    }
  }

  addNumber(value: number, id: number): void {
    const ids = this.#numbers.get(value);
    if (ids) ids.push(id);
    else this.#numbers.set(value, [id]);
  }

  /** To be called once all predicates are there. */
  build(): void {
    this.#starts.build();
    this.#ends.build();
    this.#parts.build();
  }

  scan(value: unknown, sink: Sink): void {
    if (typeof value === "string") this.#text(cut(value), sink);
    else if (typeof value === "number") this.#number(value, sink);
    else if (typeof value === "boolean") this.#text(value ? "true" : "false", sink);
    else if (Array.isArray(value))
      for (let at = 0; at < value.length && at < ELEMENTS_MAX; at++)
        if (!Array.isArray(value[at])) this.scan(value[at], sink);
  }

  #number(value: number, sink: Sink): void {
    for (const id of this.#numbers.get(value) ?? []) sink.fire(id);
    if (this.#hasStarts || this.#hasEnds || this.#hasParts) this.#places(String(value), sink);
  }

  #text(text: string, sink: Sink): void {
    if (this.#numbers.size > 0 && mayBeNumber(text))
      for (const id of this.#numbers.get(Number(text)) ?? []) sink.fire(id);
    this.#places(text, sink);
  }

  #places(text: string, sink: Sink): void {
    if (this.#hasStarts) this.#starts.scan(text, sink);
    if (this.#hasEnds) this.#ends.scan(text, sink);
    if (this.#hasParts) this.#parts.scan(text, sink);
  }
}

const NUMBER_CHARS_MAX = 400; // longer than any number's text but for white space around it

/** Cheap, and right where it says no: blank text is no number, and a number begins with a digit, a sign, a point or space. */
function mayBeNumber(text: string): boolean {
  const code = text.charCodeAt(0);
  const begins = (code >= 43 && code <= 57) || code <= 32 || code > 127;
  return begins && text.length < NUMBER_CHARS_MAX && text.trim() !== "";
}

// said-values.ts — a place for each combination of values that the fields of an event have, found without making a text of them.
//
// Holds: no more than PLACES_MAX places; beyond them all are forgotten, and made again. What is kept of a value is a copy.
// Why:   a text of all values, made and looked up for each event, cost as much as a fifth of parsing it.
import type { FieldReader } from "./field-reader.ts";

export type Place<T> = { readonly next: Map<unknown, Place<T>>[]; own?: T }; // by slot, then by value

const PLACES_MAX = 8000;
const VALUE_CHARS_MAX = 128;
const IS_THERE = Symbol();
const newPlace = <T>(): Place<T> => ({ next: [] });

export class SaidValues<T> {
  readonly #reader: FieldReader;
  readonly #compared: readonly boolean[]; // by slot
  #root: Place<T> = newPlace();
  #count = 0;

  /** Of a field that is not compared, only counts that it is there. */
  constructor(reader: FieldReader, compared: readonly boolean[]) {
    this.#reader = reader;
    this.#compared = compared;
  }

  /** The place of what the event that was read last says in these slots; undefined where that is too much to keep. */
  placeOf(slots: readonly number[]): Place<T> | undefined {
    if (this.#count >= PLACES_MAX) {
      this.#root = newPlace();
      this.#count = 0;
    }
    let place = this.#root;
    for (const slot of slots) {
      const value = this.#reader.value(slot);
      const isText = typeof value === "string";
      if (!isText && typeof value !== "number") return undefined;
      const isCompared = this.#compared[slot] === true;
      if (isCompared && isText && value.length > VALUE_CHARS_MAX) return undefined;
      const said = isCompared ? value : IS_THERE;
      place = place.next[slot]?.get(said) ?? this.#newBelow(place, slot, said);
    }
    return place;
  }

  #newBelow(place: Place<T>, slot: number, said: unknown): Place<T> {
    const made: Place<T> = newPlace();
    const values = place.next[slot] ?? new Map<unknown, Place<T>>();
    place.next[slot] = values;
    values.set(typeof said === "string" ? copyOf(said) : said, made);
    this.#count += 1;
    return made;
  }
}

/** Without the longer text that it may be a slice of. */
const copyOf = (text: string): string => Buffer.from(text, "utf16le").toString("utf16le");

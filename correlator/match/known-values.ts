// known-values.ts — what was found out about the values of one field, for when they come again: most fields have few.
//
// Holds: copies of short ASCII texts only, no more than there is room for; of a field whose values seldom come again
//        nothing is kept.
// Why:   a look at a table costs a tenth of a search through a value for all that rules ask of its field.
import type { Haystack } from "./haystack.ts";

/** What is known of a value: whatever is found out about it is true wherever it stands in the field. */
export type Known = {
  ids: readonly number[] | undefined; // what the index finds in it; undefined: it was not asked
  readonly answers: Map<number, boolean>; // by the number of the question
};
/** Of all fields of a matcher together. */
export type Room = { values: number };

export const KNOWN_VALUES_MAX = 20_000;
const VALUES_MAX = 2000; // of a field
const CHARS_MAX = 256;
const TRIAL_LOOKS = 512;
const SEEN_AGAIN_MIN = 0.4; // of the values looked at

export class KnownValues {
  readonly #room: Room;
  #known = new Map<string, Known>();
  #looks = 0;
  #hits = 0;
  #isUseful = true;

  constructor(room: Room) {
    this.#room = room;
  }

  of(value: unknown, haystack: Haystack): Known | undefined {
    if (!this.#isUseful || typeof value !== "string" || value.length > CHARS_MAX) return undefined;
    const known = this.#known.get(value);
    this.#looks += 1;
    if (known) {
      this.#hits += 1;
      return known;
    }
    return this.#isWorthwhile() ? this.#newKnown(value, haystack) : undefined;
  }

  clear(): void {
    this.#room.values += this.#known.size;
    this.#known = new Map();
  }

  #isWorthwhile(): boolean {
    if (this.#looks < TRIAL_LOOKS) return true;
    this.#isUseful = this.#hits >= this.#looks * SEEN_AGAIN_MIN;
    this.#looks = 0;
    this.#hits = 0;
    if (!this.#isUseful) this.clear();
    return this.#isUseful;
  }

  /** The text may be a slice of a much longer one, which a copy does not keep alive. */
  #newKnown(value: string, haystack: Haystack): Known | undefined {
    if (this.#room.values <= 0 || this.#known.size >= VALUES_MAX) this.clear();
    haystack.take(value);
    if (!haystack.isAscii || this.#room.values <= 0) return undefined;
    const known: Known = { ids: undefined, answers: new Map() };
    this.#known.set(haystack.bytes.toString("latin1", 0, haystack.length), known);
    this.#room.values -= 1;
    return known;
  }
}

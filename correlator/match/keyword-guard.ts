// keyword-guard.ts — whether any keyword may stand in an event, seen from the event's JSON as it came.
//
// In:    the texts of which a keyword needs one, then JSON.
// Out:   false only where no text or number of the event has one of them.
// Why:   most events have none, and their JSON is one text: to gather an event's texts costs more than to search them.
//
// JSON has a text's characters as they are, but for quotes, backslashes and control characters, and for those that are
// written by their codes or, slashes, behind a backslash (RFC 8259, section 7). So the longest part without any of the
// former is looked for, and JSON with the latter may hold anything. A number may be written otherwise than it reads: a
// part that could be of one is not looked for.
import type { Haystack } from "./haystack.ts";
import { needleOf } from "./haystack.ts";
import type { Literal } from "./literals.ts";
import { type SeenRuns, Substrings } from "./substrings.ts";

const ESCAPED = /["\\\p{Cc}]/u;
const NUMBER = /^[-+.0-9e]*$|^0?x?[0-9a-f]{0,16}$/; // a part of one, in decimals or hexadecimal
const INFINITY = "-infinity"; // as the largest numbers read
const TRIAL_LOOKS = 1000;
const HELD_MAX = 0.5; // of the looks: with more the guard costs more than it saves

export class KeywordGuard {
  readonly #parts = new Substrings();
  readonly #haystack: Haystack;
  readonly #sink = {
    fire: (): void => {
      this.#isFound = true;
    },
  };
  #isFound = false;
  #isUseful = true;
  #hasOthers = false; // texts that are not ASCII: only such JSON has them, or one that has their codes
  #looks = 0;
  #held = 0;

  /** A literal that is not there: of a keyword that has no text that it needs. */
  constructor(haystack: Haystack, literals: readonly (Literal | undefined)[]) {
    this.#haystack = haystack;
    for (const literal of literals) {
      if (!literal) this.#isUseful = false;
      for (const { text, isAscii } of literal?.needles ?? []) {
        const part = isAscii ? partOf(text) : undefined;
        if (part !== undefined) this.#parts.add(needleOf(part), 0);
        else if (isAscii) this.#isUseful = false;
        else this.#hasOthers = true;
      }
    }
  }

  *build(seen: SeenRuns): Generator<void> {
    if (this.#isUseful) yield* this.#parts.build(seen);
  }

  mayHold(json: string): boolean {
    if (!this.#isUseful) return true;
    const mayHold = this.#look(json);
    this.#looks += 1;
    if (mayHold) this.#held += 1;
    if (this.#looks === TRIAL_LOOKS) {
      this.#isUseful = this.#held <= TRIAL_LOOKS * HELD_MAX;
      this.#looks = 0;
      this.#held = 0;
    }
    return mayHold;
  }

  #look(json: string): boolean {
    const haystack = this.#haystack;
    if (!haystack.takeJson(json) || haystack.mayReadOtherwise) return true;
    if (this.#hasOthers && haystack.length !== json.length) return true;
    this.#isFound = false;
    this.#parts.scan(haystack, this.#sink);
    return this.#isFound;
  }
}

/** The longest part of a folded text that JSON can only have as it is, if there is one. */
function partOf(text: string): string | undefined {
  let longest: string | undefined;
  for (const part of text.split(ESCAPED))
    if (part.length > (longest?.length ?? 0) && !NUMBER.test(part) && !INFINITY.includes(part))
      longest = part;
  return longest;
}

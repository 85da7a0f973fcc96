// haystack.ts — the folded value that is being searched, as bytes.
//
// Holds: one value at a time. A character beyond Latin-1 keeps its lower byte only, so what is found in the bytes is
//        confirmed in the text; where all is ASCII the bytes say it all, and nothing else needs to be looked for.
// Why:   reading characters out of a string costs several times what reading bytes does, and four bytes are one word.
import { fold } from "../sigma/text.ts";
import { VALUE_CHARS_MAX } from "./values.ts";

const SHORT = 96; // characters that are copied one by one: cheaper than a call to do it
const ASCII_MAX = 127;

const FOLDED = Uint8Array.from({ length: ASCII_MAX + 1 }, (_, code) =>
  code >= 65 && code <= 90 ? code + 32 : code,
);

export class Haystack {
  readonly words: Int32Array = new Int32Array(VALUE_CHARS_MAX / 4 + 4);
  readonly bytes: Buffer = Buffer.from(this.words.buffer);
  length = 0;
  isAscii = true;
  folded: string | undefined; // the text itself, where it is long or not ASCII

  /** Takes a value in; text beyond the bound is left out. */
  take(text: string): void {
    this.isAscii = true;
    this.folded = undefined;
    if (text.length <= SHORT && this.#copy(text)) return;
    const folded = fold(text.length > VALUE_CHARS_MAX ? text.slice(0, VALUE_CHARS_MAX) : text);
    this.length = this.bytes.write(folded, "latin1");
    this.isAscii = Buffer.byteLength(folded) === folded.length;
    this.folded = folded;
  }

  /** Whether the needle, whose bytes were found at this place, stands there. */
  confirms(needle: Needle, start: number): boolean {
    if (this.isAscii) return needle.isAscii;
    return this.folded?.startsWith(needle.text, start) ?? false;
  }

  #copy(text: string): boolean {
    const { bytes } = this;
    const { length } = text;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code > ASCII_MAX) return false;
      bytes[at] = FOLDED[code] as number;
    }
    this.length = length;
    return true;
  }
}

/** A folded text that is looked for. */
export type Needle = {
  readonly text: string;
  readonly bytes: Uint8Array; // as a haystack has it
  readonly isAscii: boolean;
};
export const needleOf = (text: string): Needle => ({
  text,
  bytes: Buffer.from(text, "latin1"),
  isAscii: /^[\0-\x7f]*$/.test(text),
});

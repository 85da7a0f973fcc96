// haystack.ts — the value that is being searched, as bytes.
//
// Holds: one value at a time. Of ASCII the bytes are as written, and FOLDED says how to read them; other text is folded
//        first. A character beyond Latin-1 keeps its lower byte only, so what is found in the bytes is confirmed in the
//        text; where all is ASCII the bytes say it all, and nothing else needs to be looked for.
// Why:   reading characters out of a string costs several times what reading bytes does, and four bytes are one word.
import { fold } from "../sigma/text.ts";
import { VALUE_CHARS_MAX } from "./values.ts";

const UTF8 = new TextEncoder();
const ROOM = 2 ** 18; // bytes; a longer value gets more
const SHORT = 48; // characters that are copied one by one: cheaper than a call to do it
const LONG = 96;
const ASCII_MAX = 127;
const SPARE = 16;

/** The lower case of each byte. */
export const FOLDED: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) =>
  code >= 65 && code <= 90 ? code + 32 : code,
);

export class Haystack {
  words = wordsFor(ROOM);
  bytes = Buffer.from(this.words.buffer);
  length = 0;
  isAscii = true;
  #text = "";
  #folded: string | undefined;

  /** Takes a value in; text beyond the bound is left out. */
  take(text: string): void {
    this.isAscii = true;
    this.#text = text;
    this.#folded = undefined;
    if (text.length <= SHORT && this.#copy(text)) return;
    if (text.length > ROOM) this.#makeRoom();
    this.length = UTF8.encodeInto(this.#text, this.bytes).written;
    this.isAscii = this.length === this.#text.length;
    if (!this.isAscii) this.length = this.bytes.write(this.folded(), "latin1");
  }

  get isLong(): boolean {
    return this.length > LONG;
  }

  folded(): string {
    this.#folded ??= fold(this.#text);
    return this.#folded;
  }

  /** Whether the needle, whose bytes were found at this place, stands there. */
  confirms(needle: Needle, start: number): boolean {
    if (this.isAscii) return needle.isAscii;
    return this.folded().startsWith(needle.text, start);
  }

  #makeRoom(): void {
    if (this.#text.length > VALUE_CHARS_MAX) this.#text = this.#text.slice(0, VALUE_CHARS_MAX);
    if (this.#text.length <= this.bytes.length - SPARE) return;
    this.words = wordsFor(this.#text.length);
    this.bytes = Buffer.from(this.words.buffer);
  }

  #copy(text: string): boolean {
    const { bytes } = this;
    const { length } = text;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code > ASCII_MAX) return false;
      bytes[at] = code;
    }
    this.length = length;
    return true;
  }
}

/** For so many bytes, and one more character of any kind. */
const wordsFor = (bytes: number): Int32Array<ArrayBuffer> =>
  new Int32Array(Math.ceil((bytes + SPARE) / 4));

/** A folded text that is looked for. */
export type Needle = {
  readonly text: string;
  readonly bytes: Uint8Array; // as a haystack has it, folded
  readonly isAscii: boolean;
};
export function needleOf(text: string): Needle {
  const bytes = new Uint8Array(text.length);
  let isAscii = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > ASCII_MAX) isAscii = false;
    bytes[at] = FOLDED[code & 0xff] ?? 0;
  }
  return { text, bytes, isAscii };
}

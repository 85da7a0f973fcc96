// haystack.ts — the value that is being searched, as bytes.
//
// Holds: one value at a time. Of ASCII the bytes are as written, and FOLDED says how to read them; other text is folded
//        first. A character beyond Latin-1 keeps its lower byte only, so what is found in the bytes is confirmed in the
//        text; where all is ASCII the bytes say it all, and nothing else needs to be looked for. JSON is taken in as
//        UTF-8, for texts in ASCII alone: in it too they are found by their bytes.
// Why:   reading characters out of a string costs several times what reading bytes does, and four bytes are one word.
import { fold } from "../sigma/text.ts";
import { VALUE_CHARS_MAX } from "./values.ts";
import {
  MASKS,
  MASKS_BYTES,
  OTHERWISE,
  PAGE_BYTES,
  READ_BEHIND,
  TEXT,
  type VectorLoops,
  vectorLoops,
} from "./vector-loops.ts";

const UTF8 = new TextEncoder();
const ROOM = 2 ** 18; // bytes; a longer value gets more
const SHORT = 48; // characters that are copied one by one: cheaper than a call to do it
const ASCII_MAX = 127;

/** The lower case of each byte. */
export const FOLDED: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) =>
  code >= 65 && code <= 90 ? code + 32 : code,
);

export class Haystack {
  words: Int32Array = new Int32Array(0);
  bytes: Buffer = Buffer.alloc(0);
  length = 0;
  isAscii = true;
  #text = "";
  #folded: string | undefined;
  readonly #loops: VectorLoops | undefined;
  #masks: Uint8Array | undefined; // that the loops have

  constructor(makeLoops: (bytes: number) => VectorLoops | undefined = vectorLoops) {
    this.#loops = makeLoops(ROOM);
    this.#use(this.#loops?.memory.buffer ?? new ArrayBuffer(TEXT + ROOM + READ_BEHIND));
  }

  #use(memory: ArrayBuffer): void {
    this.words = new Int32Array(memory, TEXT);
    this.bytes = Buffer.from(memory, TEXT, memory.byteLength - TEXT - READ_BEHIND);
  }

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

  /** Takes JSON in, for texts in ASCII; gives whether there was room for it. */
  takeJson(json: string): boolean {
    if (json.length > ROOM) return false;
    this.isAscii = true; // as far as such texts go
    this.#text = json;
    this.#folded = undefined;
    const { read, written } = UTF8.encodeInto(json, this.bytes);
    this.length = written;
    return read === json.length;
  }

  /** Of JSON that was taken in: whether a character of ASCII, quotes and controls aside, may be written otherwise. */
  get mayReadOtherwise(): boolean {
    // What is written otherwise begins with a backslash or is not ASCII.
    if (this.length === this.#text.length && !this.#text.includes("\\")) return false;
    if (this.#loops) return this.#loops.pairs(this.length) !== 0;
    return OTHERWISE.some((text) => this.#text.includes(text));
  }

  /** Whether `next` is there: whether the processor can do it. */
  get hasNext(): boolean {
    return this.#loops !== undefined;
  }

  /** The first place from there on where a run of the masks may stand, perhaps behind the end; -1 where none does. */
  next(masks: Uint8Array, from: number): number {
    if (!this.#loops) return -1;
    if (this.#masks !== masks) new Uint8Array(this.words.buffer, MASKS, MASKS_BYTES).set(masks);
    this.#masks = masks;
    return this.#loops.next(from, this.length);
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
    const more = this.#text.length - this.bytes.length;
    if (more <= 0) return;
    const pages = Math.ceil(more / PAGE_BYTES);
    const { byteLength } = this.words.buffer;
    this.#loops?.memory.grow(pages);
    this.#use(this.#loops?.memory.buffer ?? new ArrayBuffer(byteLength + pages * PAGE_BYTES));
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

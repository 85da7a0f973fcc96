// substrings.ts — finds which of many texts stand anywhere in a value, in one pass over it.
//
// In:    folded texts with ids, then values.
// Out:   the ids of the texts that a value contains, each perhaps more than once.
// Why:   of each text one run of four characters, its rarest, is looked up by a rolling hash in a bitmap that stays in the
//        nearest cache; only where it may be there is the text compared. A table of states for each character, the usual
//        automaton, has millions of cells for the command lines of public rules and lives in no cache (docs/decisions).
import { fold } from "../sigma/text.ts";
import { ASCII_MAX, FOLDED, type Sink, standsAt } from "./folding.ts";

const RUN = 4; // characters, a byte of each
const SPARSE = 32; // bits for each run
const MIX = 0x9e3779b1;
const NONE = -1;

type Entry = { readonly text: string; readonly back: number; readonly ids: readonly number[] };

export class Substrings {
  readonly #ids = new Map<string, number[]>();
  #tables: readonly RunTable[] = [];
  #always: readonly number[] = []; // ids of the empty text

  add(text: string, id: number): void {
    const ids = this.#ids.get(text);
    if (ids) ids.push(id);
    else this.#ids.set(text, [id]);
  }

  /** To be called once all texts are there. */
  build(): void {
    const uses = new Map<number, number>();
    for (const text of this.#ids.keys())
      for (const { key } of runsOf(text, RUN)) uses.set(key, (uses.get(key) ?? 0) + 1);
    const bySize = new Map<number, { key: number; entry: Entry }[]>();
    for (const [text, ids] of this.#ids) {
      const size = Math.min(RUN, text.length);
      if (size === 0) {
        this.#always = ids;
        continue;
      }
      let best: { readonly key: number; readonly end: number } | undefined;
      for (const run of runsOf(text, size))
        if (!best || (uses.get(run.key) ?? 0) < (uses.get(best.key) ?? 0)) best = run;
      if (!best) continue;
      const list = bySize.get(size) ?? [];
      bySize.set(size, list);
      list.push({ key: best.key, entry: { text, back: best.end, ids } });
    }
    this.#tables = [...bySize].map(([size, entries]) => new RunTable(size, entries));
    this.#ids.clear();
  }

  scan(text: string, sink: Sink): void {
    for (const id of this.#always) sink.fire(id);
    for (const table of this.#tables)
      if (!table.scan(text, sink, ASCII_MAX)) table.scan(fold(text), sink, 65_535);
  }
}

/** The runs of texts that are at least that long. */
class RunTable {
  readonly #mask: number; // of the bytes that make a run
  readonly #shift: number;
  readonly #bits: Int32Array;
  readonly #keys: Int32Array;
  readonly #firsts: Int32Array; // for each key the number of its first entry
  readonly #entries: readonly Entry[];
  readonly #nexts: Int32Array;

  constructor(size: number, given: readonly { readonly key: number; readonly entry: Entry }[]) {
    this.#mask = size === RUN ? -1 : (1 << (size * 8)) - 1;
    const bits = Math.max(5, Math.ceil(Math.log2(given.length * SPARSE)));
    this.#shift = 32 - bits;
    this.#bits = new Int32Array(2 ** (bits - 5));
    this.#keys = new Int32Array(2 ** bits >> 3);
    this.#firsts = new Int32Array(this.#keys.length).fill(NONE);
    this.#entries = given.map(({ entry }) => entry);
    this.#nexts = new Int32Array(given.length).fill(NONE);
    given.forEach(({ key }, number) => {
      const slot = Math.imul(key, MIX) >>> this.#shift;
      this.#bits[slot >>> 5] = (this.#bits[slot >>> 5] ?? 0) | (1 << (slot & 31));
      const place = this.#placeOf(key);
      this.#keys[place] = key;
      this.#nexts[number] = this.#firsts[place] ?? NONE;
      this.#firsts[place] = number;
    });
  }

  /** False, and the rest left out, where a character is beyond `codeMax`. */
  scan(text: string, sink: Sink, codeMax: number): boolean {
    const bits = this.#bits;
    const shift = this.#shift;
    const mask = this.#mask;
    let run = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code > codeMax) return false;
      run = (run << 8) | byteOf(code);
      const key = run & mask;
      const slot = Math.imul(key, MIX) >>> shift;
      if (((bits[slot >>> 5] as number) & (1 << (slot & 31))) !== 0) this.#found(key, at, text, sink);
    }
    return true;
  }

  #found(key: number, at: number, text: string, sink: Sink): void {
    for (
      let number = this.#firsts[this.#placeOf(key)] ?? NONE;
      number !== NONE;
      number = this.#nexts[number] ?? NONE
    ) {
      const entry = this.#entries[number];
      if (entry && standsAt(text, entry.text, at - entry.back))
        for (const id of entry.ids) sink.fire(id);
    }
  }

  /** Where the key is, or would be. */
  #placeOf(key: number): number {
    const last = this.#keys.length - 1;
    let place = (Math.imul(key, MIX) >>> this.#shift) & last;
    while (this.#firsts[place] !== NONE && this.#keys[place] !== key) place = (place + 1) & last;
    return place;
  }
}

const byteOf = (code: number): number =>
  code > ASCII_MAX ? 128 | (code & 127) : (FOLDED[code] as number);

/** Every run of that many characters in a folded text; `end` is the place of its last. */
function runsOf(text: string, size: number): { readonly key: number; readonly end: number }[] {
  const mask = size === RUN ? -1 : (1 << (size * 8)) - 1;
  const runs: { key: number; end: number }[] = [];
  let run = 0;
  for (let end = 0; end < text.length; end++) {
    run = (run << 8) | byteOf(text.charCodeAt(end));
    if (end >= size - 1) runs.push({ key: run & mask, end });
  }
  return runs;
}

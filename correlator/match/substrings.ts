// substrings.ts — finds which of many texts stand anywhere in a value.
//
// In:    folded texts with ids, then folded values.
// Out:   the ids of the texts that a value contains, each perhaps more than once.
// Why:   runs of four characters are looked up in a bitmap that stays in the nearest cache; only where one may be there are
//        texts compared. Of a text that is long enough as many runs are known as the step over the value is wide, so one
//        of them is met wherever the text stands, and most of the value is skipped. A table of states for each character,
//        the usual automaton, has millions of cells for the command lines of public rules and lives in no cache
//        (docs/decisions). A few short texts are found by masks, at sixteen places at once (vector-loops.ts).

import { FOLDED, type Haystack, type Needle } from "./haystack.ts";
import { MASKED, MASKS_BYTES, NIBBLES } from "./vector-loops.ts";

const RUN = 4; // characters, a byte of each
const STEPS = [8, 4] as const; // over the value; a text of at least step + 3 characters can't be missed
const WIDE_CHARS_MIN = STEPS[1] + RUN - 1;
const TEXTS_A_STEP = 500;
const SPARSE = 128; // bits for each run
const CASELESS = 0xdf; // of a byte: letters of either case are the same, few other characters are
const CASELESS_WORD = 0xdfdfdfdf | 0;
const MIX = 0x9e3779b1;
const NONE = -1;
const SOME = 64; // of so many short texts runs of three characters are as rare as those of four, and one pass is saved
const MASKED_MAX = 48; // runs; with more of them the masks let through too much
const LOOKS_FREE = 16;
const PLACES_A_LOOK = 24; // with more looks it is cheaper to look at every place
const BITS_MIN = 15; // 4 KiB

export type Sink = { readonly fire: (id: number) => void };
type Text = Needle & { readonly ids: number[] };
type Run = { readonly text: Text; readonly key: number; readonly start: number }; // key: the last byte is the lowest

export class Substrings {
  readonly #texts = new Map<string, Text>();
  #always: readonly number[] = []; // ids of the empty text
  #wide: RunTable | undefined;
  #step = 1;
  #narrow: readonly RunTable[] = [];

  add(needle: Needle, id: number): void {
    const known = this.#texts.get(needle.text);
    if (known) known.ids.push(id);
    else this.#texts.set(needle.text, { ...needle, ids: [id] });
  }

  /** Once all texts are there; in steps of some milliseconds. */
  *build(seen: SeenRuns): Generator<void> {
    const texts = [...this.#texts.values()];
    this.#texts.clear();
    this.#always = texts.find(({ text }) => text === "")?.ids ?? [];
    const uses = usesOf(texts);
    const costOf = (key: number): number => uses.timesOf(key) * (1 + seen.timesOf(key));
    const wide = texts.filter(({ text }) => text.length >= WIDE_CHARS_MIN);
    const short = texts.filter(({ text }) => text !== "" && text.length < WIDE_CHARS_MIN);
    yield;
    this.#step = wide.every(({ text }) => text.length >= STEPS[0] + RUN - 1) ? STEPS[0] : STEPS[1];
    const runs: Run[] = [];
    for (const [place, text] of wide.entries()) {
      runs.push(...rarest(text, RUN, this.#step, costOf));
      if (place % TEXTS_A_STEP === 0) yield;
    }
    if (runs.length > 0) this.#wide = new RunTable(RUN, runs);
    yield;
    this.#narrow = narrowTables(short, costOf);
  }

  /** How often a text was compared with a place where it might have stood. */
  get looks(): number {
    return this.#narrow.reduce((sum, table) => sum + table.looks, this.#wide?.looks ?? 0);
  }

  scan(haystack: Haystack, sink: Sink): void {
    for (const id of this.#always) sink.fire(id);
    if (this.#wide) this.#wide.scanSteps(haystack, this.#step / RUN, sink);
    for (const table of this.#narrow) table.scan(haystack, sink);
  }
}

/** A table for each length of run. */
function narrowTables(
  short: readonly Text[],
  costOf: (key: number) => number,
): readonly RunTable[] {
  const bySize = Map.groupBy(short, ({ text }) => Math.min(text.length, RUN));
  if (short.length <= SOME && bySize.has(3)) {
    bySize.set(3, [...(bySize.get(3) ?? []), ...(bySize.get(RUN) ?? [])]);
    bySize.delete(RUN);
  }
  return [...bySize].map(
    ([size, some]) =>
      new RunTable(
        size,
        some.flatMap((text) => rarest(text, size, 1, costOf)),
      ),
  );
}

/** How often runs of characters were seen; some share a number. */
export class SeenRuns {
  readonly #times = new Uint16Array(SEEN_KEYS);

  take(bytes: Uint8Array, length: number): void {
    let run = 0;
    for (let end = 0; end < length && end < SEEN_CHARS_MAX; end++) {
      run = (run << 8) | ((bytes[end] as number) & CASELESS);
      const slot = Math.imul(run, MIX) >>> SEEN_SHIFT;
      if (this.#times[slot] !== 65_535) this.#times[slot] = (this.#times[slot] as number) + 1;
    }
  }

  timesOf(key: number): number {
    return this.#times[Math.imul(key, MIX) >>> SEEN_SHIFT] as number;
  }
}
const SEEN_SHIFT = 16;
const SEEN_KEYS = 2 ** (32 - SEEN_SHIFT);
const SEEN_CHARS_MAX = 1000; // of a value

/** Runs of texts, and what to compare where one is met. */
class RunTable {
  looks = 0;
  readonly #mask: number; // of the bytes that make a run
  readonly #shift: number;
  readonly #bits: Int32Array;
  readonly #keys: Int32Array;
  readonly #firsts: Int32Array; // for each key the number of its first run
  readonly #runs: readonly Run[];
  readonly #nexts: Int32Array;
  readonly #masks: Uint8Array | undefined; // where the runs are few

  constructor(size: number, runs: readonly Run[]) {
    this.#mask = maskOf(size);
    const bits = Math.max(BITS_MIN, Math.ceil(Math.log2(runs.length * SPARSE)));
    this.#shift = 32 - bits;
    this.#bits = new Int32Array(2 ** (bits - 5));
    this.#keys = new Int32Array(Math.max(8, 2 ** (bits - 4)));
    this.#firsts = new Int32Array(this.#keys.length).fill(NONE);
    this.#runs = runs;
    this.#nexts = new Int32Array(runs.length).fill(NONE);
    this.#masks = runs.length <= MASKED_MAX ? masksOf(size, runs) : undefined;
    runs.forEach((run, number) => {
      const key = asWord(run.key, size);
      const slot = Math.imul(key, MIX) >>> this.#shift;
      this.#bits[slot >>> 5] = (this.#bits[slot >>> 5] ?? 0) | (1 << (slot & 31));
      const place = this.#placeOf(key);
      this.#keys[place] = key;
      this.#nexts[number] = this.#firsts[place] ?? NONE;
      this.#firsts[place] = number;
    });
  }

  /** Looks at the run at every place. */
  scan(haystack: Haystack, sink: Sink): void {
    if (this.#masks && haystack.hasNext) this.#scanMasked(haystack, this.#masks, sink);
    else this.#scanAll(haystack, sink);
  }

  /** At four at once, since nearly none is there; from about that place on. */
  #scanAll(haystack: Haystack, sink: Sink, from = 0): void {
    const { words, length } = haystack;
    const bits = this.#bits;
    const shift = this.#shift;
    const mask = this.#mask;
    let next = (words[from >> 2] as number) & CASELESS_WORD;
    for (let at = from & ~3; at < length; at += 4) {
      const word = next;
      next = (words[(at >> 2) + 1] as number) & CASELESS_WORD;
      const b = (word >>> 8) | (next << 24);
      const c = (word >>> 16) | (next << 16);
      const d = (word >>> 24) | (next << 8);
      const found =
        bitAt(bits, Math.imul(word & mask, MIX) >>> shift) |
        bitAt(bits, Math.imul(b & mask, MIX) >>> shift) |
        bitAt(bits, Math.imul(c & mask, MIX) >>> shift) |
        bitAt(bits, Math.imul(d & mask, MIX) >>> shift);
      if ((found & 1) === 0) continue;
      this.#lookAt(haystack, word & mask, at, sink);
      this.#lookAt(haystack, b & mask, at + 1, sink);
      this.#lookAt(haystack, c & mask, at + 2, sink);
      this.#lookAt(haystack, d & mask, at + 3, sink);
    }
  }

  /** Looks where the masks say so: they look at sixteen places at once. Where they say so too often, at every place. */
  #scanMasked(haystack: Haystack, masks: Uint8Array, sink: Sink): void {
    const { bytes, length } = haystack;
    let left = LOOKS_FREE + length / PLACES_A_LOOK;
    for (let at = haystack.next(masks, 0); at >= 0; at = haystack.next(masks, at + 1)) {
      left -= 1;
      if (left < 0) {
        this.#scanAll(haystack, sink, at);
        return;
      }
      const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as const;
      const word = (a ?? 0) | ((b ?? 0) << 8) | ((c ?? 0) << 16) | ((d ?? 0) << 24);
      this.#lookAt(haystack, word & CASELESS_WORD & this.#mask, at, sink);
    }
  }

  /** Looks at one word in each step; at four at once, since nearly none is there. */
  scanSteps(haystack: Haystack, stepWords: number, sink: Sink): void {
    const { words } = haystack;
    const last = haystack.length >>> 2;
    const bits = this.#bits;
    const shift = this.#shift;
    let word = 0;
    for (const all = last - 3 * stepWords; word < all; word += 4 * stepWords) {
      const a = slotOf(words[word] as number, shift);
      const b = slotOf(words[word + stepWords] as number, shift);
      const c = slotOf(words[word + 2 * stepWords] as number, shift);
      const d = slotOf(words[word + 3 * stepWords] as number, shift);
      const found = bitAt(bits, a) | bitAt(bits, b) | bitAt(bits, c) | bitAt(bits, d);
      if ((found & 1) === 0) continue;
      for (let at = word; at < word + 4 * stepWords; at += stepWords)
        this.#lookAt(haystack, (words[at] as number) & CASELESS_WORD, at * RUN, sink);
    }
    for (; word < last; word += stepWords)
      this.#lookAt(haystack, (words[word] as number) & CASELESS_WORD, word * RUN, sink);
  }

  #lookAt(haystack: Haystack, key: number, at: number, sink: Sink): void {
    if ((bitAt(this.#bits, Math.imul(key, MIX) >>> this.#shift) & 1) !== 0)
      this.#found(haystack, key, at, sink);
  }

  #found(haystack: Haystack, key: number, at: number, sink: Sink): void {
    for (
      let number = this.#firsts[this.#placeOf(key)] ?? NONE;
      number !== NONE;
      number = this.#nexts[number] ?? NONE
    ) {
      this.looks += 1;
      const { text, start } = this.#runs[number] as Run;
      const from = at - start;
      if (holds(haystack, text.bytes, from) && haystack.confirms(text, from))
        for (const id of text.ids) sink.fire(id);
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

const slotOf = (word: number, shift: number): number =>
  Math.imul(word & CASELESS_WORD, MIX) >>> shift;

/** The bit of a slot as the lowest one; a shift looks at the five lowest bits of how far. */
const bitAt = (bits: Int32Array, slot: number): number => (bits[slot >>> 5] as number) >>> slot;

/** What the loops over vectors know of the runs: like ones share a bucket, so that its masks let little else through. */
function masksOf(size: number, runs: readonly Run[]): Uint8Array {
  const masks = new Uint8Array(MASKS_BYTES);
  const keys = [...new Set(runs.map(({ key }) => asWord(key, size)))].sort(
    (a, b) => (a & 0xff) - (b & 0xff) || a - b,
  );
  for (let at = 0; at < MASKED; at++) {
    const low = masks.subarray(2 * at * NIBBLES);
    const high = low.subarray(NIBBLES);
    if (at >= size) low.fill(0xff, 0, 2 * NIBBLES);
    else
      for (const [place, key] of keys.entries()) {
        const bucket = 1 << Math.floor((place * BUCKETS) / keys.length);
        const code = (key >>> (8 * at)) & 0xff;
        low[code & 0xf] = (low[code & 0xf] ?? 0) | bucket;
        for (const cased of [code, code | ~CASELESS]) {
          const nibble = (cased >>> 4) & 0xf;
          high[nibble] = (high[nibble] ?? 0) | bucket;
        }
      }
  }
  return masks;
}
const BUCKETS = 8;

/** A run's key as a word in memory has it, on machines that have the lowest byte first. */
const asWord = (key: number, size: number): number =>
  (((key >>> 24) | ((key >>> 8) & 0xff00) | ((key & 0xff00) << 8) | (key << 24)) >>>
    (8 * (RUN - size))) |
  0;

function holds({ bytes, length }: Haystack, wanted: Uint8Array, from: number): boolean {
  if (from < 0 || from + wanted.length > length) return false;
  for (let at = 0; at < wanted.length; at++)
    if (FOLDED[bytes[from + at] as number] !== wanted[at]) return false;
  return true;
}

const maskOf = (size: number): number => (size === RUN ? -1 : 2 ** (size * 8) - 1);

function usesOf(texts: readonly Text[]): SeenRuns {
  const uses = new SeenRuns();
  for (const { bytes } of texts) uses.take(bytes, bytes.length);
  return uses;
}

/** As many runs of the text, one behind the other, as the step is wide: those that cost the least. */
function rarest(
  text: Text,
  size: number,
  step: number,
  costOf: (key: number) => number,
): readonly Run[] {
  const runs = runsOf(text, size);
  let best = 0;
  let bestCost = Number.POSITIVE_INFINITY;
  for (let from = 0; from + step <= runs.length; from++) {
    let cost = 0;
    for (let at = from; at < from + step; at++) cost += costOf(runs[at]?.key ?? 0);
    if (cost >= bestCost) continue;
    best = from;
    bestCost = cost;
  }
  return runs.slice(best, best + step);
}

function runsOf(text: Text, size: number): Run[] {
  const mask = maskOf(size);
  const runs: Run[] = [];
  let run = 0;
  for (let end = 0; end < text.bytes.length; end++) {
    run = (run << 8) | ((text.bytes[end] ?? 0) & CASELESS);
    if (end >= size - 1) runs.push({ text, key: run & mask, start: end - size + 1 });
  }
  return runs;
}

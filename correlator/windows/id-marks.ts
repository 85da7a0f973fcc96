// id-marks.ts — which ids were never added, at four to eight bytes an id.
//
// Holds: what says no is right; of those that were not added about one in 500 may be there for all it knows.
// Why:   nearly every event is new. A set of a busy group's ids takes five times the room, and no cache holds those of a
//        thousand groups.
const BITS_AN_ID = 32;
const BITS_MIN = 1024;
const CHARS = 8; // the last ones: numbers and times that count on differ there
const PRIME = 0x01000193; // of FNV-1a
const MIX = 0x9e3779b1;
const MIX_2 = 0x85ebca6b;

export class IdMarks {
  readonly #words: Int32Array;
  readonly #shift: number;
  #room: number;

  constructor(ids: readonly string[]) {
    const bits = Math.ceil(Math.log2(Math.max(BITS_MIN, 2 * ids.length * BITS_AN_ID)));
    this.#words = new Int32Array(2 ** (bits - 5));
    this.#shift = 32 - bits;
    this.#room = 2 ** bits / BITS_AN_ID;
    for (const id of ids) this.add(id);
  }

  mayHave(id: string): boolean {
    const hash = hashOf(id);
    return this.#has(slotOf(hash, MIX, this.#shift)) && this.#has(slotOf(hash, MIX_2, this.#shift));
  }

  /** False when there is no more room: it would say yes too often. */
  add(id: string): boolean {
    const hash = hashOf(id);
    this.#mark(slotOf(hash, MIX, this.#shift));
    this.#mark(slotOf(hash, MIX_2, this.#shift));
    this.#room -= 1;
    return this.#room > 0;
  }

  #has(slot: number): boolean {
    return (((this.#words[slot >>> 5] as number) >>> (slot & 31)) & 1) === 1;
  }

  #mark(slot: number): void {
    this.#words[slot >>> 5] = (this.#words[slot >>> 5] as number) | (1 << (slot & 31));
  }
}

const slotOf = (hash: number, mix: number, shift: number): number => Math.imul(hash, mix) >>> shift;

function hashOf(id: string): number {
  let hash = id.length;
  for (let at = Math.max(0, id.length - CHARS); at < id.length; at++)
    hash = Math.imul(hash ^ id.charCodeAt(at), PRIME);
  return hash ^ (hash >>> 15);
}

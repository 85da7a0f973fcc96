// edges.ts — finds which of many folded texts a folded value begins with, ends with, or is: one walk along a trie until
// it leaves it.
import { FOLDED, type Haystack, type Needle } from "./haystack.ts";
import type { Sink } from "./substrings.ts";

const BYTES = 256;
const MIX = 0x9e3779b1;
const MIX_SHIFT = 9; // the higher bits are the better mixed
const NONE = -1;

type Ending = { readonly needle: Needle; readonly id: number; readonly whole: boolean };

export class Edges {
  readonly #fromEnd: boolean;
  #added: Ending[] = [];
  #nodes = 1;
  #table = new Int32Array(0); // an open hash table: node and byte, then the node behind
  #ends: readonly (readonly Ending[] | undefined)[] = []; // by node

  constructor(from: "start" | "end") {
    this.#fromEnd = from === "end";
  }

  add(needle: Needle, id: number, whole: boolean): void {
    this.#added.push({ needle, id, whole });
  }

  /** To be called once all texts are there. */
  build(): void {
    let edgesMax = 0;
    for (const { needle } of this.#added) edgesMax += needle.bytes.length;
    this.#table = tableFor(edgesMax);
    const ends: (Ending[] | undefined)[] = [];
    for (const ending of this.#added) {
      const node = this.#nodeOf(ending.needle.bytes);
      const others = ends[node];
      if (others) others.push(ending);
      else ends[node] = [ending];
    }
    this.#ends = Array.from({ length: this.#nodes }, (_, node) => ends[node]);
    this.#added = [];
    this.#tighten();
  }

  /** The node at the end of these bytes; what is missing on the way there is made. */
  #nodeOf(bytes: Uint8Array): number {
    let node = 0;
    for (let at = 0; at < bytes.length; at++) {
      const edge = node * BYTES + (bytes[this.#fromEnd ? bytes.length - 1 - at : at] as number);
      const place = this.#placeOf(edge);
      if (this.#table[place] === NONE) {
        this.#table[place] = edge;
        this.#table[place + 1] = this.#nodes;
        this.#nodes += 1;
      }
      node = this.#table[place + 1] as number;
    }
    return node;
  }

  /** Texts share their edges: the table may be much smaller than it had to be to take them all. */
  #tighten(): void {
    const loose = this.#table;
    const tight = tableFor(this.#nodes);
    if (tight.length === loose.length) return;
    this.#table = tight;
    for (let from = 0; from < loose.length; from += 2) {
      const edge = loose[from] as number;
      if (edge === NONE) continue;
      const place = this.#placeOf(edge);
      tight[place] = edge;
      tight[place + 1] = loose[from + 1] as number;
    }
  }

  scan(haystack: Haystack, sink: Sink): void {
    const { bytes, length } = haystack;
    let node = 0;
    for (let at = 0; ; at++) {
      const ends = this.#ends[node];
      if (ends)
        for (const { needle, id, whole } of ends)
          if (
            (!whole || at === length) &&
            haystack.confirms(needle, this.#fromEnd ? length - at : 0)
          )
            sink.fire(id);
      if (at === length) return;
      const byte = bytes[this.#fromEnd ? length - 1 - at : at] as number;
      const place = this.#placeOf(node * BYTES + (FOLDED[byte] as number));
      if (this.#table[place] === NONE) return;
      node = this.#table[place + 1] as number;
    }
  }

  /** Where the edge is, or would be. */
  #placeOf(edge: number): number {
    const table = this.#table;
    const last = table.length - 1;
    let place = ((Math.imul(edge, MIX) >>> MIX_SHIFT) << 1) & last;
    while (table[place] !== NONE && table[place] !== edge) place = (place + 2) & last;
    return place;
  }
}

const tableFor = (edges: number): Int32Array<ArrayBuffer> =>
  new Int32Array(2 ** (Math.ceil(Math.log2(edges * 2 + 2)) + 1)).fill(NONE);

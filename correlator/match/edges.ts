// edges.ts — finds which of many folded texts a folded value begins with, ends with, or is: one walk along a trie until
// it leaves it.
import { FOLDED, type Haystack, type Needle, needleOf } from "./haystack.ts";
import type { Sink } from "./substrings.ts";

const BYTES = 256;
const MIX = 0x9e3779b1;
const MIX_SHIFT = 9; // the higher bits are the better mixed
const NONE = -1;

type Ending = { readonly needle: Needle; readonly id: number; readonly whole: boolean };
type Node = {
  readonly next: Map<number, Node>;
  readonly ends: Ending[]; // texts that end here
  number: number;
};
const newNode = (): Node => ({ next: new Map(), ends: [], number: 0 });

export class Edges {
  readonly #fromEnd: boolean;
  #root: Node | undefined = newNode();
  #nodes = 1;
  #table = new Int32Array(0); // an open hash table: node and byte, then the node behind
  #ends: readonly (readonly Ending[] | undefined)[] = []; // by node

  constructor(from: "start" | "end") {
    this.#fromEnd = from === "end";
  }

  add(text: string, id: number, whole: boolean): void {
    let node = this.#root;
    if (!node) throw new Error("the edges are built already");
    const needle = needleOf(text);
    const { bytes } = needle;
    for (let at = 0; at < bytes.length; at++) {
      const code = bytes[this.#fromEnd ? bytes.length - 1 - at : at] ?? 0;
      const next: Node = node.next.get(code) ?? newNode();
      if (!node.next.has(code)) this.#nodes += 1;
      node.next.set(code, next);
      node = next;
    }
    node.ends.push({ needle, id, whole });
  }

  /** To be called once all texts are there. */
  build(): void {
    const nodes = this.#root ? numbered(this.#root) : [];
    const size = 2 ** Math.ceil(Math.log2(this.#nodes * 2 + 2));
    this.#table = new Int32Array(size * 2).fill(NONE);
    this.#ends = nodes.map(({ ends }) => (ends.length > 0 ? ends : undefined));
    for (const node of nodes)
      for (const [code, next] of node.next) {
        const edge = node.number * BYTES + code;
        const place = this.#placeOf(edge);
        this.#table[place] = edge;
        this.#table[place + 1] = next.number;
      }
    this.#root = undefined;
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

/** All nodes, the root first; each gets its place as its number. */
function numbered(root: Node): readonly Node[] {
  const nodes = [root];
  for (let at = 0; at < nodes.length; at++)
    for (const next of nodes[at]?.next.values() ?? []) {
      next.number = nodes.length;
      nodes.push(next);
    }
  return nodes;
}

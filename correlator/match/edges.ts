// edges.ts — finds which of many folded texts a folded value begins with, ends with, or is: one walk along a trie until
// it leaves it.
import { FOLDED, type Haystack, type Needle, needleOf } from "./haystack.ts";
import type { Sink } from "./substrings.ts";

const MIX_NODE = 0x9e3779b1;
const MIX_CODE = 0x85ebca6b;
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
  #parents = new Int32Array(0); // an open hash table: node and character to node
  #codes = new Int32Array(0);
  #targets = new Int32Array(0);
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
    this.#parents = new Int32Array(size).fill(NONE);
    this.#codes = new Int32Array(size);
    this.#targets = new Int32Array(size);
    this.#ends = nodes.map(({ ends }) => (ends.length > 0 ? ends : undefined));
    for (const node of nodes)
      for (const [code, next] of node.next) {
        const place = this.#placeOf(node.number, code);
        this.#parents[place] = node.number;
        this.#codes[place] = code;
        this.#targets[place] = next.number;
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
      const place = this.#placeOf(node, FOLDED[byte] as number);
      if (this.#parents[place] === NONE) return;
      node = this.#targets[place] as number;
    }
  }

  #placeOf(node: number, code: number): number {
    const last = this.#parents.length - 1;
    let place = ((Math.imul(node, MIX_NODE) ^ Math.imul(code, MIX_CODE)) >>> 7) & last;
    while (
      this.#parents[place] !== NONE &&
      (this.#parents[place] !== node || this.#codes[place] !== code)
    )
      place = (place + 1) & last;
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

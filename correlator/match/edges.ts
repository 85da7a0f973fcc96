// edges.ts — finds which of many texts a value begins with, ends with, or is: one walk along a trie until it leaves it.
import { fold } from "../sigma/text.ts";
import { ASCII_MAX, FOLDED, type Sink } from "./folding.ts";

const MIX_NODE = 0x9e3779b1;
const MIX_CODE = 0x85ebca6b;
const NONE = -1;

type Node = {
  readonly next: Map<number, Node>;
  readonly edge: number[]; // ids of texts that end here
  readonly whole: number[]; // the same, where the value must end as well
  number: number;
};
const newNode = (): Node => ({ next: new Map(), edge: [], whole: [], number: 0 });

export class Edges {
  readonly #fromEnd: boolean;
  #root: Node | undefined = newNode();
  #nodes = 1;
  #parents = new Int32Array(0); // an open hash table: node and character to node
  #codes = new Int32Array(0);
  #targets = new Int32Array(0);
  #edge: readonly (readonly number[])[] = [];
  #whole: readonly (readonly number[])[] = [];

  constructor(from: "start" | "end") {
    this.#fromEnd = from === "end";
  }

  add(text: string, id: number, whole: boolean): void {
    let node = this.#root;
    if (!node) throw new Error("the edges are built already");
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(this.#fromEnd ? text.length - 1 - at : at);
      const next: Node = node.next.get(code) ?? newNode();
      if (!node.next.has(code)) this.#nodes += 1;
      node.next.set(code, next);
      node = next;
    }
    (whole ? node.whole : node.edge).push(id);
  }

  /** To be called once all texts are there. */
  build(): void {
    const nodes = this.#root ? numbered(this.#root) : [];
    const size = 2 ** Math.ceil(Math.log2(this.#nodes * 2 + 2));
    this.#parents = new Int32Array(size).fill(NONE);
    this.#codes = new Int32Array(size);
    this.#targets = new Int32Array(size);
    this.#edge = nodes.map(({ edge }) => edge);
    this.#whole = nodes.map(({ whole }) => whole);
    for (const node of nodes)
      for (const [code, next] of node.next) {
        const place = this.#placeOf(node.number, code);
        this.#parents[place] = node.number;
        this.#codes[place] = code;
        this.#targets[place] = next.number;
      }
    this.#root = undefined;
  }

  scan(text: string, sink: Sink): void {
    if (!this.#walk(text, sink, ASCII_MAX)) this.#walk(fold(text), sink, 65_535);
  }

  /** False where a character is beyond `codeMax`. */
  #walk(text: string, sink: Sink, codeMax: number): boolean {
    const { length } = text;
    let node = 0;
    for (let at = 0; ; at++) {
      for (const id of this.#edge[node] ?? []) sink.fire(id);
      if (at === length) {
        for (const id of this.#whole[node] ?? []) sink.fire(id);
        return true;
      }
      const code = text.charCodeAt(this.#fromEnd ? length - 1 - at : at);
      if (code > codeMax) return false;
      const place = this.#placeOf(node, FOLDED[code] as number);
      if (this.#parents[place] === NONE) return true;
      node = this.#targets[place] as number;
    }
  }

  #placeOf(node: number, code: number): number {
    const last = this.#parents.length - 1;
    let place = (Math.imul(node, MIX_NODE) ^ Math.imul(code, MIX_CODE)) >>> 7 & last;
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

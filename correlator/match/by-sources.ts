// by-sources.ts — something for each set of log sources that events come from, found without making a name of the set.
//
// Holds: no more than WORDS_MAX words of sets; beyond them all is forgotten, and made again.
import type { LogSource } from "../../core/event.ts";
import { Recent } from "../recent.ts";

const WORDS_MAX = 30_000;

type Own<T> = { readonly sources: readonly LogSource[]; readonly value: T };
type Node<T> = { readonly next: Map<string, Node<T>>; own?: Own<T> };

export class BySources<T> {
  #root: Node<T> = { next: new Map() };
  #kept = 0; // words
  readonly #recent = new Recent<Own<T>>();
  readonly #words: ReadonlySet<string> | undefined;

  /** Where words are given, any other is as good as none: an event may say what it likes, a rule looks for these. */
  constructor(words?: ReadonlySet<string>) {
    this.#words = words;
  }

  /** What stands for the set; made when it comes for the first time. */
  of(sources: readonly LogSource[], make: () => T): T {
    for (const own of this.#recent.all) if (own.sources === sources) return own.value;
    const node = this.#nodeOf(sources);
    node.own ??= { sources, value: make() };
    const { value } = node.own;
    this.#recent.add({ sources, value });
    return value;
  }

  set(sources: readonly LogSource[], value: T): void {
    this.#nodeOf(sources).own = { sources, value };
    this.#recent.clear();
  }

  all(): readonly (readonly LogSource[])[] {
    return ownBelow(this.#root).map(({ sources }) => sources);
  }

  #nodeOf(sources: readonly LogSource[]): Node<T> {
    if (this.#kept > WORDS_MAX) {
      this.#root = { next: new Map() };
      this.#kept = 0;
    }
    let node = this.#root;
    for (const { product, category, service } of sources) {
      node = this.#below(node, product);
      node = this.#below(node, category);
      node = this.#below(node, service);
    }
    return node;
  }

  #below(node: Node<T>, said = ""): Node<T> {
    const word = this.#words === undefined || this.#words.has(said) ? said : "";
    const known = node.next.get(word);
    if (known) return known;
    const made: Node<T> = { next: new Map() };
    node.next.set(word, made);
    this.#kept += 1;
    return made;
  }
}

function ownBelow<T>({ own, next }: Node<T>): Own<T>[] {
  return [...(own ? [own] : []), ...[...next.values()].flatMap(ownBelow<T>)];
}

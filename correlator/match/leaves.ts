// leaves.ts — the predicates of a plan, each once, and their answers for the event that is being matched.
//
// Holds: a predicate is answered at most once an event; one that the index looks for is answered by it.
import { FieldReader } from "../../core/field-reader.ts";
import type { EventField, Predicate } from "../sigma/rule.ts";
import { fold } from "../sigma/text.ts";
import type { Haystack } from "./haystack.ts";
import { type Known, KnownValues, type Room } from "./known-values.ts";
import { type Literal, literalOf } from "./literals.ts";
import type { Readable } from "./matcher.ts";
import { foldedTest, isKeyword, type OfTexts, onTexts, textTest, valueTest } from "./predicate.ts";
import { regexGuard } from "./regex-literals.ts";
import { cut, textsOfEvent } from "./values.ts";

export type Leaf = {
  readonly predicate: Predicate;
  readonly slot: number; // of its field; KEYWORD where it has none
  readonly literal: Literal | undefined;
  readonly id: number | undefined; // fires when the index finds it; undefined where it can only be asked
  readonly present: number | undefined; // fires when its field is there; undefined where it may be true of a missing one
  readonly isOfOneField: boolean; // it asks for nothing but its field's value
  readonly test: () => boolean;
  isIndexed: boolean; // the index looks for it: where it has not fired it is not true
  asked: number; // in how many events its own test was done, since it was weighed last
  isAskedOften: boolean;
};
export const KEYWORD = -1;
/** Of all plans of a matcher, which never match at the same time. */
export type Shared = { readonly haystack: Haystack; readonly room: Room };

export class Leaves {
  readonly reader = new FieldReader();
  readonly present: (number | undefined)[] = []; // by slot
  readonly priors: number[] = []; // by id: how often it may fire
  readonly all: Leaf[] = [];
  fired: number[] = []; // by id: the stamp of the event in which it fired last
  stamp = 0;
  readonly #byText = new Map<string, Leaf>();
  readonly #byPredicate = new Map<Predicate, Leaf>(); // the same object comes again at each weighing
  readonly #folded: (string | undefined)[] = []; // by slot
  readonly #foldedAt: number[] = []; // by slot: the stamp of the event
  readonly #shared: Shared;
  readonly #values: KnownValues[] = []; // by slot
  readonly #known: (Known | undefined)[] = []; // by slot
  readonly #knownAt: number[] = []; // by slot: the stamp of the event
  #questions = 0;
  #event: Readable = {};
  #texts: readonly string[] | undefined;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  leafOf(predicate: Predicate): Leaf {
    const known = this.#byPredicate.get(predicate);
    if (known) return known;
    const { field } = predicate;
    const slot = field === null ? KEYWORD : this.reader.slotOf(field.paths);
    const name = `${slot} ${askedBy(predicate)}`;
    const leaf = this.#byText.get(name) ?? this.#newLeaf(predicate, slot);
    this.#byPredicate.set(predicate, leaf);
    if (this.#byText.has(name)) return leaf;
    this.#byText.set(name, leaf);
    this.all.push(leaf);
    return leaf;
  }

  /** Goes on to the next event; gives the slots of the fields that it has. */
  read(event: Readable): readonly number[] {
    this.#event = event;
    this.#texts = undefined;
    this.stamp += 1;
    return this.reader.read(event);
  }

  /** The folded text of a field that is text; undefined where it is something else. */
  folded(slot: number): string | undefined {
    if (this.#foldedAt[slot] === this.stamp) return this.#folded[slot];
    const value = this.reader.value(slot);
    const folded = typeof value === "string" ? fold(cut(value)) : undefined;
    this.#folded[slot] = folded;
    this.#foldedAt[slot] = this.stamp;
    return folded;
  }

  /** What is known of the field's value; undefined where nothing is kept of it. */
  known(slot: number): Known | undefined {
    if (this.#knownAt[slot] === this.stamp) return this.#known[slot];
    this.#values[slot] ??= new KnownValues(this.#shared.room);
    const known = this.#values[slot].of(this.reader.value(slot), this.#shared.haystack);
    this.#known[slot] = known;
    this.#knownAt[slot] = this.stamp;
    return known;
  }

  /** The field's index changed, and with it what it finds. */
  forgetKnown(slot: number): void {
    this.#values[slot]?.clear();
    delete this.#values[slot];
    this.#knownAt[slot] = 0;
  }

  /** A test that asks for nothing but the value of one field, done once for a value that is known. */
  remembered(slot: number, test: () => boolean): () => boolean {
    const question = this.#questions++;
    return () => {
      const answers = this.known(slot)?.answers;
      if (!answers) return test();
      let answer = answers.get(question);
      if (answer === undefined) {
        answer = test();
        answers.set(question, answer);
      }
      return answer;
    };
  }

  texts(): readonly string[] {
    this.#texts ??= textsOfEvent(this.#event);
    return this.#texts;
  }

  #newLeaf(predicate: Predicate, slot: number): Leaf {
    const literal = literalOf(predicate);
    const canBeFound = literal !== undefined || predicate.kind === "number";
    const id = canBeFound ? this.#newId(priorOf(literal)) : undefined;
    const present =
      predicate.field === null || predicate.kind === "null"
        ? undefined
        : this.#presence(predicate.field);
    const test = this.#ownTest(predicate, slot);
    const counted = (): boolean => {
      leaf.asked += 1;
      return test();
    };
    const isOfOneField = slot !== KEYWORD && predicate.kind !== "fieldref";
    const own = this.#once(isOfOneField ? this.remembered(slot, counted) : counted);
    const isExact = literal?.exact ?? true;
    const leaf: Leaf = {
      ...{
        predicate,
        slot,
        literal,
        id,
        present,
        isOfOneField,
        isIndexed: false,
        asked: 0,
        isAskedOften: false,
      },
      test: () => {
        if (!leaf.isIndexed || id === undefined) return own();
        return this.fired[id] === this.stamp && (isExact || own());
      },
    };
    return leaf;
  }

  #newId(prior: number): number {
    this.priors.push(prior);
    this.fired.push(0);
    return this.priors.length - 1;
  }

  #presence(field: EventField): number {
    const slot = this.reader.slotOf(field.paths);
    const id = this.present[slot] ?? this.#newId(PRESENCE_PRIOR);
    this.present[slot] = id;
    return id;
  }

  #once(test: () => boolean): () => boolean {
    let stamp = 0;
    let result = false;
    return () => {
      if (stamp !== this.stamp) {
        stamp = this.stamp;
        result = test();
      }
      return result;
    };
  }

  #ownTest(predicate: Predicate, slot: number): () => boolean {
    const test = predicate.kind === "regex" ? onTexts(guarded(predicate)) : valueTest(predicate);
    if (isKeyword(predicate)) {
      const ofText = guarded(predicate);
      return () => this.texts().some(ofText);
    }
    const onFolded = foldedTest(predicate);
    if (onFolded)
      return () => {
        const folded = this.folded(slot);
        return folded === undefined ? test(this.reader.value(slot)) : onFolded(folded);
      };
    if (predicate.kind !== "fieldref") return () => test(this.reader.value(slot));
    const other = this.reader.slotOf(predicate.other.paths);
    return () => test(this.reader.value(slot), this.reader.value(other));
  }
}

/** The test on a text; an expression's engine is asked only where it may find something. */
function guarded(predicate: OfTexts): (text: string) => boolean {
  const test = textTest(predicate);
  if (predicate.kind !== "regex") return test;
  const mayMatch = regexGuard(predicate.source);
  return (text) => mayMatch(text) && test(text);
}

/** What a predicate asks of its field, the same text for the same question. */
function askedBy(predicate: Predicate): string {
  if (predicate.kind === "text") return `${predicate.place} ${predicate.cased} ${predicate.text}`;
  const { field: _, ...asked } = predicate;
  return JSON.stringify(asked);
}

const NUMBER_PRIOR = 0.05;
const PRESENCE_PRIOR = 0.9;
const PRIOR_MIN = 0.002;

/** Before anything was seen: a longer text stands in fewer values. */
function priorOf(literal: Literal | undefined): number {
  if (!literal) return NUMBER_PRIOR;
  let prior = 0;
  for (const { text } of literal.needles) prior += Math.max(PRIOR_MIN, 0.6 ** text.length);
  return prior;
}

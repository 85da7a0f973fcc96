// plan.ts — everything that rules ask of the events of one set of log sources, as one shared index.
//
// In:    an event.
// Out:   the rules that it satisfies.
// Holds: equal predicates are answered once an event, whatever number of rules use them; a rule is looked at only when
//        what it cannot do without has fired. The answers are those of plain.ts.
import type { DetectionRule, EventField, Expression, Predicate } from "../sigma/rule.ts";
import { coverOf, type Weighing } from "./cover.ts";
import { FieldIndex } from "./field-index.ts";
import { literalOf } from "./literals.ts";
import type { Match, Readable } from "./matcher.ts";
import { isKeyword, textTest, valueTest } from "./predicate.ts";
import { FieldReader } from "./reader.ts";
import { selectionsOf } from "./selections.ts";
import { textsOfEvent } from "./values.ts";

const WEIGH_AT_EVENTS = [200, 2000, 20_000]; // then what was seen to fire decides what rules wait for

type Test = () => boolean;
type Known = { readonly id: number; readonly wakes: number | undefined; readonly test: Test };
type Compiled = {
  readonly rule: DetectionRule;
  readonly test: Test;
  readonly selections: readonly { readonly name: string; readonly test: Test }[];
};

export class Plan {
  readonly #rules: readonly Compiled[];
  readonly #predicates = new Map<string, Known>();
  readonly #reader = new FieldReader();
  readonly #fields: (FieldIndex | undefined)[] = []; // by slot
  readonly #present: (number | undefined)[] = []; // by slot: the id that fires when the field is there
  #keywords: FieldIndex | undefined;
  readonly #priors: number[] = []; // by id
  #event: Readable = {};
  #texts: readonly string[] | undefined;
  #stamp = 0;
  #fired: number[] = []; // by id: the stamp of the event in which it fired last
  #fires: number[] = []; // by id: how often
  #wakes: (readonly number[])[] = []; // by id: the places of rules that wait for it
  #always: readonly number[] = [];
  #wokenAt: number[] = []; // by rule
  #woken: number[] = [];
  #events = 0;

  constructor(rules: readonly DetectionRule[]) {
    const tests = new Map<Expression, Test>();
    this.#rules = rules.map((rule) => ({
      rule,
      test: this.#testOf(rule.condition, tests),
      selections: selectionsOf(rule.condition).map((one) => ({
        name: one.name,
        test: this.#testOf(one, tests),
      })),
    }));
    for (const field of this.#fields) field?.build();
    this.#keywords?.build();
    this.#fired = this.#priors.map(() => 0);
    this.#fires = this.#priors.map(() => 0);
    this.#wokenAt = rules.map(() => 0);
    this.#weigh();
  }

  match(event: Readable): readonly Match[] {
    this.#event = event;
    this.#texts = undefined;
    this.#stamp += 1;
    this.#events += 1;
    this.#woken = this.#always.length === 0 ? [] : [...this.#always];
    for (const slot of this.#reader.read(event)) {
      const present = this.#present[slot];
      if (present !== undefined) this.fire(present);
      this.#fields[slot]?.scan(this.#reader.value(slot), this);
    }
    if (this.#keywords) for (const text of this.#textsOf()) this.#keywords.scan(text, this);
    const matched = this.#woken.length === 0 ? NONE : this.#matched();
    if (WEIGH_AT_EVENTS.includes(this.#events)) this.#weigh();
    return matched;
  }

  /** A predicate is true of the event, or likely. */
  fire(id: number): void {
    if (this.#fired[id] === this.#stamp) return;
    this.#fired[id] = this.#stamp;
    this.#fires[id] = (this.#fires[id] as number) + 1;
    for (const place of this.#wakes[id] ?? []) {
      if (this.#wokenAt[place] === this.#stamp) continue;
      this.#wokenAt[place] = this.#stamp;
      this.#woken.push(place);
    }
  }

  #matched(): readonly Match[] {
    let matched: number[] | undefined;
    for (const place of this.#woken)
      if (this.#rules[place]?.test()) {
        matched ??= [];
        matched.push(place);
      }
    if (!matched) return NONE;
    return matched
      .sort((a, b) => a - b)
      .flatMap((place) => {
        const compiled = this.#rules[place];
        if (!compiled) return [];
        const selections = compiled.selections.filter(({ test }) => test()).map(({ name }) => name);
        return [{ rule: compiled.rule, event: this.#event, selections }];
      });
  }

  /** Decides what each rule waits for. */
  #weigh(): void {
    const weighing: Weighing = {
      idOf: (predicate) => this.#known(predicate).wakes,
      weightOf: (id) =>
        this.#events === 0
          ? (this.#priors[id] ?? 1)
          : ((this.#fires[id] ?? 0) + (this.#priors[id] ?? 1)) / (this.#events + 1),
    };
    const wakes: number[][] = this.#priors.map(() => []);
    const always: number[] = [];
    this.#rules.forEach(({ rule }, place) => {
      const cover = coverOf(rule.condition, weighing);
      if (!cover) always.push(place);
      for (const id of cover?.ids ?? []) wakes[id]?.push(place);
    });
    this.#wakes = wakes;
    this.#always = always;
  }

  #testOf(expression: Expression, tests: Map<Expression, Test>): Test {
    const known = tests.get(expression);
    if (known) return known;
    const test = this.#compile(expression, tests);
    tests.set(expression, test);
    return test;
  }

  #compile(expression: Expression, tests: Map<Expression, Test>): Test {
    switch (expression.kind) {
      case "predicate":
        return this.#known(expression.predicate).test;
      case "selection":
        return this.#testOf(expression.of, tests);
      case "not": {
        const inner = this.#testOf(expression.of, tests);
        return () => !inner();
      }
      case "and": {
        const all = expression.of.map((one) => this.#testOf(one, tests));
        return () => {
          for (const test of all) if (!test()) return false;
          return true;
        };
      }
      case "or": {
        const any = expression.of.map((one) => this.#testOf(one, tests));
        return () => {
          for (const test of any) if (test()) return true;
          return false;
        };
      }
    }
  }

  #known(predicate: Predicate): Known {
    const name = JSON.stringify(predicate);
    const known = this.#predicates.get(name);
    if (known) return known;
    const made = this.#register(predicate);
    this.#predicates.set(name, made);
    return made;
  }

  #register(predicate: Predicate): Known {
    const literal = literalOf(predicate);
    const isNumber = predicate.kind === "number";
    if (literal || isNumber) {
      const id = this.#newId(literal ? priorOf(literal.text.length) : NUMBER_PRIOR);
      const index = this.#indexOf(predicate.field);
      if (literal) index.addLiteral(literal, id);
      else if (isNumber) index.addNumber(predicate.value, id);
      const fired: Test = () => this.#fired[id] === this.#stamp;
      if (literal && !literal.exact) {
        const closer = this.#once(predicate);
        return { id, wakes: id, test: () => fired() && closer() };
      }
      return { id, wakes: id, test: fired };
    }
    const test = this.#once(predicate);
    if (predicate.kind === "null" || predicate.field === null)
      return { id: NO_ID, wakes: undefined, test };
    return { id: NO_ID, wakes: this.#presence(predicate.field), test };
  }

  #newId(prior: number): number {
    this.#priors.push(prior);
    return this.#priors.length - 1;
  }

  #indexOf(field: EventField | null): FieldIndex {
    if (field === null) {
      this.#keywords ??= new FieldIndex();
      return this.#keywords;
    }
    const slot = this.#reader.slotOf(field);
    const known = this.#fields[slot] ?? new FieldIndex();
    this.#fields[slot] = known;
    return known;
  }

  #presence(field: EventField): number {
    const slot = this.#reader.slotOf(field);
    const id = this.#present[slot] ?? this.#newId(PRESENCE_PRIOR);
    this.#present[slot] = id;
    return id;
  }

  /** The predicate's own test, done at most once an event. */
  #once(predicate: Predicate): Test {
    const test = this.#ownTest(predicate);
    let stamp = 0;
    let result = false;
    return () => {
      if (stamp === this.#stamp) return result;
      stamp = this.#stamp;
      result = test();
      return result;
    };
  }

  #ownTest(predicate: Predicate): Test {
    if (isKeyword(predicate)) {
      const test = textTest(predicate);
      return () => this.#textsOf().some(test);
    }
    const slot = this.#reader.slotOf(predicate.field);
    const test = valueTest(predicate);
    if (predicate.kind !== "fieldref") return () => test(this.#reader.value(slot));
    const other = this.#reader.slotOf(predicate.other);
    return () => test(this.#reader.value(slot), this.#reader.value(other));
  }

  #textsOf(): readonly string[] {
    this.#texts ??= textsOfEvent(this.#event);
    return this.#texts;
  }
}

const NONE: readonly Match[] = [];
const NO_ID = -1;
const NUMBER_PRIOR = 0.05;
const PRESENCE_PRIOR = 0.9;

/** Before anything was seen: a longer text stands in fewer values. */
const priorOf = (chars: number): number => Math.max(0.002, 0.6 ** chars);

// conditions.ts — compiles conditions to tests on the event that was read last.
//
// Holds: an expression is compiled once; the largest part of a condition that asks for one field alone is a question,
//        whose answer is remembered for a value that comes again.
import type { Expression } from "../sigma/rule.ts";
import type { Leaves } from "./leaves.ts";

export type Test = () => boolean;
type Part = {
  readonly test: Test;
  readonly slot: number | undefined; // of the one field that it asks for
  readonly isLeaf: boolean; // remembers by itself
};

export class Conditions {
  readonly #leaves: Leaves;
  readonly #parts = new Map<Expression, Part>();
  readonly #tests = new Map<Part, Test>();

  constructor(leaves: Leaves) {
    this.#leaves = leaves;
  }

  testOf(expression: Expression): Test {
    return this.#remembered(this.#partOf(expression));
  }

  #remembered(part: Part): Test {
    const { slot, test, isLeaf } = part;
    if (slot === undefined || isLeaf) return test;
    const known = this.#tests.get(part) ?? this.#leaves.remembered(slot, test);
    this.#tests.set(part, known);
    return known;
  }

  #partOf(expression: Expression): Part {
    const known = this.#parts.get(expression);
    if (known) return known;
    const part = this.#compile(expression);
    this.#parts.set(expression, part);
    return part;
  }

  #compile(expression: Expression): Part {
    switch (expression.kind) {
      case "predicate": {
        const { test, slot, isOfOneField } = this.#leaves.leafOf(expression.predicate);
        return { test, slot: isOfOneField ? slot : undefined, isLeaf: true };
      }
      case "selection":
        return this.#partOf(expression.of);
      case "not": {
        const { test, slot, isLeaf } = this.#partOf(expression.of);
        return { test: () => !test(), slot, isLeaf };
      }
      case "and":
        return this.#together(expression.of, (tests) => () => {
          for (const test of tests) if (!test()) return false;
          return true;
        });
      case "or":
        return this.#together(expression.of, (tests) => () => {
          for (const test of tests) if (test()) return true;
          return false;
        });
    }
  }

  #together(all: readonly Expression[], combine: (tests: readonly Test[]) => Test): Part {
    const parts = all.map((one) => this.#partOf(one));
    const slot = parts[0]?.slot;
    const isOfOneField = slot !== undefined && parts.every((part) => part.slot === slot);
    if (isOfOneField) return { test: combine(parts.map(({ test }) => test)), slot, isLeaf: false };
    return {
      test: combine(parts.map((part) => this.#remembered(part))),
      slot: undefined,
      isLeaf: false,
    };
  }
}

// expression.ts — an expression over rule names: drawn, written, and tried in the plainest words.
import type { Chance } from "./chance.ts";

export type Expression =
  | { readonly rule: number } // by its place in `rules`
  | { readonly not: Expression }
  | { readonly word: "and" | "or"; readonly of: readonly Expression[] };

/** Names each of the rules, some of them twice. */
export function drawExpression(chance: Chance, rules: number): Expression {
  const places = chance.shuffled(Array.from({ length: rules }, (_, rule) => rule));
  if (chance.is(0.2)) places.push(chance.int(0, rules - 1));
  return joined(chance, places);
}

function joined(chance: Chance, places: readonly number[]): Expression {
  const [rule = 0] = places;
  const cut = chance.int(1, Math.max(1, places.length - 1));
  const plain: Expression =
    places.length === 1
      ? { rule }
      : {
          word: chance.one(["and", "or"]),
          of: [joined(chance, places.slice(0, cut)), joined(chance, places.slice(cut))],
        };
  return chance.is(0.25) ? { not: plain } : plain;
}

export function textOf(expression: Expression, names: readonly string[]): string {
  if ("rule" in expression) return names[expression.rule] ?? "";
  if ("not" in expression) return `not (${textOf(expression.not, names)})`;
  return `(${expression.of.map((one) => textOf(one, names)).join(` ${expression.word} `)})`;
}

/** `comes` and `stays away` of a rule: not always the opposite, where an order is asked for too. */
export function isTrue(
  expression: Expression,
  of: { readonly comes: (rule: number) => boolean; readonly staysAway: (rule: number) => boolean },
): boolean {
  if ("rule" in expression) return of.comes(expression.rule);
  if ("not" in expression) return isFalse(expression.not, of);
  if (expression.word === "and") return expression.of.every((one) => isTrue(one, of));
  return expression.of.some((one) => isTrue(one, of));
}

function isFalse(expression: Expression, of: Parameters<typeof isTrue>[1]): boolean {
  if ("rule" in expression) return of.staysAway(expression.rule);
  if ("not" in expression) return isTrue(expression.not, of);
  if (expression.word === "and") return expression.of.some((one) => isFalse(one, of));
  return expression.of.every((one) => isFalse(one, of));
}

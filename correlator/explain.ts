// explain.ts — why a rule matches an event, or why not: each test with the value that it met.
//
// In:    a rule, an event and its log sources.
// Out:   the condition with what each part of it gives; for each selection the tree of tests below it; the same for each
//        filter that is laid over the rule.
// Holds: the answers are those of match/plain.ts; the event's values are cut for people to read.
import type { LogSource } from "../core/event.ts";
import { looksAt, type Readable } from "./match/matcher.ts";
import { isKeyword, textTest, valueTest } from "./match/predicate.ts";
import { selectionsOf } from "./match/selections.ts";
import { textsOfEvent, valueAt } from "./match/values.ts";
import { unfiltered } from "./sigma/filter.ts";
import type { DetectionRule, EventField, Expression, Predicate, Token } from "./sigma/rule.ts";

const VALUE_CHARS_MAX = 200;

export type Explanation = {
  readonly rule: string;
  readonly title: string;
  readonly at: string;
  readonly looksAt: boolean; // the event belongs to the rule's log source
  readonly matches: boolean;
  readonly filters: readonly FilterExplanation[];
} & ConditionExplanation;
export type ConditionExplanation = {
  readonly condition: Part;
  readonly selections: readonly { readonly name: string; readonly why: Why }[];
};
/** Its condition is what the filter lets pass. */
export type FilterExplanation = {
  readonly title: string;
  readonly at: string;
  readonly suppresses: boolean;
} & ConditionExplanation;
/** A condition down to its selections. */
export type Part = { readonly holds: boolean } & (
  | { readonly kind: "all" | "any" | "not"; readonly of: readonly Part[] }
  | { readonly kind: "selection"; readonly name: string }
);
export type Why = { readonly holds: boolean } & (
  | { readonly kind: "all" | "any" | "not"; readonly of: readonly Why[] }
  | {
      readonly kind: "test";
      readonly field: string | null; // null: any text of the event
      readonly test: string;
      readonly path?: string; // where the value stands; absent where the field is missing
      readonly value?: unknown;
    }
);

export function explainMatch(
  rule: DetectionRule,
  event: Readable,
  sources: readonly LogSource[],
): Explanation {
  const isLookedAt = looksAt(rule.logsource, sources);
  const { own, passes } = unfiltered(rule);
  return {
    rule: rule.about.id,
    title: rule.about.title,
    at: rule.at,
    looksAt: isLookedAt,
    matches: isLookedAt && whyOf(rule.condition, event).holds,
    ...explainCondition(own, event),
    filters: passes.map((pass, place) => {
      const { title = "", at = "" } = rule.filters?.[place] ?? {};
      const explained = explainCondition(pass, event);
      return { title, at, suppresses: !explained.condition.holds, ...explained };
    }),
  };
}

const explainCondition = (condition: Expression, event: Readable): ConditionExplanation => ({
  condition: partOf(condition, event),
  selections: selectionsOf(condition).map(({ name, of }) => ({ name, why: whyOf(of, event) })),
});

function partOf(expression: Expression, event: Readable): Part {
  switch (expression.kind) {
    case "predicate": {
      const { holds } = whyOf(expression, event);
      return { kind: "selection", name: wordsOf(expression.predicate), holds };
    }
    case "selection":
      return { kind: "selection", name: expression.name, holds: whyOf(expression, event).holds };
    case "not": {
      const of = partOf(expression.of, event);
      return { kind: "not", holds: !of.holds, of: [of] };
    }
    case "and": {
      const of = expression.of.map((one) => partOf(one, event));
      return { kind: "all", holds: of.every(({ holds }) => holds), of };
    }
    case "or": {
      const of = expression.of.map((one) => partOf(one, event));
      return { kind: "any", holds: of.some(({ holds }) => holds), of };
    }
  }
}

function whyOf(expression: Expression, event: Readable): Why {
  switch (expression.kind) {
    case "predicate":
      return testOf(expression.predicate, event);
    case "selection":
      return whyOf(expression.of, event);
    case "not": {
      const of = whyOf(expression.of, event);
      return { kind: "not", holds: !of.holds, of: [of] };
    }
    case "and": {
      const of = expression.of.map((one) => whyOf(one, event));
      return { kind: "all", holds: of.every(({ holds }) => holds), of };
    }
    case "or": {
      const of = expression.of.map((one) => whyOf(one, event));
      return { kind: "any", holds: of.some(({ holds }) => holds), of };
    }
  }
}

function testOf(predicate: Predicate, event: Readable): Why {
  const test = wordsOf(predicate);
  if (isKeyword(predicate)) {
    const found = textsOfEvent(event).find(textTest(predicate));
    const shown = found === undefined ? {} : { value: cut(found) };
    return { kind: "test", field: null, test, holds: found !== undefined, ...shown };
  }
  const value = valueAt(event, predicate.field);
  const other = predicate.kind === "fieldref" ? valueAt(event, predicate.other) : undefined;
  const holds = valueTest(predicate)(value, other);
  const path = pathOf(event, predicate.field);
  const shown = path === undefined ? {} : { path, value: cut(value) };
  return { kind: "test", field: predicate.field.name, test, holds, ...shown };
}

const pathOf = (event: Readable, { paths }: EventField): string | undefined =>
  paths.find((path) => valueAt(event, { paths: [path] }) !== undefined);

function cut(value: unknown): unknown {
  if (typeof value === "string" && value.length > VALUE_CHARS_MAX)
    return `${value.slice(0, VALUE_CHARS_MAX)}…`;
  if (typeof value !== "object" || value === null) return value;
  const text = JSON.stringify(value);
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : value;
}

const PLACES = { whole: "is", start: "begins with", end: "ends with", within: "contains" } as const;
const OPERATORS = { lt: "<", lte: "<=", gt: ">", gte: ">=", eq: "=" } as const;

/** What is asked, in words: `ends with \cmd.exe`. */
function wordsOf(predicate: Predicate): string {
  switch (predicate.kind) {
    case "text":
      return `${PLACES[predicate.place]} ${JSON.stringify(predicate.text)}${predicate.cased ? ", in this case" : ""}`;
    case "pattern":
      return `is like ${JSON.stringify(predicate.tokens.map(textOf).join(""))}${predicate.cased ? ", in this case" : ""}`;
    case "regex":
      return `matches /${predicate.source}/${predicate.flags}`;
    case "number":
      return `is ${predicate.value}`;
    case "boolean":
      return `is ${predicate.value}`;
    case "null":
      return "is null or missing";
    case "exists":
      return "is there";
    case "cidr":
      return `is in ${predicate.network}`;
    case "compare":
      return `${predicate.part === undefined ? "" : `${predicate.part} `}${OPERATORS[predicate.operator]} ${predicate.value}`;
    case "fieldref":
      return `${PLACES[predicate.place]} the value of ${predicate.other.name}`;
  }
}

const textOf = (token: Token): string =>
  token.kind === "text" ? token.text : token.kind === "any" ? "*" : "?";

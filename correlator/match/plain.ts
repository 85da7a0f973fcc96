// plain.ts — tries every rule of an event's log sources in turn: the matcher that is plainly right.
//
// In:    an event and its log sources.
// Out:   the rules that it satisfies, in the set's order.
// Holds: an event costs a bounded amount of work, whatever it carries: values are cut at a bound, lists too.
import type { EventField, Expression, Predicate, RuleSet } from "../sigma/rule.ts";
import { looksAt, type Match, type Matcher, type Readable } from "./matcher.ts";
import { isKeyword, textTest, valueTest } from "./predicate.ts";
import { selectionsOf } from "./selections.ts";
import { textsOfEvent, valueAt } from "./values.ts";

/** An event as tests read it: each field is looked up once. */
type View = {
  readonly value: (field: EventField) => unknown;
  readonly texts: () => readonly string[];
};
type Test = (view: View) => boolean;

export function plainMatcher(set: RuleSet): Matcher {
  const tests = new Map<Expression, Test>();
  const compiled = set.detections.map((rule) => ({
    rule,
    test: testOf(rule.condition, tests),
    selections: selectionsOf(rule.condition).map(({ name, of }) => ({
      name,
      test: testOf(of, tests),
    })),
  }));
  return {
    match: (event, sources) => {
      const view = viewOf(event);
      const matched: Match[] = [];
      for (const { rule, test, selections } of compiled) {
        if (!looksAt(rule.logsource, sources) || !test(view)) continue;
        const held = selections.filter((one) => one.test(view)).map(({ name }) => name);
        matched.push({ rule, event, selections: held });
      }
      return matched;
    },
  };
}

/** A selection or predicate that stands in several places is compiled once. */
function testOf(expression: Expression, tests: Map<Expression, Test>): Test {
  const known = tests.get(expression);
  if (known) return known;
  const test = compile(expression, tests);
  tests.set(expression, test);
  return test;
}

function compile(expression: Expression, tests: Map<Expression, Test>): Test {
  switch (expression.kind) {
    case "predicate":
      return predicateTest(expression.predicate);
    case "selection":
      return testOf(expression.of, tests);
    case "not": {
      const inner = testOf(expression.of, tests);
      return (view) => !inner(view);
    }
    case "and": {
      const all = expression.of.map((one) => testOf(one, tests));
      return (view) => all.every((test) => test(view));
    }
    case "or": {
      const any = expression.of.map((one) => testOf(one, tests));
      return (view) => any.some((test) => test(view));
    }
  }
}

function predicateTest(predicate: Predicate): Test {
  if (isKeyword(predicate)) {
    const test = textTest(predicate);
    return (view) => view.texts().some(test);
  }
  const { field } = predicate;
  const test = valueTest(predicate);
  if (predicate.kind === "fieldref")
    return (view) => test(view.value(field), view.value(predicate.other));
  return (view) => test(view.value(field));
}

function viewOf(event: Readable): View {
  const values = new Map<string, unknown>();
  let texts: readonly string[] | undefined;
  return {
    value: (field) => {
      const name = field.paths.join("\n");
      if (values.has(name)) return values.get(name);
      const value = valueAt(event, field);
      values.set(name, value);
      return value;
    },
    texts: () => {
      texts ??= textsOfEvent(event);
      return texts;
    },
  };
}

// plain.ts — tries every rule of an event's log sources in turn: the matcher that is plainly right.
//
// In:    an event.
// Out:   the detection rules that it satisfies, in the set's order.
// Holds: an event costs a bounded amount of work, whatever it carries: values are cut at a bound, lists too.
import { type EcsEvent, fieldOf, type LogSource } from "../../core/event.ts";
import type { DetectionRule, EventField, Expression, RuleSet } from "../sigma/rule.ts";
import { predicateOf, type Test, type View } from "./predicate.ts";

export type Matcher = {
  readonly match: (event: EcsEvent) => readonly DetectionRule[];
};

type Compiled = { readonly rule: DetectionRule; readonly test: Test };
const SOURCES_REMEMBERED_MAX = 1000;

export function compileRules(set: RuleSet): Matcher {
  const tests = new Map<Expression, Test>();
  const compiled = set.detections.map(
    (rule): Compiled => ({ rule, test: testOf(rule.condition, tests) }),
  );
  const bySources = new Map<string, readonly Compiled[]>();
  const rulesFor = (sources: readonly LogSource[]): readonly Compiled[] => {
    const name = JSON.stringify(sources);
    const known = bySources.get(name);
    if (known) return known;
    const found = compiled.filter(({ rule }) => looksAt(rule.logsource, sources));
    if (bySources.size >= SOURCES_REMEMBERED_MAX) bySources.clear();
    bySources.set(name, found);
    return found;
  };
  return {
    match: (event) => {
      const view = viewOf(event);
      const matched: DetectionRule[] = [];
      for (const { rule, test } of rulesFor(event.wache.sources))
        if (test(view)) matched.push(rule);
      return matched;
    },
  };
}

/** A rule looks at an event if one of its sources has every word of the rule's. */
function looksAt(wanted: LogSource, sources: readonly LogSource[]): boolean {
  const { product, category, service } = wanted;
  if (product === undefined && category === undefined && service === undefined) return true;
  return sources.some(
    (source) =>
      (product === undefined || source.product === product) &&
      (category === undefined || source.category === category) &&
      (service === undefined || source.service === service),
  );
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
      return predicateOf(expression.predicate);
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

/** An event as tests read it: each field is looked up once. */
function viewOf(event: EcsEvent): View {
  const values = new Map<EventField["name"], unknown>();
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
      texts ??= textsOf(event);
      return texts;
    },
  };
}

/** A field's value in an event: at the first of its paths that is present; undefined when none is. */
export function valueAt(event: EcsEvent, field: EventField): unknown {
  for (const path of field.paths) {
    const value = fieldOf(event, path);
    if (value !== undefined) return value;
  }
  return undefined;
}

const TEXTS_MAX = 2000;
const DEPTH_MAX = 64;

/** Every text and number of the event but Wache's own: what a keyword is looked for in. */
function textsOf(event: EcsEvent): string[] {
  const found: string[] = [];
  const walk = (value: unknown, depth: number): void => {
    if (found.length >= TEXTS_MAX || depth > DEPTH_MAX) return;
    if (typeof value === "string") found.push(value);
    else if (typeof value === "number") found.push(String(value));
    else if (typeof value === "object" && value !== null)
      for (const one of Object.values(value)) walk(one, depth + 1);
  };
  for (const [name, value] of Object.entries(event)) if (name !== "wache") walk(value, 0);
  return found;
}

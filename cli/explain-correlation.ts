// explain-correlation.ts — how a correlation is read: what feeds it, how that is grouped, when it fires, whom it awaits.
//
// In:    a correlation and the set that it is in.
// Out:   the same for scripts, and as lines for people.
import {
  type CorrelationRule,
  type CountCondition,
  type Escalation,
  type RuleTest,
  WEEKDAYS,
} from "../core/records.ts";
import { spanText } from "../core/spans.ts";
import type { EventField, RuleSet } from "../correlator/sigma/rule.ts";
import { counted } from "./table.ts";

const NAMES_SHOWN_MAX = 20; // of groups and assets; all of them with --json

/** A rule that feeds it: where the fields stand, in the order of `groupBy`. */
type Feeding = {
  readonly rule: string;
  readonly title: string;
  readonly groupBy?: readonly EventField[]; // of a detection, in its events
  readonly values?: readonly EventField[];
  readonly groupOfFindings?: readonly string[]; // of a correlation, among the names of its own group
};
export type ExplainedCorrelation = {
  readonly rule: string;
  readonly title: string;
  readonly at: string;
  readonly type: CorrelationRule["type"];
  readonly rules: readonly Feeding[];
  readonly timespanMs: number;
  readonly groupBy: readonly string[];
  readonly condition: CountCondition;
  readonly absence?: CorrelationRule["absence"];
  readonly suppressMs?: number;
  readonly escalate?: readonly Escalation[];
  readonly assetLevels?: CorrelationRule["assetLevels"];
  readonly feeds: readonly string[]; // titles
};

export function explainCorrelation(
  rule: CorrelationRule,
  { set, at }: { readonly set: RuleSet; readonly at: string },
): ExplainedCorrelation {
  const { about, type, spanMs, groupBy, condition, absence } = rule;
  const { suppressMs, escalate, assetLevels } = rule;
  const titles = new Map(set.correlations.map((one) => [one.version, one.about.title] as const));
  return {
    ...{ rule: about.id, title: about.title, at, type },
    rules: rule.rules.map((id) => fedBy(id, rule, set)),
    ...{ timespanMs: spanMs, groupBy, condition },
    ...(absence && { absence }),
    ...(suppressMs !== undefined && { suppressMs }),
    ...(escalate && { escalate }),
    ...(assetLevels && { assetLevels }),
    feeds: rule.feeds.map(({ version }) => titles.get(version) ?? version),
  };
}

function fedBy(id: string, { version }: CorrelationRule, set: RuleSet): Feeding {
  const correlation = set.correlations.find(({ about }) => about.id === id);
  const detection = set.detections.find(({ about }) => about.id === id);
  const ofEvents = detection?.feeds.find((one) => one.version === version);
  const ofFindings = correlation?.feeds.find((one) => one.version === version);
  return {
    ...{ rule: id, title: (correlation ?? detection)?.about.title ?? id },
    ...(ofEvents && { groupBy: ofEvents.groupBy, values: ofEvents.valueFields }),
    ...(ofFindings && { groupOfFindings: ofFindings.groupBy }),
  };
}

export function* correlationLines(one: ExplainedCorrelation): Generator<string> {
  const { title, at, type, rules, groupBy, feeds, suppressMs } = one;
  yield `${title} (${at})`;
  yield `  counts    ${type} of ${rules.map((rule) => rule.title).join(", ")}`;
  yield `  fires     ${one.absence ? missedOf(one, one.absence) : firesOf(one)}`;
  yield `  groups    ${groupBy.length === 0 ? "none: all together" : `one for each ${groupBy.join(", ")}`}`;
  for (const rule of rules) yield* fieldLines(rule, groupBy);
  yield* awaitedLines(one);
  if (suppressMs !== undefined)
    yield `  tells     not again within ${spanText(suppressMs)}, but what goes on or grows graver`;
  for (const { count, level } of one.escalate ?? [])
    yield `  graver    ${level} ${one.absence ? `once ${count} in a row were missed` : `from a count of ${count} on`}`;
  for (const [level, pairs] of Map.groupBy(one.assetLevels ?? [], ([, word]) => word)) {
    const names = pairs.map(([name]) => name);
    yield `  graver    ${level} about ${listed(names, "asset name")}`;
  }
  if (feeds.length > 0) yield `  feeds     ${feeds.join(", ")}`;
  yield "";
}

function* fieldLines(
  { title, groupBy = [], values = [], groupOfFindings = [] }: Feeding,
  names: readonly string[],
): Generator<string> {
  for (const [place, { name, paths }] of groupBy.entries()) {
    const alias = names[place] === name ? "" : `${names[place]} is `;
    yield `  ${alias}${name} (of ${title})`;
    for (const path of paths) yield `      ${path}`;
  }
  for (const [place, name] of groupOfFindings.entries())
    yield `  ${names[place]} (of ${title}: ${name} of its group)`;
  for (const { name, paths } of values) {
    yield `  ${name} (of ${title}, whose values count)`;
    for (const path of paths) yield `      ${path}`;
  }
}

const SIGNS = { gt: "> ", gte: ">= ", lt: "< ", lte: "<= ", eq: "", neq: "other than " } as const;
const OPERATORS = Object.keys(SIGNS) as (keyof typeof SIGNS)[];
const COUNTED: Readonly<Partial<Record<CorrelationRule["type"], string>>> = {
  event_count: "the number of matches",
  value_count: "the number of distinct values",
  value_sum: "the sum",
  value_avg: "the average",
  value_median: "the median",
  value_percentile: "the share, in percent, of a value",
  temporal: "the number of rules that matched",
  temporal_ordered: "the number of rules that matched, in order,",
};

function firesOf({ type, rules, condition, timespanMs }: ExplainedCorrelation): string {
  const within = `within ${spanText(timespanMs)}`;
  const titleOf = (place: number): string => JSON.stringify(rules[place]?.title ?? "");
  const { match, orders, field, percentile } = condition;
  if (match) return `when there is ${bare(testWords(match, titleOf))}, ${within}`;
  if (orders) {
    const ways = orders.map(({ rules: places, without }) => {
      const none = without.map((place) => `no ${titleOf(place)}`);
      return [places.map(titleOf).join(", then "), ...none].join("; and ");
    });
    return `when there is ${ways.join("; or else ")}, ${within}`;
  }
  if (rules.length === 1 && type.startsWith("temporal")) return `when it matched, ${within}`;
  const isEach = condition.gte === rules.length && Object.keys(condition).length === 1;
  if (type === "temporal" && isEach) return `when each of them matched, ${within}`;
  if (type === "temporal_ordered" && isEach)
    return `when each of them matched, in this order, ${within}`;
  const numbers = OPERATORS.flatMap((operator) => {
    const number = condition[operator];
    return number === undefined ? [] : `${SIGNS[operator]}${number}`;
  });
  const ofField = field ? ` of ${field.join(", ")}` : "";
  const what = percentile === undefined ? (COUNTED[type] ?? type) : `percentile ${percentile}`;
  return `when ${what}${ofField} is ${numbers.join(" and ")}, ${within}`;
}

function testWords(test: RuleTest, titleOf: (place: number) => string): string {
  if ("rule" in test) return titleOf(test.rule);
  if ("without" in test) return `no ${titleOf(test.without)}`;
  const [of, between] = "all" in test ? [test.all, " and "] : [test.any, " or "];
  const words = of.map((one) => testWords(one, titleOf)).join(between);
  return of.length > 1 ? `(${words})` : words;
}

const bare = (words: string): string => (words.startsWith("(") ? words.slice(1, -1) : words);

type Absence = NonNullable<CorrelationRule["absence"]>;

function missedOf({ timespanMs }: ExplainedCorrelation, { deadline }: Absence): string {
  const span = spanText(timespanMs);
  if (!deadline) return `when none came for ${span}`;
  const { by, timezone, days } = deadline;
  const when = days.length === WEEKDAYS.length ? "every day" : days.join(", ");
  return `when none came by ${by} ${timezone} (${when}), within ${span} before`;
}

function* awaitedLines({ absence, groupBy }: ExplainedCorrelation): Generator<string> {
  if (!absence) return;
  const { expected, rememberMs } = absence;
  if (expected && groupBy.length === 0) yield "  awaits    always";
  else if (expected)
    yield `  awaits    ${listed(
      expected.map((values) => values.join(", ")),
      "group",
    )}`;
  if (rememberMs !== undefined)
    yield `  awaits    each group that was seen, for ${spanText(rememberMs)}`;
}

function listed(names: readonly string[], word: string): string {
  const shown = names.slice(0, NAMES_SHOWN_MAX).join("; ");
  const more = names.length > NAMES_SHOWN_MAX ? "; …" : "";
  return `${counted(names.length, word)}: ${shown}${more}`;
}

// explain-correlation.ts — how a correlation is read: what feeds it, how that is grouped, when it fires, whom it awaits.
//
// In:    a correlation and the set that it is in.
// Out:   the same for scripts, and as lines for people.
import type { CorrelationRule, CountCondition, Escalation, RuleTest } from "../core/records.ts";
import { spanText } from "../core/spans.ts";
import type { EventField, RuleSet } from "../correlator/sigma/rule.ts";
import { counted } from "./table.ts";

const NAMES_SHOWN_MAX = 20; // of groups and assets; all of them with --json

export type ExplainedCorrelation = {
  readonly rule: string;
  readonly title: string;
  readonly at: string;
  readonly type: CorrelationRule["type"];
  readonly rules: readonly {
    readonly rule: string;
    readonly title: string;
    readonly groupBy?: readonly EventField[]; // of a detection: where each field stands in its events
    readonly values?: readonly EventField[];
  }[];
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

function fedBy(id: string, { version }: CorrelationRule, set: RuleSet) {
  const correlation = set.correlations.find(({ about }) => about.id === id);
  const detection = set.detections.find(({ about }) => about.id === id);
  const feed = detection?.feeds.find((one) => one.version === version);
  const title = (correlation ?? detection)?.about.title ?? id;
  return {
    ...{ rule: id, title },
    ...(feed && { groupBy: feed.groupBy, values: feed.valueFields }),
  };
}

export function* correlationLines(one: ExplainedCorrelation): Generator<string> {
  const { title, at, type, rules, groupBy, feeds, suppressMs } = one;
  yield `${title} (${at})`;
  yield `  ${type.padEnd(9)} of ${rules.map((rule) => rule.title).join(", ")}`;
  yield `  fires     ${one.absence ? missedOf(one, one.absence) : firesOf(one)}`;
  yield `  groups    ${groupBy.length === 0 ? "none: all events together" : `one for each ${groupBy.join(", ")}`}`;
  for (const { title: from, groupBy: fields = [], values = [] } of rules) {
    for (const field of fields) yield* pathLines(field, `of ${from}`);
    for (const field of values) yield* pathLines(field, `of ${from}, whose values count`);
  }
  yield* awaitedLines(one);
  if (suppressMs !== undefined) yield `  tells     not again within ${spanText(suppressMs)}`;
  for (const { count, level } of one.escalate ?? [])
    yield `  is ${level.padEnd(6)} from ${count} on`;
  for (const [level, pairs] of Map.groupBy(one.assetLevels ?? [], ([, level]) => level))
    yield `  is ${level.padEnd(6)} about ${listed(
      pairs.map(([name]) => name),
      "asset name",
    )}`;
  if (feeds.length > 0) yield `  feeds     ${feeds.join(", ")}`;
  yield "";
}

function* pathLines({ name, paths }: EventField, which: string): Generator<string> {
  yield `  ${name} (${which})`;
  for (const path of paths) yield `      ${path}`;
}

function firesOf({ type, rules, condition, timespanMs }: ExplainedCorrelation): string {
  const within = `within ${spanText(timespanMs)}`;
  const titleOf = (place: number): string => JSON.stringify(rules[place]?.title ?? "");
  const { match, orders, field, percentile } = condition;
  if (match) return `when there is ${testWords(match, titleOf)}, ${within}`;
  if (orders) {
    const ways = orders.map(({ rules: places, without }) => {
      const none = without.map((place) => `no ${titleOf(place)}`);
      return [places.map(titleOf).join(", then "), ...none].join(" and ");
    });
    return `when there is ${ways.join("; or ")}, ${within}`;
  }
  const isEach = condition.gte === rules.length && Object.keys(condition).length === 1;
  if (type === "temporal" && isEach) return `when each of them matched, ${within}`;
  if (type === "temporal_ordered" && isEach)
    return `when each of them matched, in this order, ${within}`;
  const numbers = OPERATORS.flatMap((operator) => {
    const number = condition[operator];
    return number === undefined ? [] : `${SIGNS[operator]} ${number}`;
  });
  const ofField = field ? ` of ${field.join(", ")}` : "";
  const which = percentile === undefined ? "" : ` ${percentile}`;
  return `when ${COUNTED[type] ?? type}${which}${ofField} is ${numbers.join(" and ")}, ${within}`;
}

const SIGNS = { gt: ">", gte: ">=", lt: "<", lte: "<=", eq: "=", neq: "other than" } as const;
const OPERATORS = Object.keys(SIGNS) as (keyof typeof SIGNS)[];
const COUNTED: Readonly<Partial<Record<CorrelationRule["type"], string>>> = {
  event_count: "the number of events",
  value_count: "the number of distinct values",
  value_sum: "the sum",
  value_avg: "the average",
  value_median: "the median",
  value_percentile: "the percentile",
  temporal: "the number of rules that matched",
  temporal_ordered: "the number of rules that matched, in order,",
};

function testWords(test: RuleTest, titleOf: (place: number) => string): string {
  if ("rule" in test) return titleOf(test.rule);
  if ("without" in test) return `no ${titleOf(test.without)}`;
  const [of, between] = "all" in test ? [test.all, " and "] : [test.any, " or "];
  const words = of.map((one) => testWords(one, titleOf)).join(between);
  return of.length > 1 ? `(${words})` : words;
}

type Absence = NonNullable<CorrelationRule["absence"]>;

function missedOf({ timespanMs }: ExplainedCorrelation, { deadline }: Absence): string {
  const span = spanText(timespanMs);
  if (!deadline) return `when none came for ${span}`;
  const { by, timezone, days } = deadline;
  return `when none came by ${by} ${timezone} (${days.join(", ")}), within ${span} before`;
}

function* awaitedLines({ absence }: ExplainedCorrelation): Generator<string> {
  if (!absence) return;
  const { expected, rememberMs } = absence;
  if (expected)
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

// drawn-rules.ts — draws a set of rules: detections, correlations of them, correlations of correlations; as YAML too.
import { type Awaiting, awaitingLines, drawAwaiting, withDeadline } from "./absences.ts";
import { type Chance, chanceOf, hashed } from "./chance.ts";
import { type Body, CORRELATION_TYPES } from "./correlation-types.ts";
import type { DrawnDeadline } from "./deadlines.ts";
import type { Choice } from "./drawn-assets.ts";

export const MARKS = ["a", "b", "c", "d"];
export const GROUP_FIELDS = ["sim.user", "sim.address", "sim.host", "sim.port"];
export const VALUE_FIELDS = ["sim.value", "sim.other", "sim.user"];
export const NUMBER_FIELDS = ["sim.number", "sim.port"];
/** Of rules the first three; findings may rise to the last. */
export const LEVELS = ["low", "medium", "high", "critical"] as const;
export type Level = (typeof LEVELS)[number];
const RULE_LEVELS = LEVELS.slice(0, 3);
const SPANS_S = [1, 1, 2, 3, 5, 5, 10, 20];

export type DrawnDetection = {
  readonly kind: "detection";
  readonly name: string;
  readonly level: Level;
  readonly mark: string; // of the events that it matches
  readonly generate: boolean;
};
export type DrawnCorrelation = {
  readonly kind: "correlation";
  readonly name: string;
  readonly level: Level;
  readonly type: string;
  readonly body: Body;
  readonly rules: readonly string[]; // names
  readonly groupBy: readonly string[];
  readonly alias?: Alias; // of a name in it, or among the fields whose values count
  readonly spanS: number;
  readonly generate: boolean;
  readonly suppressS?: number;
  readonly escalate?: readonly Step[];
  readonly assetLevels?: readonly AssetLevel[];
  readonly awaiting?: Awaiting; // of an absence
};
/** The field that `name` stands for, by the name of the rule that it is read of. */
export type Alias = { readonly name: string; readonly fields: Readonly<Record<string, string>> };
/** From this count on a finding has this level. */
export type Step = { readonly count: number; readonly level: Level };
/** About an asset that is chosen it has this level at least. */
export type AssetLevel = {
  readonly choice: Choice | undefined;
  readonly level: Level;
  readonly names: readonly string[]; // of those that are, and their aliases, in lower case
};
export type DrawnRule = DrawnDetection | DrawnCorrelation;

/** What feeds a rule stands before it. */
export function drawRules(chance: Chance): DrawnRule[] {
  const detections = chance.some(MARKS, chance.int(2, 4)).map(
    (mark, index): DrawnDetection => ({
      kind: "detection",
      ...{ name: `d${index}`, level: chance.one(RULE_LEVELS), mark },
      generate: chance.is(0.1),
    }),
  );
  const correlations: DrawnCorrelation[] = [];
  const below = chance.int(1, 3);
  for (let index = 0; index < below; index++)
    correlations.push(drawCorrelation(chance, `c${index}`, detections));
  const above = chance.one([0, 1, 1, 2]);
  for (let index = 0; index < above; index++) {
    const first = chance.one(correlations);
    const others = [...correlations, ...detections].filter((rule) => rule !== first);
    const drawn = drawCorrelation(chance, `n${index}`, [first, ...chance.shuffled(others)]);
    correlations.push(widened(drawn));
  }
  if (chance.is(0.25)) {
    const among: readonly DrawnRule[] = chance.is(0.7) ? detections : correlations;
    correlations.push(drawAbsence(chance, "a0", chance.one(among)));
  }
  const rules = [...detections, ...correlations];
  return withAliases([...rules, ...drawDaily(rules)]);
}

/** Of a correlation that stands first, and of the others; else of any of them. */
export function drawCorrelation(
  chance: Chance,
  name: string,
  among: readonly DrawnRule[],
): DrawnCorrelation {
  for (;;) {
    const isChain = among[0]?.kind === "correlation";
    const type = chance.one(Object.keys(CORRELATION_TYPES));
    const fields = isChain ? groupOf(among.slice(0, 1)) : VALUE_FIELDS;
    const numbers = isChain ? fields.filter((one) => NUMBER_FIELDS.includes(one)) : NUMBER_FIELDS;
    const from = { fields, numbers, rulesMax: among.length };
    const body = CORRELATION_TYPES[type]?.draw(chance, from);
    if (body === undefined) continue;
    const rules = isChain
      ? chance.shuffled(among.slice(0, body.rules))
      : chance.some(among, body.rules);
    const known = groupOf(rules);
    if (body.fields?.some((field) => isChain && !known.includes(field))) continue;
    const most = Math.min(known.length, chance.one([0, 1, 1, 1, 2, 2, 3]));
    const level = chance.one(RULE_LEVELS);
    return {
      kind: "correlation",
      ...{ name, level, type, body },
      rules: rules.map((rule) => rule.name),
      groupBy: chance.some(known, most),
      spanS: chance.one(SPANS_S),
      generate: chance.is(0.2),
      ...(chance.is(0.3) && { suppressS: chance.one([1, 2, 5, 10, 30]) }),
      ...(chance.is(0.3) && { escalate: drawSteps(chance, level) }),
    };
  }
}

/**
 * At times a chain asks for fields that the rules below are not grouped by: of the events. What is drawn for that moves no
 * other draw of the seed.
 */
function widened(rule: DrawnCorrelation): DrawnCorrelation {
  const chance = chanceOf(hashed(JSON.stringify(rule), 0));
  if (!chance.is(0.5)) return rule;
  const groupBy = chance.some(GROUP_FIELDS, chance.one([0, 1, 1, 2, 3]));
  const { fields } = rule.body;
  if (!fields) return { ...rule, groupBy };
  const others = fields.map((field) =>
    chance.one(NUMBER_FIELDS.includes(field) ? NUMBER_FIELDS : VALUE_FIELDS),
  );
  return { ...rule, groupBy, body: { ...rule.body, fields: [...new Set(others)] } };
}

const ALIAS = "who";

/**
 * At times a name stands for another field of each rule below, and a chain asks for what a rule below calls so. Moves no
 * other draw of the seed either.
 */
function withAliases(rules: readonly DrawnRule[]): DrawnRule[] {
  const done: DrawnRule[] = [];
  for (const rule of rules)
    done.push(rule.kind === "detection" || rule.awaiting ? rule : aliased(rule, done));
  return done;
}

function aliased(rule: DrawnCorrelation, before: readonly DrawnRule[]): DrawnCorrelation {
  const chance = chanceOf(hashed(JSON.stringify(rule), 1));
  const below = before.filter(({ name }) => rule.rules.includes(name));
  const knows = (one: DrawnRule) => one.kind === "correlation" && one.alias !== undefined;
  if (!chance.is(below.some(knows) ? 0.6 : 0.3)) return rule;
  const asked = asking(chance, rule);
  if (below.some(knows) && chance.is(0.5)) return asked;
  const fields = below.map((one) => {
    const known = knows(one) ? [ALIAS, ALIAS, ...GROUP_FIELDS] : GROUP_FIELDS;
    return [one.name, chance.one([...known, ...NUMBER_FIELDS])];
  });
  return { ...asked, alias: { name: ALIAS, fields: Object.fromEntries(fields) } };
}

/** With the alias in the place of one of its fields, or of two. */
function asking(chance: Chance, rule: DrawnCorrelation): DrawnCorrelation {
  const { fields = [] } = rule.body;
  const [, ...groupBy] = chance.shuffled(rule.groupBy);
  const [, ...counted] = chance.shuffled(fields);
  const inGroup = rule.groupBy.length > 0 && chance.is(0.7);
  const inValues = fields.length > 0 && chance.is(inGroup ? 0.2 : 0.7);
  return {
    ...rule,
    ...(inGroup && { groupBy: chance.shuffled([...groupBy, ALIAS]) }),
    ...(inValues && { body: { ...rule.body, fields: [...counted, ALIAS] } }),
  };
}

/**
 * The same set with another span in one correlation, at times: then that and all above it are other rules. Or without an
 * absence, where nothing else comes to be shown by that.
 */
export function drawReload(chance: Chance, rules: readonly DrawnRule[]): readonly DrawnRule[] {
  if (!chance.is(0.3)) return rules;
  const changed = chance.one(rules.filter((rule) => rule.kind === "correlation"));
  if (changed.awaiting && isUsedBeside(rules, changed)) {
    if (chanceOf(hashed(JSON.stringify(rules), 3)).is(0.4))
      return rules.filter((rule) => rule !== changed);
  }
  return rules.map((rule) => (rule === changed ? { ...changed, spanS: changed.spanS + 2 } : rule));
}

/** Whether it feeds nothing, and what it awaits is used by others too, and shown or not by what they say. */
const isUsedBeside = (rules: readonly DrawnRule[], absence: DrawnCorrelation): boolean =>
  !rules.some((rule) => rule.kind === "correlation" && rule.rules.includes(absence.name)) &&
  absence.rules.every((name) =>
    rules.some(
      (rule) => rule !== absence && rule.kind === "correlation" && rule.rules.includes(name),
    ),
  );

export function drawAbsence(chance: Chance, name: string, awaited: DrawnRule): DrawnCorrelation {
  const known = groupOf([awaited]);
  const groupBy = chance.some(known, Math.min(known.length, chance.one([0, 1, 1, 2])));
  const level = chance.one(RULE_LEVELS);
  const spanS = chance.one(SPANS_S);
  return {
    kind: "correlation",
    ...{ name, level, type: "absence", body: { rules: 1 }, rules: [awaited.name] },
    ...{ groupBy, spanS, generate: false },
    awaiting: drawAwaiting(chance, { groupBy, spanS }),
    ...(chance.is(0.3) && { escalate: drawSteps(chance, level) }),
  };
}

/** The same is awaited by the same time of day, and as grave; all else may be another. */
export function redrawn(
  chance: Chance,
  { name, rules: [awaited], level, assetLevels, awaiting }: DrawnCorrelation,
  among: readonly DrawnRule[],
): DrawnCorrelation {
  const below = among.filter((rule) => rule.name === awaited);
  const drawn = drawAbsence(chance, name, chance.one(below));
  const deadline = awaiting?.deadline;
  return {
    ...{ ...drawn, level },
    ...(drawn.escalate && { escalate: drawSteps(chance, level) }),
    ...(assetLevels && { assetLevels }),
    awaiting: { ...drawn.awaiting, ...(deadline && { deadline }) },
  };
}

/** At times something is awaited by a time of day. Moves no other draw of the seed. */
function drawDaily(rules: readonly DrawnRule[]): DrawnCorrelation[] {
  const chance = chanceOf(hashed(JSON.stringify(rules), 2));
  if (!chance.is(0.2)) return [];
  const among = chance.is(0.8) ? rules.filter(({ kind }) => kind === "detection") : rules;
  const awaitable = among.filter((rule) => rule.kind === "detection" || !rule.awaiting);
  const drawn = drawAbsence(chance, "a1", chance.one(awaitable));
  const spanS = Math.min(drawn.spanS, chance.one([1, 2, 5, 20]));
  return [{ ...drawn, spanS, awaiting: withDeadline(chance, drawn.awaiting ?? {}) }];
}

/** Of a rule that cares for the time of day. */
export const deadlineIn = (rules: readonly DrawnRule[]): DrawnDeadline | undefined =>
  rules
    .map((rule) => (rule.kind === "correlation" ? rule.awaiting?.deadline : undefined))
    .find((deadline) => deadline !== undefined);

export function drawSteps(chance: Chance, level: Level): Step[] {
  const higher = LEVELS.slice(LEVELS.indexOf(level) + 1).filter(() => chance.is(0.7));
  let count = 1;
  return (higher.length > 0 ? higher : LEVELS.slice(-1)).map((one) => {
    count += chance.int(1, 3);
    return { count, level: one };
  });
}

/** What all of the rules can be grouped by. */
const groupOf = (rules: readonly DrawnRule[]): readonly string[] =>
  GROUP_FIELDS.filter((field) =>
    rules.every((rule) => rule.kind === "detection" || rule.groupBy.includes(field)),
  );

/** `edition`: words that change a rule's title and nothing of its logic. */
export function yamlOf(rules: readonly DrawnRule[], edition: string): string {
  return rules.map((rule) => `${yamlLines(rule, edition).join("\n")}\n`).join("---\n");
}

function yamlLines(rule: DrawnRule, edition: string): string[] {
  const head = [
    `title: ${rule.name} ${edition}`,
    `name: ${rule.name}`,
    `level: ${rule.level}`,
    ...(rule.generate ? ["generate: true"] : []),
  ];
  if (rule.kind === "detection")
    return [
      ...head,
      "logsource: { product: simulation }",
      "detection:",
      `  marked: { sim.mark: ${rule.mark} }`,
      "  condition: marked",
    ];
  const condition = CORRELATION_TYPES[rule.type]?.condition(rule.body, rule.rules) ?? [];
  const graver = [
    ...(rule.escalate ?? []).map(stepText),
    ...(rule.assetLevels ?? []).map(assetText),
  ];
  return [
    ...head,
    "correlation:",
    `  type: ${rule.type}`,
    `  rules: [${rule.rules.join(", ")}]`,
    ...(rule.groupBy.length > 0 ? [`  group-by: [${rule.groupBy.join(", ")}]`] : []),
    ...(rule.alias
      ? [`  aliases: { ${rule.alias.name}: ${JSON.stringify(rule.alias.fields)} }`]
      : []),
    `  timespan: ${rule.spanS}s`,
    ...[...condition, ...awaitingLines(rule.awaiting ?? {})].map((line) => `  ${line}`),
    ...(rule.suppressS === undefined ? [] : [`  suppress: ${rule.suppressS}s`]),
    ...(graver.length > 0 ? [`  escalate: [${graver.join(", ")}]`] : []),
  ];
}

const stepText = ({ count, level }: Step): string => `{ count: ${count}, level: ${level} }`;
const assetText = ({ choice, level }: AssetLevel): string =>
  `{ assets: ${JSON.stringify(choice ?? "all")}, level: ${level} }`;

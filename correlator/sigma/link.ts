// link.ts — binds the rules of a set to each other: references by id or name, filters, feeds, levels, versions.
//
// In:    drafts of all files.
// Out:   the rule set, and every draft that cannot be part of it with the reason.
// Holds: a correlation stands after all that feed it; what refers to a left-out rule is left out too; a version
//        changes with the logic of a rule or of what it refers to, and with nothing else.
import { idOf } from "../../core/event.ts";
import { lowered } from "../../core/letter-case.ts";
import type { CorrelationRule, Level, RuleAbout } from "../../core/records.ts";
import { LEVELS } from "../../core/records.ts";
import { addedLogic, additionsOf } from "./additions.ts";
import type { CorrelationBody, Reference } from "./correlation.ts";
import type { DetectionBody, Draft, FilterBody, Reading, Refused } from "./document.ts";
import {
  aliased,
  carriedNames,
  correlationFeed,
  detectionFeed,
  fieldsOf,
  meaningOf,
  ruleId,
} from "./feeds.ts";
import { filtered } from "./filter.ts";
import { checkAliases, checkGroup, knows } from "./group-checks.ts";
import { aboutOf } from "./header.ts";
import type { DetectionRule, Problem, RuleFilter, RuleSet } from "./rule.ts";
import { wordKey } from "./rule-words.ts";

export type Detection = Draft & { readonly kind: "detection"; readonly body: DetectionBody };
export type Correlation = Draft & { readonly kind: "correlation"; readonly body: CorrelationBody };
export type Filter = Draft & { readonly kind: "filter"; readonly body: FilterBody };
export type Rule = Detection | Correlation;

const isFilter = (draft: Draft): draft is Filter => draft.kind === "filter";
const isCorrelation = (draft: Draft): draft is Correlation => draft.kind === "correlation";
const isDetection = (draft: Draft): draft is Detection => draft.kind === "detection";

/** Rules by id and by name, and what was found wrong with each draft. */
export type Names = {
  readonly find: (text: string) => Rule | undefined;
  readonly unknown: (text: string) => readonly [code: string, message: string];
  readonly problemAt: (draft: Draft) => string;
  readonly refuse: (draft: Draft, code: string, message: string, offset?: number) => void;
};

export function linkRules(
  given: readonly Draft[],
  reading: Reading,
  unread: readonly Refused[] = [],
): {
  readonly set: RuleSet;
  readonly places: ReadonlyMap<string, string>;
  readonly refused: readonly Refused[];
} {
  const refused: Refused[] = [];
  const refusedAt = new Map<string, string>(); // where what is wrong with a rule stands, by the keys of id and name
  for (const { names = [], problems, at } of unread)
    for (const name of names) refusedAt.set(wordKey(name), problems[0]?.at ?? at);
  // Strict folders first: of two rules with one id the lenient one is left out.
  let drafts = [...given].sort((a, b) => Number(a.lenient) - Number(b.lenient));
  for (;;) {
    const problems = new Map<Draft, Problem[]>();
    const names = namesOf(drafts, problems, refusedAt);
    const ordered = inOrder(drafts.filter(isCorrelation), names);
    for (const draft of drafts.filter(isFilter)) checkFilter(draft, names);
    if (problems.size === 0) {
      const places = new Map(ordered.map((draft) => [ruleId(draft), draft.at]));
      return { set: build(drafts, ordered, { names, reading }), places, refused };
    }
    for (const [draft, found] of problems) {
      refused.push({ at: draft.at, lenient: draft.lenient, rule: saidOf(draft), problems: found });
      if (isFilter(draft)) continue;
      for (const word of wordsFor(draft)) refusedAt.set(wordKey(word), found[0]?.at ?? draft.at);
    }
    drafts = drafts.filter((draft) => !problems.has(draft));
  }
}

const wordsFor = (draft: Draft): ReadonlySet<string> =>
  new Set([ruleId(draft), ...(draft.header.name ? [draft.header.name] : [])]);

/** By which a person knows it. */
const saidOf = ({ header }: Draft): string => header.id ?? header.name ?? header.title;

const REFUSED = "rule.reference-refused";
const refusedSaid = (text: string, at: string): string =>
  `${text} was refused (${at}); mend that first`;

function namesOf(
  drafts: readonly Draft[],
  problems: Map<Draft, Problem[]>,
  refusedAt: ReadonlyMap<string, string>,
): Names {
  const refuse: Names["refuse"] = (draft, code, message, offset) => {
    const at = offset === undefined ? draft.at : draft.place(offset);
    const list = problems.get(draft) ?? [];
    list.push({ code, at, message, rule: saidOf(draft) });
    problems.set(draft, list);
  };
  const known = new Map<string, Draft>();
  for (const draft of drafts)
    for (const word of wordsFor(draft)) {
      const other = known.get(wordKey(word));
      if (other === undefined) known.set(wordKey(word), draft);
      else if (other !== draft) refuse(draft, "rule.duplicate", sameNamed(draft, word, other));
    }
  const find = (text: string) => {
    const draft = known.get(wordKey(text));
    return draft === undefined || isFilter(draft) ? undefined : (draft as Rule);
  };
  const unknown: Names["unknown"] = (text) => {
    const at = refusedAt.get(wordKey(text));
    if (at !== undefined) return [REFUSED, refusedSaid(text, at)];
    const message = `${text} is the id or name of no rule that is loaded`;
    const meant = inOtherCase(text, known.keys());
    const hint = meant === undefined ? "" : `; there is ${meant}: case counts`;
    return ["rule.reference-unknown", message + hint];
  };
  const problemAt = (draft: Draft) => problems.get(draft)?.[0]?.at ?? draft.at;
  return { find, unknown, problemAt, refuse };
}

function inOtherCase(text: string, words: Iterable<string>): string | undefined {
  for (const word of words)
    if (word.length === text.length && lowered(word) === lowered(text)) return word;
  return undefined;
}

const isUnnamed = ({ header }: Draft): boolean =>
  header.id === undefined && header.name === undefined;

function sameNamed(draft: Draft, word: string, other: Draft): string {
  return isUnnamed(draft) && isUnnamed(other)
    ? `neither this rule nor the one at ${other.at} has an id, and both have the title ${JSON.stringify(draft.header.title)}; give each an id`
    : `${JSON.stringify(word)} is also the id or name of the rule at ${other.at}; each rule has its own`;
}

/** Correlations after what feeds them; dangling references and cycles are refused, with the chain. */
function inOrder(correlations: readonly Correlation[], names: Names): readonly Correlation[] {
  const done = new Map<Correlation, number>(); // how deep it is chained, itself too; 0: refused
  const out: Correlation[] = [];
  const chain: Correlation[] = [];
  const visit = (rule: Correlation): number => {
    const known = done.get(rule);
    if (known !== undefined) return known;
    chain.push(rule);
    const below = rule.body.rules.map((one) => visitReference(rule, one, { names, chain, visit }));
    // Which rules aliases name can only be said once all are there.
    const areThere = rule.body.rules.every(({ text }) => names.find(text));
    const good = (!areThere || checkAliases(rule, names)) && !below.includes(undefined);
    chain.pop();
    const depth = good ? 1 + Math.max(0, ...below.map((one) => one ?? 0)) : 0;
    done.set(rule, depth);
    if (good) out.push(rule);
    return depth;
  };
  for (const rule of correlations) visit(rule);
  return out;
}

const chainMax = 32;
const walkMax = 1000; // calls, whatever the order of the rules
const titled = (chain: readonly Draft[], last: string): string =>
  [...chain.map(({ header }) => header.name ?? header.title), last].join(" → ");

/** How deep the rule below is chained, 0 for a detection; undefined where it can't feed this one. */
function visitReference(
  rule: Correlation,
  reference: Reference,
  walk: {
    readonly names: Names;
    readonly chain: readonly Correlation[];
    readonly visit: (rule: Correlation) => number;
  },
): number | undefined {
  const { names, chain } = walk;
  const target = names.find(reference.text);
  const refuse = (code: string, message: string) => {
    names.refuse(rule, code, message, reference.offset);
    return undefined;
  };
  if (target === undefined) {
    const [code, message] = names.unknown(reference.text);
    return refuse(code, `${message} (${titled(chain, reference.text)})`);
  }
  if (!isCorrelation(target)) return 0;
  const loop = chain.indexOf(target);
  if (loop >= 0)
    return refuse(
      "rule.cycle",
      `correlations feed each other in a circle: ${titled(chain.slice(loop), target.header.name ?? target.header.title)}`,
    );
  const depth = chain.length < walkMax ? walk.visit(target) : chainMax;
  if (depth >= chainMax)
    return refuse("rule.too-deep", `correlations are chained more than ${chainMax} deep`);
  if (depth === 0) {
    // The problem stands at the target; this one goes with it.
    const said = refusedSaid(reference.text, names.problemAt(target));
    return refuse(REFUSED, `${said} (${titled(chain, reference.text)})`);
  }
  return checkGroup(rule, target, reference, names) ? depth : undefined;
}

function checkFilter(filter: Filter, names: Names): void {
  if (filter.body.rules === "any") return;
  for (const reference of filter.body.rules) {
    const target = names.find(reference.text);
    if (target === undefined)
      names.refuse(filter, ...names.unknown(reference.text), reference.offset);
    else if (target.kind !== "detection")
      names.refuse(
        filter,
        "rule.reference-unknown",
        `${reference.text} is a correlation; filter the rules that feed it`,
        reference.offset,
      );
    else if (!covers(filter.body.logsource, target.body.logsource))
      names.refuse(
        filter,
        "rule.filter-logsource",
        `the filter's log source does not cover that of ${reference.text}; give both the same`,
        reference.offset,
      );
  }
}

const covers = (wide: DetectionBody["logsource"], narrow: DetectionBody["logsource"]): boolean =>
  (["product", "category", "service"] as const).every(
    (key) => wide[key] === undefined || wide[key] === narrow[key],
  );

function filtersOf(rule: Detection, filters: readonly Filter[], names: Names): readonly Filter[] {
  return filters.filter(({ body }) =>
    body.rules === "any"
      ? covers(body.logsource, rule.body.logsource)
      : body.rules.some((reference) => names.find(reference.text) === rule),
  );
}

type Building = { readonly names: Names; readonly reading: Reading };

function build(
  drafts: readonly Draft[],
  ordered: readonly Correlation[],
  { names, reading }: Building,
): RuleSet {
  const filters = drafts.filter(isFilter);
  const detections = drafts.filter(isDetection).map((draft) => {
    const { logsource } = draft.body;
    const laid = filtersOf(draft, filters, names);
    const condition = filtered(draft.body.condition, laid, (name) =>
      reading.mapField(logsource, name),
    );
    const logic = JSON.stringify([logsource, condition]);
    return { draft, condition, laid, version: idOf("detection", ruleId(draft), logic) };
  });
  const versions = new Map<Draft, string>();
  const levels = new Map<Draft, Level>();
  const depths = new Map<Draft, number>();
  for (const { draft, version } of detections) {
    versions.set(draft, version);
    levels.set(draft, draft.header.level ?? "medium");
  }
  for (const rule of ordered) {
    const fed = rule.body.rules.flatMap((reference) => names.find(reference.text) ?? []);
    versions.set(rule, versionOf(rule, fed, { versions, names }));
    levels.set(rule, rule.header.level ?? highest(fed.map((one) => levels.get(one))));
    depths.set(rule, Math.max(...fed.map((one) => (depths.get(one) ?? -1) + 1)));
  }
  const usersOf = usersByRule(ordered, names);
  const feeding = { versions, names, carried: carriedNames(ordered, usersOf) };
  const about = (draft: Draft): RuleAbout =>
    aboutOf(draft.header, { id: ruleId(draft), level: levels.get(draft) ?? "medium" });
  const shown = (rule: Rule): boolean =>
    rule.header.generate || (usersOf.get(rule) ?? []).some((user) => generates(user));
  const rules: DetectionRule[] = detections.map(({ draft, condition, laid, version }) => {
    const users = usersOf.get(draft) ?? [];
    return {
      about: about(draft),
      version,
      logsource: draft.body.logsource,
      condition,
      ...(laid.length > 0 && { filters: laid.map(toldOf) }),
      standalone: users.length === 0 || shown(draft),
      feeds: users.map((user) => detectionFeed(user, draft, { ...feeding, reading })),
      at: draft.at,
    };
  });
  const correlations: CorrelationRule[] = ordered.map((rule) => ({
    version: versions.get(rule) ?? "",
    about: about(rule),
    type: rule.body.type,
    spanMs: rule.body.spanMs,
    groupBy: rule.body.groupBy.map((one) => one.text),
    condition: rule.body.condition,
    ...additionsOf(
      rule.body,
      rule.body.rules.flatMap(({ text }) => names.find(text)?.header ?? []),
    ),
    rules: rule.body.rules.flatMap((one) => {
      const target = names.find(one.text);
      return target === undefined ? [] : [ruleId(target)];
    }),
    level: depths.get(rule) ?? 0,
    generate: (usersOf.get(rule) ?? []).length === 0 || shown(rule),
    feeds: (usersOf.get(rule) ?? []).map((user) => correlationFeed(user, rule, feeding)),
  }));
  correlations.sort((a, b) => a.level - b.level);
  const told = rules.map(({ condition: _, ...rest }) => rest); // a rule's version stands for its condition
  const version = idOf("set", JSON.stringify([told, correlations]));
  return { version, detections: rules, correlations };
}

const toldOf = ({ header: { title }, at }: Filter): RuleFilter => ({ title, at });

/** The specification puts `generate` beside the correlation; some tools put it inside. */
const generates = (user: Correlation): boolean => user.header.generate || user.body.generate;

function usersByRule(
  ordered: readonly Correlation[],
  names: Names,
): ReadonlyMap<Rule, readonly Correlation[]> {
  const out = new Map<Rule, Correlation[]>();
  for (const user of ordered)
    for (const reference of user.body.rules) {
      const rule = names.find(reference.text);
      if (rule === undefined) continue;
      const users = out.get(rule) ?? [];
      if (!users.includes(user)) users.push(user);
      out.set(rule, users);
    }
  return out;
}

function versionOf(
  rule: Correlation,
  fed: readonly Rule[],
  { versions, names }: { readonly versions: ReadonlyMap<Draft, string>; readonly names: Names },
): string {
  const { type, spanMs, groupBy, condition } = rule.body;
  const fields = fieldsOf(rule);
  const sources = fed.map((one) => [
    versions.get(one) ?? "",
    ruleId(one),
    ...fields.flatMap((field) => {
      const name = aliased(rule, one, field);
      return isCorrelation(one) && !knows(one, name) ? [name, meaningOf(one, name, names)] : [name];
    }),
  ]);
  const added = addedLogic(rule.body);
  const logic = [type, spanMs, groupBy.map((one) => one.text), condition, sources, ...added];
  return idOf("correlation", ruleId(rule), JSON.stringify(logic));
}

const highest = (levels: readonly (Level | undefined)[]): Level =>
  LEVELS[Math.max(0, ...levels.map((level) => LEVELS.indexOf(level ?? "informational")))] ??
  "medium";

// rules-explain.ts — the verb that shows how rules are read: which events they look at, and where their fields stand there.
import { resolve, sep } from "node:path";
import type { LogSource } from "../../core/event.ts";
import type { Mappings } from "../../core/mappings.ts";
import type { CorrelationRule } from "../../core/records.ts";
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { type FieldUse, fieldsOf } from "../../correlator/sigma/fields.ts";
import { loadRules } from "../../correlator/sigma/load.ts";
import type { DetectionRule, EventField } from "../../correlator/sigma/rule.ts";
import { JSON_OPTION } from "../common.ts";
import { correlationLines, explainCorrelation } from "../explain-correlation.ts";
import { explainEvents } from "../explain-event.ts";
import { RULE_OPTIONS, readingOf, ruleFoldersOf, withRest } from "../rule-folders.ts";
import { printable } from "../table.ts";
import { EXIT, flagOf, stringOf, type Verb } from "../verb.ts";

export const rulesExplain: Verb = {
  name: "rules explain",
  summary: "show how a rule is read: fields, windows, whom it awaits",
  usage: "[options] FILE…",
  text: "For each detection rule of FILE: the log source that it looks at, and for each field the event's paths, of which the first that is present counts. Mapping files say them; a field that none of them knows stands where its name says. For each correlation: what feeds it, how that is grouped, when it fires, and which groups and assets it awaits or takes for graver.",
  positionals: { min: 1, max: 1000 },
  options: {
    ...RULE_OPTIONS,
    event: {
      type: "string",
      value: "FILE",
      text: "try the rules on this event instead (JSON; - is standard input): what each part of the condition gives, on which field and value, and which filters suppress it",
    },
    ...JSON_OPTION,
  },
  examples: [
    { line: "wache rules explain my-rules/vpn.yml", does: "log source, fields and their paths" },
    {
      line: "wache rules explain my-rules/vpn.yml --event event.json",
      does: "why the rule matches the event, or why not",
    },
    {
      line: "wache rules explain --json my-rules | jq -r '.unknown[]' | sort | uniq -c",
      does: "fields that no mapping knows",
    },
  ],
  exits: { 1: "the rules are refused, or FILE has no rule; with --event, no detection rule" },
  run: async (call) => {
    const { values, positionals, out, err } = call;
    const named = ruleFoldersOf(values, positionals);
    const loaded = await loadRules(withRest(values, named), ruleDisk, readingOf(values));
    const { set, mappings, problems, leftOut } = loaded;
    const isNamed = (at: string): boolean =>
      named.some(({ path }) => at.startsWith(`${resolve(path)}:`) || at.startsWith(path + sep));
    for (const { at, problems: why } of leftOut.filter((one) => isNamed(one.at)))
      err(printable(`${at}: left out: ${why.map(({ message }) => message).join("; ")}`));
    if (set === undefined || mappings === undefined) {
      for (const { at, code, message } of problems) err(printable(`${at}: ${message} (${code})`));
      return EXIT.failed;
    }
    const rules = set.detections.filter(({ at }) => isNamed(at));
    const file = stringOf(values, "event");
    if (file !== undefined) {
      if (rules.length > 0) await explainEvents(rules, mappings, { file, call });
      else err("no detection rule was found there to try on an event");
      return rules.length > 0 ? EXIT.ok : EXIT.failed;
    }
    const atOf = ({ about }: CorrelationRule): string => loaded.places?.get(about.id) ?? "";
    const correlations = set.correlations
      .filter((rule) => isNamed(atOf(rule)))
      .map((rule) => explainCorrelation(rule, { set, at: atOf(rule) }));
    const explained = rules.map((rule) => explain(rule, mappings));
    if (explained.length + correlations.length === 0) err("no rule was found there");
    const asJson = flagOf(values, "json");
    const show = <T>(all: readonly T[], lines: (one: T) => Iterable<string>): void => {
      for (const one of all)
        if (asJson) out(JSON.stringify(one));
        else for (const line of lines(one)) out(printable(line));
    };
    show(explained, linesOf);
    show(correlations, correlationLines);
    return explained.length + correlations.length === 0 ? EXIT.failed : EXIT.ok;
  },
};

type Explained = {
  readonly rule: string;
  readonly title: string;
  readonly at: string;
  readonly logsource: LogSource;
  readonly keywords: boolean;
  readonly fields: readonly {
    readonly name: string;
    readonly use: FieldUse;
    readonly known: boolean;
    readonly paths: readonly string[];
    readonly values?: EventField["values"];
  }[];
  readonly unknown: readonly string[];
};

function explain(rule: DetectionRule, mappings: Mappings): Explained {
  const { fields, keywords } = fieldsOf(rule);
  const shown = fields.map(({ field: { name, paths, values }, use }) => ({
    name,
    use,
    known: mappings.isKnown(rule.logsource, name),
    paths,
    ...(values && { values }),
  }));
  return {
    rule: rule.about.id,
    title: rule.about.title,
    at: rule.at,
    logsource: rule.logsource,
    keywords,
    fields: shown,
    unknown: shown.filter(({ known }) => !known).map(({ name }) => name),
  };
}

function* linesOf({ title, at, logsource, keywords, fields }: Explained): Generator<string> {
  yield `${title} (${at})`;
  const words = Object.entries(logsource).map(([key, word]) => `${key} ${word}`);
  yield `  looks at   ${words.join(", ") || "every event"}`;
  if (keywords) yield "  keywords   in every text of the event";
  for (const { name, use, known, paths, values = {} } of fields) {
    yield `  ${name}${use === "condition" ? "" : ` (${use})`}${known ? "" : " — as it is: no mapping knows it"}`;
    for (const path of paths) yield `      ${path}`;
    for (const [asked, held] of Object.entries(values))
      yield `      ${JSON.stringify(asked)} is also ${held.map((one) => JSON.stringify(one)).join(", ")}`;
  }
  yield "";
}

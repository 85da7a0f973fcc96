// rules-list.ts — the verb that lists rules.

import { UserError } from "../../core/errors.ts";
import type { RuleAbout } from "../../core/records.ts";
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { loadRules } from "../../correlator/sigma/load.ts";
import { JSON_OPTION } from "../common.ts";
import { placeholdersOf, RULE_OPTIONS, ruleFoldersOf } from "../rule-folders.ts";
import { table } from "../table.ts";
import { EXIT, flagOf, type Verb } from "../verb.ts";

export const rulesList: Verb = {
  name: "rules list",
  summary: "list rules with level and title",
  usage: "[options] [PATH…]",
  text: "PATH is a folder or a file; without one, the folders that the configuration names and the rules that ship with Wache.",
  positionals: { min: 0, max: 1000 },
  options: { ...RULE_OPTIONS, ...JSON_OPTION },
  examples: [
    { line: "wache rules list", does: "what a start would load" },
    { line: "wache rules list --json | jq -r .title", does: "each rule is a line of JSON" },
  ],
  exits: { 1: "the rules are refused" },
  run: async ({ values, positionals, out }) => {
    const { set, problems } = await loadRules(ruleFoldersOf(values, positionals), ruleDisk, {
      placeholders: placeholdersOf(values),
    });
    if (set === undefined)
      throw new UserError(
        "rules.refused",
        `the rules are refused: ${problems[0]?.at}: ${problems[0]?.message}; wache rules validate says more`,
      );
    const kinds = [
      ...set.detections.map(({ about }) => ({ kind: "detection", about })),
      ...set.correlations.map(({ about, type }) => ({ kind: type, about })),
    ].toSorted((a, b) => (a.about.title < b.about.title ? -1 : 1));
    if (flagOf(values, "json")) {
      for (const { kind, about } of kinds) out(JSON.stringify({ kind, ...about }));
      return EXIT.ok;
    }
    for (const line of table(["LEVEL", "KIND", "TITLE", "ID"], kinds.map(rowOf))) out(line);
    return EXIT.ok;
  },
};

const rowOf = (rule: { readonly kind: string; readonly about: RuleAbout }): string[] => [
  rule.about.level,
  rule.kind,
  rule.about.title,
  rule.about.id,
];

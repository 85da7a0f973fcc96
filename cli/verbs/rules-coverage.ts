// rules-coverage.ts — the verb that shows which of ATT&CK's techniques rules look for.
import { UserError } from "../../core/errors.ts";
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { loadRules } from "../../correlator/sigma/load.ts";
import { JSON_OPTION } from "../common.ts";
import { coverageOf, coverageRows, navigatorLayer } from "../coverage.ts";
import { RULE_OPTIONS, readingOf, ruleFoldersOf } from "../rule-folders.ts";
import { counted, table } from "../table.ts";
import { EXIT, flagOf, type Verb } from "../verb.ts";

export const rulesCoverage: Verb = {
  name: "rules coverage",
  summary: "show which ATT&CK techniques rules look for",
  usage: "[options] [PATH…]",
  text: "By the tags attack.… of the rules: a row counts the rules that name both the tactic and the technique. PATH is a folder or a file; without one, the folders that the configuration names and the rules that ship with Wache.",
  positionals: { min: 0, max: 1000 },
  options: {
    ...RULE_OPTIONS,
    navigator: { type: "boolean", text: "print a layer for the ATT&CK Navigator" },
    ...JSON_OPTION,
  },
  examples: [
    { line: "wache rules coverage", does: "a table of what a start would load" },
    {
      line: "wache rules coverage --lenient --navigator sigma/rules > layer.json",
      does: "open layer.json in the Navigator",
    },
  ],
  exits: { 1: "the rules are refused" },
  run: async ({ values, positionals, out, err }) => {
    const folders = ruleFoldersOf(values, positionals);
    const { set, problems } = await loadRules(folders, ruleDisk, readingOf(values));
    if (set === undefined)
      throw new UserError(
        "rules.refused",
        `the rules are refused: ${problems[0]?.at}: ${problems[0]?.message}; --lenient leaves bad rules out, wache rules validate says more`,
      );
    const rules = [...set.detections, ...set.correlations].map(({ about }) => about);
    const { techniques, untagged } = coverageOf(rules);
    if (flagOf(values, "navigator"))
      out(JSON.stringify(navigatorLayer(techniques, "Wache's rules"), null, 2));
    else if (flagOf(values, "json")) for (const one of techniques) out(JSON.stringify(one));
    else {
      const head = ["TACTIC", "TECHNIQUE", "RULES", "HIGHEST LEVEL"];
      for (const line of table(head, coverageRows(techniques))) out(line);
      out(`${counted(techniques.length, "technique")}, ${counted(rules.length, "rule")}`);
    }
    if (untagged > 0) err(`${untagged} of ${counted(rules.length, "rule")} name no technique`);
    return EXIT.ok;
  },
};

// rules-test.ts — the verb that runs the tests beside rules.
import { type CaseResult, runRuleTest } from "../../correlator/rule-tests.ts";
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { loadRules } from "../../correlator/sigma/load.ts";
import { JSON_OPTION } from "../common.ts";
import { RULE_OPTIONS, ruleFoldersOf } from "../rule-folders.ts";
import { EXIT, flagOf, type Verb } from "../verb.ts";

export const rulesTest: Verb = {
  name: "rules test",
  summary: "run the tests that stand beside rules",
  usage: "[options] [PATH…]",
  text: "A test is NAME.test.yml beside NAME.yml: events in, findings out. PATH is a folder or a file; without one, the folders that the configuration names and the rules that ship with Wache.",
  positionals: { min: 0, max: 1000 },
  options: { ...RULE_OPTIONS, ...JSON_OPTION },
  examples: [
    { line: "wache rules test", does: "all rules that a start would load" },
    { line: "wache rules test my-rules --json", does: "one line of JSON for each case" },
  ],
  exits: { 0: "every case gave what it wants", 1: "one did not, or the rules are refused" },
  run: async ({ values, positionals, out, err }) => {
    const folders = ruleFoldersOf(values, positionals);
    const { set, problems } = await loadRules(folders, ruleDisk);
    if (set === undefined) {
      for (const { at, code, message } of problems) err(`${at}: ${message} (${code})`);
      return EXIT.failed;
    }
    const listed = await Promise.all(folders.map(({ path }) => ruleDisk.list(path)));
    const files = listed.flat().filter((path) => /\.test\.ya?ml$/.test(path));
    const results: CaseResult[] = [];
    for (const file of files.sort()) results.push(...(await runRuleTest(file, set)));
    for (const result of results) {
      if (flagOf(values, "json")) out(JSON.stringify(result));
      else if (!result.passed)
        err(
          `${result.file}: ${result.name}: wanted ${JSON.stringify(result.wanted)}, found ${JSON.stringify(result.found)}`,
        );
    }
    const failed = results.filter(({ passed }) => !passed).length;
    if (!flagOf(values, "json"))
      out(`${results.length - failed} of ${results.length} cases in ${files.length} files passed`);
    return failed > 0 ? EXIT.failed : EXIT.ok;
  },
};

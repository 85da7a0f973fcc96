// rules-test.ts — the verb that runs the tests beside rules.
import { type CaseResult, runRuleTest } from "../../correlator/rule-tests.ts";
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { isRuleFile, isTestFile, loadRules } from "../../correlator/sigma/load.ts";
import { JSON_OPTION } from "../common.ts";
import { placed } from "../placed.ts";
import {
  RULE_OPTIONS,
  type RuleFolder,
  readingOf,
  ruleFoldersOf,
  withRest,
} from "../rule-folders.ts";
import { counted, printable } from "../table.ts";
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
  exits: {
    0: "every case gave what it wants",
    1: "one did not, the rules are refused, or there is no test",
  },
  run: async ({ values, positionals, out, err }) => {
    const folders = ruleFoldersOf(values, positionals);
    const { set, problems } = await loadRules(
      withRest(values, folders),
      ruleDisk,
      readingOf(values),
    );
    if (set === undefined) {
      for (const { at, code, message } of problems) err(printable(`${at}: ${message} (${code})`));
      return EXIT.failed;
    }
    const files = await testFilesOf(folders);
    const results: CaseResult[] = [];
    for (const file of files) results.push(...(await runRuleTest(file, set)));
    if (flagOf(values, "json")) for (const result of results) out(jsonOf(result));
    else for (const line of new Set(results.flatMap(faultsOf))) err(printable(line));
    if (results.length === 0) {
      err("no test was found: the test of NAME.yml is NAME.test.yml beside it");
      return EXIT.failed;
    }
    const failed = results.filter(({ passed }) => !passed).length;
    if (!flagOf(values, "json"))
      out(
        `${results.length - failed} of ${counted(results.length, "case")} in ${counted(files.length, "file")} passed`,
      );
    return failed > 0 ? EXIT.failed : EXIT.ok;
  },
};

/** A rule file that is named stands for the test beside it. */
async function testFilesOf(folders: readonly RuleFolder[]): Promise<string[]> {
  const files = await Promise.all(
    folders.map(({ path }) => {
      const isRule = isRuleFile(path);
      return isRule
        ? ruleDisk.list(path.replace(/\.(ya?ml)$/i, ".test.$1")).catch(() => [])
        : ruleDisk.list(path);
    }),
  );
  return [...new Set(files.flat().filter(isTestFile))].sort();
}

const jsonOf = ({ problems, ...result }: CaseResult): string =>
  JSON.stringify({ ...result, ...(problems && { problems: problems.map(placed) }) });

/** What is wrong with a whole file is wrong with each of its cases, in the same words. */
function faultsOf({ file, name, passed, wanted, found, problems }: CaseResult): readonly string[] {
  if (passed) return [];
  return problems === undefined
    ? [`${file}: ${name}: wanted ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`]
    : problems.map(({ at, code, message }) => `${at}: ${message} (${code})`);
}

// rules-validate.ts — the verb that reads rules as a start or a reload would, and says what is wrong.
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { loadRules } from "../../correlator/sigma/load.ts";
import { JSON_OPTION } from "../common.ts";
import { placeholdersOf, RULE_OPTIONS, ruleFoldersOf } from "../rule-folders.ts";
import { counted } from "../table.ts";
import { EXIT, flagOf, type Verb } from "../verb.ts";

export const rulesValidate: Verb = {
  name: "rules validate",
  summary: "check rules before they go live",
  usage: "[options] [PATH…]",
  text: "PATH is a folder or a file; without one, the folders that the configuration names and the rules that ship with Wache.",
  positionals: { min: 0, max: 1000 },
  options: { ...RULE_OPTIONS, ...JSON_OPTION },
  examples: [
    { line: "wache rules validate", does: "what a start would load" },
    { line: "wache rules validate my-rules --json", does: "one line of JSON, for an editor or CI" },
  ],
  exits: { 0: "the rules would go live", 1: "they are refused" },
  run: async ({ values, positionals, out, err }) => {
    const loaded = await loadRules(ruleFoldersOf(values, positionals), ruleDisk, {
      placeholders: placeholdersOf(values),
    });
    const { problems, leftOut, set } = loaded;
    const counts = {
      detections: set?.detections.length ?? 0,
      correlations: set?.correlations.length ?? 0,
    };
    if (flagOf(values, "json")) {
      out(JSON.stringify({ ok: set !== undefined, ...counts, problems, leftOut }));
      return set === undefined ? EXIT.failed : EXIT.ok;
    }
    for (const { at, code, message } of problems) err(`${at}: ${message} (${code})`);
    for (const { at, problems: why } of leftOut)
      err(`${at}: left out: ${why.map(({ message }) => message).join("; ")}`);
    if (set === undefined) {
      err(`refused: ${counted(problems.length, "problem")}`);
      return EXIT.failed;
    }
    const left = leftOut.length === 0 ? "" : `, ${leftOut.length} left out of lenient folders`;
    out(
      `good: ${counted(counts.detections, "detection")}, ${counted(counts.correlations, "correlation")}${left}`,
    );
    return EXIT.ok;
  },
};

// rules-validate.ts — the verb that reads rules as a start or a reload would, and says what is wrong, and what is likely not meant.
import type { Mappings } from "../../core/mappings.ts";
import { type FolderDisk, onceDisk } from "../../correlator/sigma/disk.ts";
import { isRuleFile, loadRules, readText } from "../../correlator/sigma/load.ts";
import type { LeftOut, LoadedRules, Problem, RuleFile } from "../../correlator/sigma/rule.ts";
import { warningsOf } from "../../correlator/sigma/warnings.ts";
import { thresholdWarnings } from "../../correlator/threshold-warnings.ts";
import { configOf, JSON_OPTION } from "../common.ts";
import { lostRules, noRules } from "../missing-rules.ts";
import { type Placed, placed } from "../placed.ts";
import { RULE_OPTIONS, type RuleFolder, readingOf, ruleFoldersOf } from "../rule-folders.ts";
import { counted, printable } from "../table.ts";
import { type Call, EXIT, flagOf, type Verb } from "../verb.ts";

export const rulesValidate: Verb = {
  name: "rules validate",
  summary: "check rules before they go live",
  usage: "[options] [PATH…]",
  text: "PATH is a folder or a file; without one, the folders that the configuration names and the rules that ship with Wache. Warnings (a missing level or id, an id that is no UUID, a malformed tag or day, a list where text belongs, a log source in capitals, a field that no mapping of the log source knows, an alias that nothing asks for, a threshold beyond what a group keeps) refuse nothing. With --json each problem has code, severity (error, left-out or warning), file, line, column and message.",
  positionals: { min: 0, max: 1000 },
  options: {
    ...RULE_OPTIONS,
    "deny-warnings": { type: "boolean", text: "a warning fails as well" },
    ...JSON_OPTION,
  },
  examples: [
    { line: "wache rules validate", does: "what a start would load" },
    { line: "wache rules validate my-rules --json", does: "one line of JSON, for an editor or CI" },
  ],
  exits: {
    0: "the rules would go live",
    1: "they are refused, a PATH has no rule, a link leads nowhere, or --deny-warnings and there is a warning",
  },
  run: async (call) => {
    const { values, positionals } = call;
    const folders = ruleFoldersOf(values, positionals);
    const disk = onceDisk();
    const read = await loadRules(folders, disk, readingOf(values));
    const missing = await missingIn(folders, positionals.length > 0, disk);
    const loaded = withMissing(read, missing);
    const found = foundIn(loaded, [
      ...(await warningsIn(folders, loaded.mappings, disk)),
      ...thresholdWarnings(loaded, configOf(values).correlator),
    ]);
    if (flagOf(values, "json")) call.out(JSON.stringify({ ...countsOf(loaded), problems: found }));
    else show(call, loaded, found);
    const isDenied =
      flagOf(values, "deny-warnings") && found.some(({ severity }) => severity === "warning");
    return loaded.set === undefined || isDenied ? EXIT.failed : EXIT.ok;
  },
};

type Severity = "error" | "left-out" | "warning";
type Found = Placed & { readonly severity: Severity };

function foundIn(
  { problems, leftOut }: LoadedRules,
  warnings: readonly Problem[],
): readonly Found[] {
  const graded =
    (severity: Severity) =>
    (problem: Problem): Found => ({ severity, ...placed(problem) });
  return [
    ...problems.map(graded("error")),
    ...leftOut.flatMap((one) => one.problems.map(graded("left-out"))),
    ...warnings.map(graded("warning")),
  ];
}

const countsOf = ({ set, leftOut }: LoadedRules) => ({
  ok: set !== undefined,
  detections: set?.detections.length ?? 0,
  correlations: set?.correlations.length ?? 0,
  leftOut: leftOut.length,
});

async function missingIn(
  folders: readonly RuleFolder[],
  areNamed: boolean,
  disk: FolderDisk,
): Promise<Pick<LoadedRules, "problems" | "leftOut">> {
  const problems: Problem[] = [];
  const leftOut: LeftOut[] = [];
  for (const { path, lenient } of folders) {
    const lost = await lostRules(path, disk);
    if (lenient) leftOut.push(...lost.map((one) => ({ at: one.at, problems: [one] })));
    else problems.push(...lost);
    // A folder of the configuration may still be empty.
    if (areNamed) problems.push(...(await noRules(path, disk)));
  }
  return { problems, leftOut };
}

function withMissing(
  { set, ...loaded }: LoadedRules,
  missing: Pick<LoadedRules, "problems" | "leftOut">,
): LoadedRules {
  return {
    ...loaded,
    ...(set !== undefined && missing.problems.length === 0 && { set }),
    problems: [...loaded.problems, ...missing.problems],
    leftOut: [...loaded.leftOut, ...missing.leftOut],
  };
}

/** Of the files that can be read; of the others loading has told. */
async function warningsIn(
  folders: readonly RuleFolder[],
  mappings: Mappings | undefined,
  disk: FolderDisk,
): Promise<readonly Problem[]> {
  const fields = mappings ?? { known: () => [], isKnown: () => true };
  const lists = await Promise.all(folders.map(({ path }) => disk.list(path).catch(() => [])));
  const files: RuleFile[] = [];
  for (const path of new Set(lists.flat().filter(isRuleFile).toSorted())) {
    const read = await readText(path, disk);
    if (read.ok) files.push({ path, text: read.text, lenient: true });
  }
  return warningsOf(files, fields);
}

function show({ out, err }: Call, loaded: LoadedRules, found: readonly Found[]): void {
  const words: Readonly<Record<Severity, string>> = {
    error: "",
    "left-out": "left out: ",
    warning: "warning: ",
  };
  for (const { severity, code, file, line, column, message } of found)
    err(printable(`${file}:${line}:${column}: ${words[severity]}${message} (${code})`));
  const warned = found.filter(({ severity }) => severity === "warning").length;
  const also = warned === 0 ? "" : `, ${counted(warned, "warning")}`;
  if (loaded.set === undefined) {
    err(`refused: ${counted(loaded.problems.length, "problem")}${also}`);
    return;
  }
  const { detections, correlations, leftOut } = countsOf(loaded);
  const left = leftOut === 0 ? "" : `, ${leftOut} left out of lenient folders`;
  out(
    `good: ${counted(detections, "detection")}, ${counted(correlations, "correlation")}${left}${also}`,
  );
}

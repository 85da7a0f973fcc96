// rules-import.ts — the verb that says what of a checkout of public rules Wache can use, and copies it.
import { LEVELS } from "../../core/records.ts";
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { loadRules } from "../../correlator/sigma/load.ts";
import type { DetectionRule, LeftOut, LoadedRules } from "../../correlator/sigma/rule.ts";
import { CONFIG_OPTIONS, JSON_OPTION } from "../common.ts";
import { type Copied, copyRules, foldersOf, wholeFiles, whyNotCopied } from "../import-rules.ts";
import { readingOf } from "../rule-folders.ts";
import { counted, table } from "../table.ts";
import { type Call, EXIT, flagOf, stringOf, type Verb } from "../verb.ts";

const PLACES_SHOWN_MAX = 5; // of each reason

export const rulesImport: Verb = {
  name: "rules import",
  summary: "see what a checkout of public rules gives, and copy it",
  usage: "[options] DIR",
  text: "DIR is a checkout of SigmaHQ (its folders rules and rules-… are read) or any folder of rules. It tells how many rules load, by log source and level, and which are left out and why. Nothing is written without --to. With it, the files of which every rule loads are copied to FOLDER under the same names, so that FOLDER can be named in correlator.rules as it is. Run again with a newer checkout it brings FOLDER up to date: files that are gone are removed, files that were changed there by hand are kept, and said. Where DIR can't be read whole or no rule of it loads, FOLDER is not touched.",
  positionals: { min: 1, max: 1 },
  options: {
    config: CONFIG_OPTIONS.config,
    to: {
      type: "string",
      value: "FOLDER",
      text: "copy the rules that load; a new folder, or one of an earlier import",
    },
    ...JSON_OPTION,
  },
  needless: { lenient: "bad rules are always left out here, and said" },
  examples: [
    { line: "wache rules import sigma", does: "what loads, and what does not and why" },
    {
      line: "wache rules import sigma --to rules-sigma",
      does: "copies what loads, or brings it up to date",
    },
  ],
  exits: {
    0: "rules load",
    1: "none does, DIR can't be read whole, or FOLDER is not of an import",
  },
  run: importRules,
};

type Row = {
  readonly product?: string;
  readonly category?: string;
  readonly service?: string;
  readonly rules: number;
  readonly levels: Readonly<Record<string, number>>;
};

async function importRules(call: Call): Promise<number> {
  const { values, positionals, out } = call;
  const from = positionals[0] ?? ".";
  const folders = await foldersOf(from);
  const reading = readingOf(values);
  const lenient = folders.map((path) => ({ path, lenient: true }));
  const loaded = await loadRules(lenient, ruleDisk, reading);
  const to = stringOf(values, "to");
  const fault = await whyNotCopied(folders, loaded);
  const wanted = to !== undefined && fault === undefined;
  const files = wanted ? await wholeFiles(folders, reading) : [];
  const copied =
    to === undefined || files.length === 0 ? undefined : await copyRules(files, { from, to });
  const detections = loaded.set?.detections ?? [];
  const rows = rowsOf(detections);
  if (flagOf(values, "json"))
    out(JSON.stringify({ ...countsOf(loaded), logSources: rows, leftOut: loaded.leftOut, copied }));
  else show(call, { loaded, rows, copied, to });
  const isUntouched = to !== undefined && copied === undefined;
  if (isUntouched) call.err(`${to} is not touched: ${fault ?? "no file loads whole"}`);
  const failed = detections.length === 0 || fault !== undefined || isUntouched;
  return failed ? EXIT.failed : EXIT.ok;
}

const countsOf = ({ set, leftOut }: LoadedRules) => ({
  detections: set?.detections.length ?? 0,
  correlations: set?.correlations.length ?? 0,
  leftOutCount: leftOut.length,
});

function show(
  { out, err }: Call,
  found: {
    readonly loaded: LoadedRules;
    readonly rows: readonly Row[];
    readonly copied: Copied | undefined;
    readonly to: string | undefined;
  },
): void {
  const { loaded, rows, copied, to } = found;
  const cell = (count: number | undefined): string => (count === undefined ? "" : String(count));
  const head = [
    "PRODUCT",
    "CATEGORY",
    "SERVICE",
    "RULES",
    ...LEVELS.map((one) => one.toUpperCase()),
  ];
  const cells = rows.map(({ product = "", category = "", service = "", rules, levels }) => [
    ...[product, category, service, String(rules)],
    ...LEVELS.map((level) => cell(levels[level])),
  ]);
  if (rows.length > 0) for (const line of table(head, cells)) out(line);
  const { detections, correlations, leftOutCount } = countsOf(loaded);
  out(
    `${counted(detections, "detection")} and ${counted(correlations, "correlation")} load, ${leftOutCount} left out`,
  );
  for (const line of leftOutLines(loaded.leftOut)) out(line);
  for (const { at, message } of loaded.problems) err(`${at}: ${message}`);
  if (copied === undefined || to === undefined) return;
  out(
    `${to}: ${counted(copied.written, "file")} written, ${copied.same} unchanged, ${copied.removed} removed`,
  );
  for (const name of copied.kept) out(`${to}/${name}: kept, it was changed there`);
  out(`to use them, name the folder in wache.yaml: correlator: { rules: [{ path: ${to} }] }`);
}

function rowsOf(detections: readonly DetectionRule[]): readonly Row[] {
  const rows = new Map<string, Row & { rules: number; levels: Record<string, number> }>();
  for (const { logsource, about } of detections) {
    const name = JSON.stringify(logsource);
    const row = rows.get(name) ?? { ...logsource, rules: 0, levels: {} };
    row.rules += 1;
    row.levels[about.level] = (row.levels[about.level] ?? 0) + 1;
    rows.set(name, row);
  }
  return [...rows]
    .toSorted(([a, one], [b, other]) => other.rules - one.rules || (a < b ? -1 : 1))
    .map(([, row]) => row);
}

/** By reason, the most frequent first. */
function leftOutLines(leftOut: readonly LeftOut[]): readonly string[] {
  const byCode = new Map<string, { readonly at: string; readonly message: string }[]>();
  for (const { at, problems } of leftOut) {
    const [first] = problems;
    const code = first?.code ?? "rule.refused";
    const known = byCode.get(code) ?? [];
    known.push({ at: first?.at ?? at, message: first?.message ?? "refused" });
    byCode.set(code, known);
  }
  return [...byCode]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .flatMap(([code, all]) => {
      const shown = all.slice(0, PLACES_SHOWN_MAX).map(({ at, message }) => `  ${at}: ${message}`);
      const more = all.length - shown.length;
      return [
        `left out, ${code}: ${all.length}`,
        ...shown,
        ...(more > 0 ? [`  … ${more} more`] : []),
      ];
    });
}

// import-rules.ts — which files of a checkout can go live as they are, and copies of them in a folder of one's own.
//
// In:    a checkout of SigmaHQ, or any folder of rules.
// Out:   the files that load together as a strict set; with a target, copies under the same names.
// Holds: nothing is written but into the target; a file there that was changed by hand is kept, one that was not imported
//        is never touched. A list in the target says what was imported. A checkout that can't be read whole, or gives
//        nothing, changes nothing: what it lacks may be there, out of reach.
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { UserError } from "../core/errors.ts";
import { idOf } from "../core/event.ts";
import { ruleDisk } from "../correlator/sigma/disk.ts";
import { isRuleFile, type LoadOptions, loadRules } from "../correlator/sigma/load.ts";
import type { LoadedRules } from "../correlator/sigma/rule.ts";

const LIST_FILE = ".wache-import.json";

/** The folders of a SigmaHQ checkout that hold rules in use; any other folder is taken as it is. */
export async function foldersOf(checkout: string): Promise<readonly string[]> {
  const root = resolve(checkout);
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name);
  if (!names.includes("rules")) return [root];
  const inUse = names.filter((name) => name === "rules" || name.startsWith("rules-"));
  return inUse.toSorted().map((name) => join(root, name));
}

const fileOf = (at: string): string => at.replace(/:\d+:\d+$/, "");

/** The files of which every rule loads, also without those of which one does not. */
export async function wholeFiles(
  folders: readonly string[],
  options: LoadOptions,
): Promise<readonly string[]> {
  const lists = await Promise.all(folders.map((folder) => ruleDisk.list(folder).catch(() => [])));
  let files = lists.flat().filter(isRuleFile).toSorted();
  for (;;) {
    const lenient = files.map((path) => ({ path, lenient: true }));
    const { leftOut } = await loadRules(lenient, ruleDisk, options);
    if (leftOut.length === 0) return files;
    const refused = new Set(leftOut.map(({ at }) => fileOf(at)));
    files = files.filter((file) => !refused.has(file));
  }
}

const UNREADABLE: readonly string[] = ["rule.folder", "rule.file"];

/** Why nothing is copied from a checkout: an absence there would remove what was imported. */
export function whyNotCopied({ set, leftOut }: LoadedRules): string | undefined {
  if (set === undefined) return "the mapping files are refused";
  const unread = leftOut.flatMap(({ problems }) => problems);
  const fault = unread.find(({ code }) => UNREADABLE.includes(code));
  if (fault !== undefined) return `${fileOf(fault.at)}: ${fault.message}`;
  return set.detections.length + set.correlations.length === 0 ? "no rule loads" : undefined;
}

export type Copied = {
  readonly written: number;
  readonly same: number;
  readonly removed: number;
  readonly kept: readonly string[]; // changed by hand since they were imported
};

export async function copyRules(
  files: readonly string[],
  places: { readonly from: string; readonly to: string },
): Promise<Copied> {
  const to = resolve(places.to);
  const before = await listOf(to);
  const after: Record<string, string> = {};
  const kept: string[] = [];
  const counts = { written: 0, same: 0, removed: 0 };
  for (const file of files) {
    const name = relative(resolve(places.from), file).split(sep).join("/");
    const bytes = await readFile(file);
    const mark = markOf(bytes);
    const there = await readFile(join(to, name)).catch(() => undefined);
    const known = before.get(name);
    if (there !== undefined && markOf(there) !== (known ?? mark)) {
      kept.push(name);
      if (known !== undefined) after[name] = known;
      continue;
    }
    after[name] = mark;
    if (there !== undefined && markOf(there) === mark) {
      counts.same += 1;
      continue;
    }
    await mkdir(dirname(join(to, name)), { recursive: true });
    await writeFile(join(to, name), bytes);
    counts.written += 1;
  }
  for (const [name, mark] of before) {
    if (after[name] !== undefined || kept.includes(name)) continue;
    const there = await readFile(join(to, name)).catch(() => undefined);
    if (there === undefined) continue;
    if (markOf(there) === mark) {
      await rm(join(to, name));
      counts.removed += 1;
    } else kept.push(name);
  }
  await mkdir(to, { recursive: true });
  await writeFile(join(to, LIST_FILE), `${JSON.stringify(after, null, 1)}\n`);
  return { ...counts, kept: kept.toSorted() };
}

const markOf = (bytes: Uint8Array): string => idOf(Buffer.from(bytes).toString("latin1"));

/** What an earlier import wrote there; a folder with other things in it is not taken for one. */
async function listOf(to: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(to, LIST_FILE), "utf8").catch(() => undefined);
  if (text !== undefined) return new Map(Object.entries(JSON.parse(text) as object));
  const there = await stat(to).catch(() => undefined);
  const isEmpty = there === undefined || (there.isDirectory() && (await readdir(to)).length === 0);
  if (isEmpty) return new Map();
  throw new UserError(
    "cli.import-target",
    `${to} is there and was not made by an import; name a new or an empty folder with --to`,
  );
}

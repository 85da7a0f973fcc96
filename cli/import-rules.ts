// import-rules.ts — which files of a checkout can go live as they are, and copies of them in a folder of one's own.
//
// In:    a checkout of SigmaHQ, or any folder of rules.
// Out:   the files that load together as a strict set; with a target, copies under the same names.
// Holds: nothing is written but into the target; a file there that was changed by hand is kept, one that was not imported
//        is never touched. A list in the target says what was imported. A checkout that can't be read whole, or gives
//        nothing, changes nothing: what it lacks may be there, out of reach.
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { UserError } from "../core/errors.ts";
import { idOf } from "../core/event.ts";
import { pathFault } from "../core/path-fault.ts";
import { onceDisk, ruleDisk } from "../correlator/sigma/disk.ts";
import { isRuleFile, type LoadOptions, loadRules } from "../correlator/sigma/load.ts";
import type { LoadedRules } from "../correlator/sigma/rule.ts";
import { lostRules } from "./missing-rules.ts";

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
  const disk = onceDisk();
  const lists = await Promise.all(folders.map((folder) => disk.list(folder).catch(() => [])));
  let files = lists.flat().filter(isRuleFile).toSorted();
  for (;;) {
    const lenient = files.map((path) => ({ path, lenient: true }));
    const { leftOut } = await loadRules(lenient, disk, options);
    if (leftOut.length === 0) return files;
    const refused = new Set(leftOut.map(({ at }) => fileOf(at)));
    files = files.filter((file) => !refused.has(file));
  }
}

const UNREADABLE: readonly string[] = ["rule.folder", "rule.file"];

/** Why nothing is copied from a checkout: an absence there would remove what was imported. */
export async function whyNotCopied(
  folders: readonly string[],
  { set, leftOut }: LoadedRules,
): Promise<string | undefined> {
  if (set === undefined) return "the mapping files are refused";
  const lost = await Promise.all(folders.map((folder) => lostRules(folder, ruleDisk)));
  const unread = leftOut
    .flatMap(({ problems }) => problems)
    .filter(({ code }) => UNREADABLE.includes(code));
  const [fault] = [...unread, ...lost.flat()];
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
  const wanted = new Map<string, Uint8Array>();
  for (const file of files) {
    const name = relative(resolve(places.from), file).split(sep).join("/");
    wanted.set(name, await readFile(file));
  }
  const marks = new Map([...wanted].map(([name, bytes]) => [name, markOf(bytes)]));
  // A copy that is broken off is known as ours by the next one, whether it was written yet or not.
  await writeList(to, new Map([...marks, ...before]));
  const after = new Map<string, string>();
  const kept: string[] = [];
  const counts = { written: 0, same: 0, removed: 0 };
  for (const [name, bytes] of wanted) {
    const mark = markOf(bytes);
    const there = await markIn(to, name);
    const known = before.get(name);
    if (there !== undefined && there !== mark && there !== known) {
      kept.push(name);
      if (known !== undefined) after.set(name, known);
      continue;
    }
    after.set(name, mark);
    if (there === mark) counts.same += 1;
    else {
      await writeWhole(join(to, name), bytes);
      counts.written += 1;
    }
  }
  for (const [name, mark] of before) {
    if (after.has(name) || kept.includes(name)) continue;
    const there = await markIn(to, name);
    if (there === mark) {
      await rm(join(to, name));
      counts.removed += 1;
    } else if (there !== undefined) kept.push(name);
  }
  await writeList(to, after);
  return { ...counts, kept: kept.toSorted() };
}

const markIn = async (to: string, name: string): Promise<string | undefined> => {
  const there = await readFile(join(to, name)).catch(() => undefined);
  return there && markOf(there);
};

const writeList = (to: string, list: ReadonlyMap<string, string>): Promise<void> =>
  writeWhole(join(to, LIST_FILE), `${JSON.stringify(Object.fromEntries(list), null, 1)}\n`);

/** As a whole or not at all. */
async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, content);
    await rename(`${path}.part`, path);
  } catch (cause) {
    throw refused(`${path} can't be written: ${pathFault(cause, path)}`, cause);
  }
}

const markOf = (bytes: Uint8Array): string => idOf(Buffer.from(bytes).toString("latin1"));

/** What an earlier import wrote there; a folder with other things in it is not taken for one. */
async function listOf(to: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(to, LIST_FILE), "utf8").catch(() => undefined);
  if (text !== undefined) return readList(to, text);
  const there = await stat(to).catch(() => undefined);
  const isEmpty = there === undefined || (there.isDirectory() && (await readdir(to)).length === 0);
  if (isEmpty) return new Map();
  throw refused(`${to} is there and was not made by an import`);
}

/** Nothing outside the target is ours, whatever the list says. */
function readList(to: string, text: string): ReadonlyMap<string, string> {
  try {
    const list = Object.entries(JSON.parse(text) as Readonly<Record<string, string>>);
    return new Map(list.filter(([name]) => resolve(to, name).startsWith(to + sep)));
  } catch (cause) {
    throw refused(`${join(to, LIST_FILE)}, which lists what was imported, can't be read`, cause);
  }
}

const refused = (why: string, cause?: unknown): UserError =>
  new UserError("cli.import-target", `${why}; name a new or an empty folder with --to`, { cause });

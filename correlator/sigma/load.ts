// load.ts — reads folders of Sigma files into one rule set, or says what is wrong and where.
//
// In:    folders (or files), each strict or lenient.
// Out:   the set of all rules; or the problems that refuse it. What a lenient folder leaves out is listed.
// Holds: a set is all or nothing for strict folders; the same files give the same set in any order of listing.
import { type Asset, readAssets } from "../../core/assets.ts";
import { isYamlFile, type Mappings, mappingsOf } from "../../core/mappings.ts";
import { pathFault } from "../../core/path-fault.ts";
import { withinNames } from "./asset-names.ts";
import { type Reading, type Refused, readFile } from "./document.ts";
import { linkRules } from "./link.ts";
import { ecsNames } from "./mapping.ts";
import type { LeftOut, LoadedRules, Problem, RuleFile } from "./rule.ts";

export type RuleDisk = {
  /** All files below a folder, or the file itself, as paths. */
  readonly list: (path: string) => Promise<readonly string[]>;
  readonly read: (path: string) => Promise<Uint8Array>;
};
export type LoadOptions = Partial<Reading> & {
  /** Folders or files of mappings; a fault in one refuses the set. Without any, rules name fields by their paths. */
  readonly mappings?: readonly string[];
  /** Folders or files of assets; a fault in one refuses the set. */
  readonly assets?: readonly string[];
};

const filesMax = 100_000;
const readsAtOnce = 32;

export const isTestFile = (path: string): boolean => /\.test\.ya?ml$/i.test(path);
export const isRuleFile = (path: string): boolean => /\.ya?ml$/i.test(path) && !isTestFile(path);

export async function loadRules(
  folders: readonly { readonly path: string; readonly lenient: boolean }[],
  disk: RuleDisk,
  options: LoadOptions = {},
): Promise<LoadedRules> {
  const files: RuleFile[] = [];
  const refused: Refused[] = [];
  const mappings = await readMappings(options.mappings ?? [], disk, refused);
  const inventory = await readInventory(options.assets ?? [], disk, refused);
  const seen = new Set<string>();
  for (const { path, lenient } of folders) {
    const refuse = (at: string, code: string, message: string) => {
      refused.push({ at, lenient, problems: [{ code, at, message }] });
    };
    const paths = await disk.list(path).catch((error: unknown) => {
      const [code, what] = isRuleFile(path) ? ["rule.file", "file"] : ["rule.folder", "folder"];
      refuse(`${path}:1:1`, code, `the ${what} cannot be read: ${pathFault(error, path)}`);
      return [];
    });
    const wanted = paths.filter((one) => isRuleFile(one) && !seen.has(one)).sort();
    if (wanted.length > filesMax)
      refuse(`${path}:1:1`, "rule.folder", `${wanted.length} files; the most is ${filesMax}`);
    for (let i = 0; i < Math.min(wanted.length, filesMax); i += readsAtOnce) {
      const some = wanted.slice(i, i + readsAtOnce);
      const read = await Promise.all(some.map((one) => readText(one, disk)));
      read.forEach((result, k) => {
        const at = some[k] ?? path;
        seen.add(at);
        if (result.ok) files.push({ path: at, text: result.text, lenient });
        else refuse(`${at}:1:1`, result.code, result.message);
      });
    }
  }
  const reading = { ...options, inventory };
  const known = options.assets?.length && inventory ? { assets: inventory.length } : {};
  if (mappings === undefined) return { ...readRules(files, reading, refused), ...known };
  const loaded = readRules(files, { mapField: mappings.field, ...reading }, refused);
  return { ...loaded, ...known, mappings };
}

/** Mapping files in the order of their folders. */
async function readMappings(
  folders: readonly string[],
  disk: RuleDisk,
  refused: Refused[],
): Promise<Mappings | undefined> {
  if (folders.length === 0) return undefined;
  const files = await textsBelow(folders, { disk, what: "mappings", refused });
  const { mappings, problems } = mappingsOf(files);
  for (const one of problems) refused.push({ at: one.at, lenient: false, problems: [one] });
  return mappings;
}

/** Undefined where one has a fault: what rules say of assets is not held against them then. */
async function readInventory(
  folders: readonly string[],
  disk: RuleDisk,
  refused: Refused[],
): Promise<readonly Asset[] | undefined> {
  const before = refused.length;
  const files = await textsBelow(folders, { disk, what: "assets", refused });
  const { assets, problems } = readAssets(files);
  for (const one of problems) refused.push({ at: one.at, lenient: false, problems: [one] });
  return refused.length > before ? undefined : assets;
}

/** Files beside the rules: one that can't be read refuses the set. */
async function textsBelow(
  folders: readonly string[],
  of: { readonly disk: RuleDisk; readonly what: string; readonly refused: Refused[] },
): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const { disk, what, refused } = of;
  const refuse = (path: string, message: string): void => {
    const at = `${path}:1:1`;
    refused.push({ at, lenient: false, problems: [{ code: `${what}.refused`, at, message }] });
  };
  const files: { readonly path: string; readonly text: string }[] = [];
  for (const folder of folders) {
    const paths = await disk.list(folder).catch((error: unknown) => {
      refuse(
        folder,
        `the ${what} that correlator.${what} names cannot be read: ${pathFault(error, folder)}`,
      );
      return [];
    });
    const named = (path: string): boolean => path === folder || isYamlFile(path); // one file may be called anything
    for (const path of paths.filter(named).toSorted()) {
      const read = await readText(path, disk);
      if (read.ok) files.push({ path, text: read.text });
      else refuse(path, read.message);
    }
  }
  return files;
}

/** The set that files make: what loadRules does once the disk has been read. */
export function readRules(
  files: readonly RuleFile[],
  options: LoadOptions = {},
  unreadable: readonly Refused[] = [],
): LoadedRules {
  const reading: Reading = {
    mapField: options.mapField ?? ecsNames,
    placeholders: options.placeholders ?? new Map(),
    inventory: "inventory" in options ? options.inventory : [],
  };
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const read = sorted.map((file) => readFile(file, reading));
  const within = withinNames(read.flatMap((one) => one.drafts));
  const unread = [...read.flatMap((one) => one.refused), ...within.refused];
  const linked = linkRules(within.drafts, reading, unread);
  const refused = [...unreadable, ...unread, ...linked.refused];
  const problems = refused
    .filter((one) => !one.lenient)
    .flatMap((one): readonly Problem[] => one.problems);
  const leftOut = refused
    .filter((one) => one.lenient)
    .map(
      ({ at, rule, problems: found }): LeftOut => ({
        at,
        ...(rule === undefined ? {} : { rule }),
        problems: found,
      }),
    );
  if (problems.length > 0) return { problems, leftOut };
  return { set: linked.set, places: linked.places, problems, leftOut };
}

/** What a file holds by itself, whatever the mappings, placeholders and assets are; undefined where it can't be read. */
export async function readAlone(
  path: string,
  disk: RuleDisk,
): Promise<ReturnType<typeof readFile> | undefined> {
  const read = await readText(path, disk);
  if (!read.ok) return undefined;
  const reading = { mapField: ecsNames, placeholders: new Map(), inventory: undefined };
  return readFile({ path, text: read.text, lenient: true }, reading);
}

type Text =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: string; readonly message: string };

export async function readText(path: string, disk: RuleDisk): Promise<Text> {
  try {
    return textOf(await disk.read(path));
  } catch (error) {
    return {
      ok: false,
      code: "rule.file",
      message: `the file cannot be read: ${pathFault(error, path)}`,
    };
  }
}

/** UTF-8, or UTF-16 where a byte order mark says so. */
export function textOf(bytes: Uint8Array): Text {
  const [a, b] = bytes;
  if (a !== b && (a === 0 || b === 0))
    return {
      ok: false,
      code: "rule.encoding",
      message: "the file seems to be UTF-16 without a byte order mark; make it UTF-8",
    };
  const encoding =
    a === 0xff && b === 0xfe ? "utf-16le" : a === 0xfe && b === 0xff ? "utf-16be" : "utf-8";
  try {
    return { ok: true, text: new TextDecoder(encoding, { fatal: true }).decode(bytes) };
  } catch {
    return {
      ok: false,
      code: "rule.encoding",
      message: `the file is not valid ${encoding.toUpperCase()}; save it as UTF-8`,
    };
  }
}

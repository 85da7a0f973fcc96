// missing-rules.ts — what validate is told to look at, but a start would pass over without a word: a wrong path must not look good.
import { basename } from "node:path";
import type { FolderDisk, Link } from "../correlator/sigma/disk.ts";
import { isRuleFile, isTestFile, type RuleDisk, readAlone } from "../correlator/sigma/load.ts";
import type { Problem } from "../correlator/sigma/rule.ts";

const LEADS_TO: Readonly<Record<Link["kind"], (target: string) => string>> = {
  file: () => "",
  nothing: () => "is a link to a file that does not exist; mend or remove it",
  folder: (target) =>
    `is a link to the folder ${target}, which is not read from here; name that folder beside this one`,
  other: (target) => `is a link to ${target}, which is no file; mend or remove it`,
};

/** Links whose rules are not read. What begins with a dot is an editor's lock, or of a mount. */
export async function lostRules(path: string, disk: FolderDisk): Promise<readonly Problem[]> {
  const links = await disk.lost(path).catch(() => []); // a path that can't be listed is refused by loading
  return links
    .filter(({ path: link }) => !basename(link).startsWith("."))
    .filter(({ path: link, kind }) => kind === "folder" || isRuleFile(link))
    .map(({ path: link, kind, target }) => ({
      code: "rule.link",
      at: `${link}:1:1`,
      message: LEADS_TO[kind](target),
    }));
}

/** A path that was named has a rule, or a fault of one. */
export async function noRules(path: string, disk: RuleDisk): Promise<readonly Problem[]> {
  const files = await disk.list(path).catch(() => undefined);
  const why = files === undefined ? undefined : await whyNone(path, files, disk);
  if (why === undefined) return [];
  return [{ code: "rule.none", at: `${path}:1:1`, message: `no rule was found here: ${why}` }];
}

async function whyNone(
  path: string,
  files: readonly string[],
  disk: RuleDisk,
): Promise<string | undefined> {
  const wanted = files.filter(isRuleFile);
  for (const file of wanted) if (await holdsRule(file, disk)) return undefined;
  const isFile = files[0] === path;
  if (wanted.length > 0)
    return isFile ? "the file has no document" : "no file in the folder has a document";
  if (isFile)
    return isTestFile(path)
      ? "it is a test; name the rule that it stands beside"
      : "it is no .yml or .yaml file";
  return files.length === 0
    ? "the folder is empty"
    : "the folder has no .yml or .yaml file but tests";
}

/** What can't be read is refused by loading. */
async function holdsRule(path: string, disk: RuleDisk): Promise<boolean> {
  const read = await readAlone(path, disk);
  return read === undefined || read.drafts.length + read.refused.length > 0;
}

// load.ts — reads folders of Sigma files into one rule set, or says what is wrong and where.
//
// In:    folders (or files), each strict or lenient.
// Out:   the set of all rules; or the problems that refuse it. What a lenient folder leaves out is listed.
// Holds: a set is all or nothing for strict folders; the same files give the same set in any order of listing.
import type { LoadedRules } from "./rule.ts";

export type RuleDisk = {
  /** All files below a folder, or the file itself, as paths. */
  readonly list: (path: string) => Promise<readonly string[]>;
  readonly read: (path: string) => Promise<Uint8Array>;
};

export async function loadRules(
  _folders: readonly { readonly path: string; readonly lenient: boolean }[],
  _disk: RuleDisk,
): Promise<LoadedRules> {
  return { problems: [], leftOut: [] };
}

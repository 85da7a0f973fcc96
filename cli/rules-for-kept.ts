// rules-for-kept.ts — the rules that a verb tries on kept events, and how far live has come.
import type { Config } from "../core/config-schema.ts";
import { UserError } from "../core/errors.ts";
import { spanMs } from "../core/spans.ts";
import type { Rules } from "../correlator/backfill/range.ts";
import { indexedMatcher } from "../correlator/match/indexed.ts";
import { ruleDisk } from "../correlator/sigma/disk.ts";
import { loadRules } from "../correlator/sigma/load.ts";
import { configOf } from "./common.ts";
import { nowMs } from "./local.ts";
import { readingOf, ruleFoldersOf } from "./rule-folders.ts";
import { counted } from "./table.ts";
import type { Values } from "./verb.ts";

export async function rulesFor(
  values: Values,
  paths: readonly string[],
  err: (line: string) => void,
): Promise<Rules> {
  const folders = ruleFoldersOf(values, paths);
  const { set, problems, leftOut } = await loadRules(folders, ruleDisk, readingOf(values));
  if (set === undefined)
    throw new UserError(
      "rules.refused",
      `the rules are refused: ${problems[0]?.at}: ${problems[0]?.message}; wache rules validate says more`,
    );
  if (leftOut.length > 0) err(`${counted(leftOut.length, "rule")} left out of lenient folders`);
  return { set, matcher: indexedMatcher(set), bounds: configOf(values).correlator };
}

/** Live has everything that is older. */
export const settledMs = (config: Config): number => nowMs() - spanMs(config.time.lateness);

// severity.ts — how grave a finding is: its rule's level, or a higher one from a count on, or about an asset.
import { lowered } from "../../core/letter-case.ts";
import {
  type AssetLevels,
  type CorrelationRule,
  LEVELS,
  type Level,
  type RuleAbout,
} from "../../core/records.ts";

export function aboutOf(
  { about, escalate, assetLevels }: CorrelationRule,
  { values, count }: { readonly values: readonly string[]; readonly count: number },
): RuleAbout {
  let level = escalate?.findLast((one) => one.count <= count)?.level ?? about.level;
  if (assetLevels)
    for (const value of values) {
      const own = levelsOf(assetLevels).get(lowered(value));
      if (own !== undefined && LEVELS.indexOf(own) > LEVELS.indexOf(level)) level = own;
    }
  return level === about.level ? about : { ...about, level };
}

const tables = new WeakMap<AssetLevels, ReadonlyMap<string, Level>>();

function levelsOf(assets: AssetLevels): ReadonlyMap<string, Level> {
  const known = tables.get(assets) ?? new Map(assets);
  tables.set(assets, known);
  return known;
}

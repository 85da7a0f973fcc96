// drawn-assets.ts — what there is to be awaited by its tags, and to be graver by how much depends on it.
//
// Holds: docs/rules.md, "Assets": chosen are those that have all of the tags and at least the criticality; what is awaited is
//        awaited by its name as it is written, and a group names an asset by its name or an alias, in any case.
//        What is drawn here moves no other draw of the seed: its chance is made from the rules.
import { VALUES } from "./absences.ts";
import { type Chance, chanceOf, hashed } from "./chance.ts";
import { type DrawnCorrelation, type DrawnRule, LEVELS, type Level } from "./drawn-rules.ts";

const SHARE = 0.25; // of the seeds
const TAGS = ["night", "shift"];

export type DrawnAsset = {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly criticality: Level;
  readonly tags: readonly string[];
};
/** What a rule may say of them; undefined: `all`. */
export type Choice = { readonly tags?: readonly string[]; readonly criticality?: Level };
/** Rules, and the assets that they are read with. */
export type DrawnSet = {
  readonly rules: readonly DrawnRule[];
  readonly assets: readonly DrawnAsset[];
};

export function withAssets(rules: readonly DrawnRule[]): DrawnSet {
  const chance = chanceOf(hashed(JSON.stringify(rules), 7));
  if (!chance.is(SHARE)) return { rules, assets: [] };
  const assets = drawAssets(chance);
  return {
    assets,
    rules: rules.map((rule) =>
      rule.kind === "detection"
        ? rule
        : awaitingSome(chance, graverBy(chance, rule, assets), assets),
    ),
  };
}

export const assetsText = (assets: readonly DrawnAsset[]): string => JSON.stringify({ assets });

function drawAssets(chance: Chance): DrawnAsset[] {
  const names = chance.shuffled(Object.values(VALUES).flat());
  return Array.from({ length: chance.int(3, 7) }, (_, index): DrawnAsset => {
    const name = names.pop() ?? "";
    const written = (text: string): string => (chance.is(0.2) ? text.toUpperCase() : text);
    return {
      name: written(name),
      aliases: chance.some(names, chance.one([0, 0, 1, 2])).map(written),
      criticality: chance.one(LEVELS),
      tags: index === 0 ? TAGS : TAGS.filter(() => chance.is(0.5)), // a tag that nobody has is refused
    };
  });
}

/** At times about some of them. */
function graverBy(
  chance: Chance,
  rule: DrawnCorrelation,
  assets: readonly DrawnAsset[],
): DrawnCorrelation {
  const higher = LEVELS.slice(LEVELS.indexOf(rule.level) + 1);
  if (!chance.is(0.5)) return rule;
  const assetLevels = Array.from({ length: chance.int(1, 2) }, () => {
    const choice: Choice | undefined = chance.is(0.2)
      ? undefined
      : { criticality: chance.one(LEVELS) };
    return { choice, level: chance.one(higher), names: namesOf(chosen(assets, choice)) };
  });
  return { ...rule, assetLevels };
}

/** At times an absence awaits those with a tag. */
function awaitingSome(
  chance: Chance,
  rule: DrawnCorrelation,
  assets: readonly DrawnAsset[],
): DrawnCorrelation {
  if (!rule.awaiting || rule.groupBy.length !== 1 || !chance.is(0.7)) return rule;
  const choice: Choice = {
    tags: chance.some(TAGS, chance.int(1, 2)),
    ...(chance.is(0.3) && { criticality: chance.one(LEVELS) }),
  };
  return awaitedIn({ ...rule, awaiting: { ...rule.awaiting, choice } }, assets) ?? rule;
}

/** With the groups that it awaits where these are the assets; undefined where there are none. */
export function awaitedIn(
  rule: DrawnCorrelation,
  assets: readonly DrawnAsset[],
): DrawnCorrelation | undefined {
  const expected = chosen(assets, rule.awaiting?.choice).map(({ name }) => [name]);
  return expected.length === 0 ? undefined : { ...rule, awaiting: { ...rule.awaiting, expected } };
}

const chosen = (
  assets: readonly DrawnAsset[],
  { tags = [], criticality = "low" }: Choice = {},
): readonly DrawnAsset[] =>
  assets.filter(
    (asset) =>
      tags.every((tag) => asset.tags.includes(tag)) &&
      LEVELS.indexOf(asset.criticality) >= LEVELS.indexOf(criticality),
  );

const namesOf = (assets: readonly DrawnAsset[]): string[] =>
  assets.flatMap(({ name, aliases }) => [name, ...aliases]).map((name) => name.toLowerCase());

/** Another asset has a tag, or has it no longer. No level of a finding depends on tags. */
export function retagged(chance: Chance, assets: readonly DrawnAsset[]): DrawnAsset[] {
  const [keeper, ...others] = assets;
  const changed = chance.one(others);
  const tag = chance.one(TAGS);
  const tags = changed.tags.includes(tag)
    ? changed.tags.filter((one) => one !== tag)
    : [...changed.tags, tag];
  return [
    ...(keeper ? [keeper] : []),
    ...others.map((asset) => (asset === changed ? { ...asset, tags } : asset)),
  ];
}

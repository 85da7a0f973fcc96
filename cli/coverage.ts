// coverage.ts — which of ATT&CK's techniques rules look for: a table, and a layer for the ATT&CK Navigator.
import { LEVELS, type Level, type RuleAbout } from "../core/records.ts";
import { attackTagsOf, TACTICS } from "../correlator/attack-tags.ts";

const TITLES_MAX = 10; // in the comment of a technique

export type TaggedRule = {
  readonly id: string;
  readonly title: string;
  readonly level: Level;
  readonly tactics: readonly string[];
};
export type Technique = {
  readonly technique: string;
  readonly tactics: readonly string[]; // as the tags of its rules say
  readonly rules: readonly TaggedRule[];
};

export function coverageOf(rules: readonly RuleAbout[]): {
  readonly techniques: readonly Technique[];
  readonly untagged: number;
} {
  const found = new Map<string, TaggedRule[]>();
  let untagged = 0;
  for (const rule of rules) {
    const { tactics, techniques } = attackTagsOf(rule.tags);
    if (techniques.length === 0) untagged += 1;
    for (const technique of techniques) {
      const known = found.get(technique) ?? [];
      known.push({ id: rule.id, title: rule.title, level: rule.level, tactics });
      found.set(technique, known);
    }
  }
  const techniques = [...found]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([technique, tagged]) => ({
      technique,
      tactics: TACTICS.filter((tactic) => tagged.some(({ tactics }) => tactics.includes(tactic))),
      rules: tagged,
    }));
  return { techniques, untagged };
}

type Row = Pick<Technique, "technique" | "rules"> & { readonly tactic?: string };

/** The rules that carry both a tactic and a technique; at the end those with a technique and no tactic. */
function rowsOf(techniques: readonly Technique[]): readonly Row[] {
  const rowsFor = (holds: (rule: TaggedRule) => boolean, tactic?: string): readonly Row[] =>
    techniques
      .map(({ technique, rules }) => ({
        technique,
        rules: rules.filter(holds),
        ...(tactic !== undefined && { tactic }),
      }))
      .filter(({ rules }) => rules.length > 0);
  return [
    ...TACTICS.flatMap((tactic) => rowsFor(({ tactics }) => tactics.includes(tactic), tactic)),
    ...rowsFor(({ tactics }) => tactics.length === 0),
  ];
}

export function coverageRows(techniques: readonly Technique[]): readonly string[][] {
  return rowsOf(techniques).map(({ tactic, technique, rules }) => [
    tactic ?? "no tactic",
    technique,
    String(rules.length),
    LEVELS.findLast((level) => rules.some((rule) => rule.level === level)) ?? "",
  ]);
}

/** The form that the Navigator opens: https://github.com/mitre-attack/attack-navigator, layers 4.5. */
export function navigatorLayer(techniques: readonly Technique[], name: string): object {
  const rows = rowsOf(techniques);
  // One without a tactic holds for all tactics, until one with a tactic comes after it.
  const ordered = rows.toSorted(
    (a, b) => Number(a.tactic !== undefined) - Number(b.tactic !== undefined),
  );
  const most = Math.max(1, ...rows.map(({ rules }) => rules.length));
  return {
    name,
    versions: { navigator: "5.1.0", layer: "4.5" },
    domain: "enterprise-attack",
    description: "The score is the number of rules that are tagged with both technique and tactic.",
    techniques: ordered.map(({ tactic, technique, rules }) => ({
      techniqueID: technique,
      ...(tactic !== undefined && { tactic }),
      score: rules.length,
      comment: commentOf(rules.map(({ title }) => title)),
      enabled: true,
      showSubtechniques: technique.includes("."),
    })),
    gradient: { colors: ["#e8f1fa", "#1f6fb2"], minValue: 0, maxValue: most },
  };
}

function commentOf(titles: readonly string[]): string {
  const more = titles.length - TITLES_MAX;
  return `${titles.slice(0, TITLES_MAX).join("\n")}${more > 0 ? `\n… and ${more} more` : ""}`;
}

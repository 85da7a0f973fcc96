// coverage.ts — which of ATT&CK's techniques rules look for: a table, and a layer for the ATT&CK Navigator.
import { LEVELS, type Level, type RuleAbout } from "../core/records.ts";
import { attackTagsOf, TACTICS } from "../correlator/attack-tags.ts";

const TITLES_MAX = 10; // in the comment of a technique

export type Technique = {
  readonly technique: string;
  readonly tactics: readonly string[]; // as the tags of its rules say
  readonly rules: readonly { readonly id: string; readonly title: string; readonly level: Level }[];
};

export function coverageOf(rules: readonly RuleAbout[]): {
  readonly techniques: readonly Technique[];
  readonly untagged: number;
} {
  const found = new Map<string, { tactics: Set<string>; rules: RuleAbout[] }>();
  let untagged = 0;
  for (const rule of rules) {
    const { tactics, techniques } = attackTagsOf(rule.tags);
    if (techniques.length === 0) untagged += 1;
    for (const technique of techniques) {
      const known = found.get(technique) ?? { tactics: new Set(), rules: [] };
      for (const tactic of tactics) known.tactics.add(tactic);
      known.rules.push(rule);
      found.set(technique, known);
    }
  }
  const techniques = [...found]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([technique, { tactics, rules: all }]) => ({
      technique,
      tactics: TACTICS.filter((tactic) => tactics.has(tactic)),
      rules: all.map(({ id, title, level }) => ({ id, title, level })),
    }));
  return { techniques, untagged };
}

/** A row for each technique under each tactic that its rules name. */
export function coverageRows(techniques: readonly Technique[]): readonly string[][] {
  const groups = [...TACTICS, ""] as const;
  return groups.flatMap((tactic) =>
    techniques
      .filter(({ tactics }) =>
        tactic === "" ? tactics.length === 0 : tactics.some((one) => one === tactic),
      )
      .map(({ technique, rules }) => [
        tactic || "no tactic",
        technique,
        String(rules.length),
        LEVELS.findLast((level) => rules.some((rule) => rule.level === level)) ?? "",
      ]),
  );
}

/** The form that the Navigator opens: https://github.com/mitre-attack/attack-navigator, layers 4.5. */
export function navigatorLayer(techniques: readonly Technique[], name: string): object {
  const most = Math.max(1, ...techniques.map(({ rules }) => rules.length));
  return {
    name,
    versions: { navigator: "5.1.0", layer: "4.5" },
    domain: "enterprise-attack",
    description: "The score is the number of rules that are tagged with the technique.",
    techniques: techniques.map(({ technique, rules }) => ({
      techniqueID: technique,
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

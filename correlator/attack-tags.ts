// attack-tags.ts — the tags of rules that name MITRE ATT&CK's tactics and techniques.

/** In ATT&CK's order. What newer versions renamed or split stands beside the older name. */
export const TACTICS = [
  ...["reconnaissance", "resource-development", "initial-access", "execution", "persistence"],
  ...["privilege-escalation", "defense-evasion", "stealth", "defense-impairment"],
  ...["credential-access", "discovery", "lateral-movement", "collection"],
  ...["command-and-control", "exfiltration", "impact"],
] as const;

export type AttackTags = {
  readonly tactics: readonly string[];
  readonly techniques: readonly string[]; // T1059.001
};

export function attackTagsOf(tags: readonly string[]): AttackTags {
  const words = tags.map((tag) => /^attack\.(.+)$/i.exec(tag)?.[1]?.toLowerCase() ?? "");
  return {
    tactics: TACTICS.filter((tactic) => words.includes(tactic)),
    techniques: [...new Set(words)].filter((word) => TECHNIQUE.test(word)).map(upper),
  };
}
const TECHNIQUE = /^t\d{4}(\.\d{3})?$/;
const upper = (word: string): string => word.toUpperCase();

const FORMS: ReadonlyMap<string, { readonly form: RegExp; readonly words: string }> = new Map([
  [
    "attack",
    {
      form: new RegExp(`^(t\\d{4}(\\.\\d{3})?|[gsma]\\d{4}|ds\\d{4}|${TACTICS.join("|")})$`),
      words:
        "a technique (t1059 or t1059.001), a group, software, data source, mitigation or asset (g0016), or a tactic (execution)",
    },
  ],
  ["car", { form: /^\d{4}-\d{2}-\d{3}$/, words: "a number such as 2016-04-005" }],
  ["cve", { form: /^\d{4}[.-]\d{4,}$/, words: "a number such as 2021-44228" }],
  [
    "d3fend",
    {
      form: /^(d3f?-[A-Za-z0-9-]+|model|harden|detect|isolate|deceive|evict)$/,
      words: "d3-am, d3f-Name, or a tactic",
    },
  ],
  [
    "detection",
    {
      form: /^(dfir|emerging-threats|threat-hunting)$/,
      words: "dfir, emerging-threats or threat-hunting",
    },
  ],
  ["stp", { form: /^[1-5][auk]?$/, words: "1 to 5, and a, u or k, as in 3k" }],
  [
    "tlp",
    {
      form: /^(red|amber|amber-strict|green|clear)$/,
      words: "red, amber, amber-strict, green or clear",
    },
  ],
]);

/** What is wrong with a tag, by the specification's appendix; a namespace of one's own is free. */
export function tagFault(tag: string): string | undefined {
  if (!/^[a-z0-9_-]+\.[A-Za-z0-9._-]+$/.test(tag))
    return "a tag is namespace.word, of small letters, digits, dots, - and _";
  const [, namespace = "", word = ""] = /^([^.]*)\.(.*)$/.exec(tag) ?? [];
  const known = FORMS.get(namespace);
  return known === undefined || known.form.test(word)
    ? undefined
    : `after ${namespace}. comes ${known.words}`;
}

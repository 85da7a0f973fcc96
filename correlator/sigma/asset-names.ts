// asset-names.ts — how many names of assets the levels of all rules may have together.
//
// In:    what the files of a set make, in their order.
// Out:   the same, without the correlations that are beyond the bound; those, refused.
// Why:   each rule carries its names, and is announced from every partition of events to every one of signals at each
//        start: of thirty rules that each name nine thousand assets the bus took 112 MB, and the process 900 MB.
import type { Draft, Refused } from "./document.ts";

const CHARS_MAX = 2_000_000; // of all rules
const LEVEL_CHARS = 16; // that a name has its level in

export function withinNames(
  drafts: readonly Draft[],
  charsMax = CHARS_MAX,
): { readonly drafts: readonly Draft[]; readonly refused: readonly Refused[] } {
  const beyond = new Map<Draft, Refused>();
  let all = 0;
  for (const draft of [...drafts].sort((a, b) => Number(a.lenient) - Number(b.lenient))) {
    const chars = charsOf(draft);
    if (chars === 0 || all + chars <= charsMax) all += chars;
    else beyond.set(draft, refusedOf(draft, { all: all + chars, charsMax }));
  }
  return { drafts: drafts.filter((one) => !beyond.has(one)), refused: [...beyond.values()] };
}

function charsOf(draft: Draft): number {
  if (draft.kind !== "correlation") return 0;
  const names = draft.body.assetLevels ?? [];
  return names.reduce((sum, [name]) => sum + name.length + LEVEL_CHARS, 0);
}

function refusedOf(
  { at, lenient, header: { id, name, title } }: Draft,
  { all, charsMax }: { readonly all: number; readonly charsMax: number },
): Refused {
  const rule = id ?? name ?? title;
  const message = `with this rule the assets that have levels in escalate come to ${all} characters in all rules; the most is ${charsMax}: choose fewer, as by criticality`;
  return {
    ...{ at, lenient, rule },
    names: [id, name].filter((one) => one !== undefined),
    problems: [{ code: "rule.assets", at, message, rule }],
  };
}

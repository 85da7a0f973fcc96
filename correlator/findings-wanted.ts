// findings-wanted.ts — says whether a test's findings are those that it wants, whole and both ways round.
//
// Holds: group, level and suppressed episodes are compared only in an expectation that names them. The order does not matter,
//        nor which of several expectations that a finding meets comes first.
// Why:   an expectation that names less may have taken the finding that another needs: then it takes another one.
import type { FindingWanted } from "./rule-test-file.ts";
import { isSameWord } from "./sigma/rule-words.ts";

export function areAsWanted(
  found: readonly FindingWanted[],
  wanted: readonly FindingWanted[],
): boolean {
  const holders = new Map<number, FindingWanted>(); // by the finding's place
  const holds = (want: FindingWanted, tried: Set<number>): boolean => {
    const free = found.findIndex((one, n) => !holders.has(n) && meets(one, want));
    if (free >= 0) holders.set(free, want);
    return free >= 0 || found.some((one, n) => meets(one, want) && isCeded(n, want, tried));
  };
  const isCeded = (n: number, to: FindingWanted, tried: Set<number>): boolean => {
    const holder = holders.get(n);
    if (holder === undefined || tried.has(n)) return false;
    tried.add(n);
    if (!holds(holder, tried)) return false;
    holders.set(n, to);
    return true;
  };
  return found.length === wanted.length && wanted.every((want) => holds(want, new Set()));
}

const meets = (one: FindingWanted, want: FindingWanted): boolean =>
  isSameWord(one.rule, want.rule) &&
  one.count === want.count &&
  (want.group === undefined || textOf(one.group) === textOf(want.group)) &&
  (want.level === undefined || one.level === want.level) &&
  (want.suppressed === undefined || one.suppressed === want.suppressed);

const textOf = (group: FindingWanted["group"] = {}): string =>
  JSON.stringify(Object.entries(group).sort());

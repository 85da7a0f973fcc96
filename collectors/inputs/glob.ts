// glob.ts — file patterns: `*` and `?` in the last part of a path.
import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** The files that the pattern names now; none where the folder is not there. */
export function filesOf(pattern: string): string[] {
  const last = basename(pattern);
  if (!/[*?]/.test(last)) return [pattern];
  const folder = dirname(pattern);
  return listOf(folder)
    .filter((name) => matches(last, name))
    .map((name) => join(folder, name));
}

export function listOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // not there, or not readable: the next look may find it
  }
}

/** Greedy, without backtracking over more than the last star. */
function matches(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let from = 0;
  while (n < name.length) {
    if (pattern[p] === "*") {
      star = p++;
      from = n;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++from;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

// regex-literals.ts — texts of which one stands in whatever a regular expression matches.
//
// Out:   one or several texts, folded; nothing where none is sure.
// Holds: what it does not know for certain it takes to match anything: it gives too little, never too much.
import { fold } from "../sigma/text.ts";

const TEXTS_MAX = 16; // alternatives; more are as good as none

/** What a part of an expression needs: each of the sets has a text in every match. `exact`: the part is just this text. */
type Need = { readonly sets: readonly (readonly string[])[]; readonly exact?: string };
const ANYTHING: Need = { sets: [] };

export function regexLiterals(source: string): readonly string[] | undefined {
  return regexNeeds(source).toSorted((a, b) => worth(b) - worth(a))[0];
}

/** False of a text in which the expression can't be found: cheap, and sure where it says so. */
export function regexGuard(source: string): (text: string) => boolean {
  const needs = regexNeeds(source);
  return (text) => text.includes(LONG_S) || standInOrder(needs, fold(text));
}
/** For an expression that ignores case it is an s, its folded form is not. */
export const LONG_S = "\u017f";

/** Sets of texts, folded: every match has one of each, one behind the other. */
function regexNeeds(source: string): readonly (readonly string[])[] {
  const reader: Reader = { source, at: 0 };
  const flags = /^\(\?[ims]+\)/.exec(source);
  if (flags) reader.at = flags[0].length;
  const need = alternatives(reader);
  if (!need || reader.at < source.length) return [];
  return setsOf(need)
    .filter((set) => set.every((text) => text !== "" && isAscii(text)))
    .map((set) => set.map(fold));
}

function standInOrder(needs: readonly (readonly string[])[], folded: string): boolean {
  let from = 0;
  for (const set of needs) {
    let end = Number.POSITIVE_INFINITY;
    for (const text of set) {
      const at = folded.indexOf(text, from);
      if (at >= 0) end = Math.min(end, at + text.length);
    }
    if (end === Number.POSITIVE_INFINITY) return false;
    from = end;
  }
  return true;
}

type Reader = { readonly source: string; at: number };

const isAscii = (text: string): boolean => /^[\n\r\t\x20-\x7e]*$/.test(text);
const shortest = (texts: readonly string[]): number =>
  Math.min(...texts.map(({ length }) => length));
const worth = (texts: readonly string[]): number => shortest(texts) - texts.length / TEXTS_MAX;
const setsOf = ({ sets, exact }: Need): readonly (readonly string[])[] =>
  exact === undefined ? sets : [...sets, [exact]];

/** `a|b`: one text of each branch's best set. Undefined where the expression cannot be read. */
function alternatives(reader: Reader): Need | undefined {
  const branches: Need[] = [];
  for (;;) {
    const branch = sequence(reader);
    if (!branch) return undefined;
    branches.push(branch);
    if (reader.source[reader.at] !== "|") break;
    reader.at += 1;
  }
  const [only, ...others] = branches;
  if (only && others.length === 0) return only;
  const texts = new Set<string>();
  for (const branch of branches) {
    const best = setsOf(branch).toSorted((a, b) => worth(b) - worth(a))[0];
    if (!best) return ANYTHING;
    for (const text of best) texts.add(text);
  }
  return texts.size > TEXTS_MAX ? ANYTHING : { sets: [[...texts]] };
}

/** Parts one after the other: neighbours that are plain text make one text. */
function sequence(reader: Reader): Need | undefined {
  const sets: (readonly string[])[] = [];
  let run = "";
  let isExact = true;
  const end = () => {
    if (run !== "") sets.push([run]);
    run = "";
  };
  while (reader.at < reader.source.length && !"|)".includes(reader.source[reader.at] ?? "")) {
    const part = atom(reader);
    if (!part) return undefined;
    const times = quantifier(reader);
    if (!times) return undefined;
    if (part.exact !== undefined && times.least === 1 && times.most === 1) {
      run += part.exact;
      continue;
    }
    isExact = false;
    if (times.least > 0 && part.exact !== undefined) run += part.exact;
    end();
    if (times.least > 0) sets.push(...part.sets);
  }
  if (isExact) return { sets: [], exact: run };
  end();
  return { sets };
}

function atom(reader: Reader): Need | undefined {
  const { source } = reader;
  const c = source[reader.at] ?? "";
  reader.at += 1;
  if (c === "(") return group(reader);
  if (c === "[") return skipClass(reader) ? ANYTHING : undefined;
  if (c === "." || c === "^" || c === "$") return ANYTHING;
  if (c === "\\") return escaped(reader);
  return "*+?{".includes(c) ? undefined : { sets: [], exact: c };
}

function group(reader: Reader): Need | undefined {
  const { source } = reader;
  if (source[reader.at] === "?") {
    if (source[reader.at + 1] !== ":") return undefined;
    reader.at += 2;
  }
  const inner = alternatives(reader);
  if (!inner || source[reader.at] !== ")") return undefined;
  reader.at += 1;
  return inner;
}

const ESCAPED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function escaped(reader: Reader): Need | undefined {
  const c = reader.source[reader.at] ?? "";
  reader.at += 1;
  const plain = ESCAPED[c];
  if (plain !== undefined) return { sets: [], exact: plain };
  if ("dDwWsSbBAz".includes(c) && c !== "") return ANYTHING;
  return /[a-zA-Z0-9]/.test(c) || c === "" ? undefined : { sets: [], exact: c };
}

/** Goes past a class; false where it never ends or names one of POSIX. */
function skipClass(reader: Reader): boolean {
  const { source } = reader;
  if (source[reader.at] === "^") reader.at += 1;
  if (source[reader.at] === "]") reader.at += 1;
  for (; reader.at < source.length; reader.at++) {
    const c = source[reader.at];
    if (c === "\\") reader.at += 1;
    else if (c === "[" && source[reader.at + 1] === ":") return false;
    else if (c === "]") {
      reader.at += 1;
      return true;
    }
  }
  return false;
}

function quantifier(reader: Reader): { readonly least: number; readonly most: number } | undefined {
  const { source } = reader;
  const c = source[reader.at];
  let times = { least: 1, most: 1 };
  if (c === "*" || c === "+" || c === "?") {
    reader.at += 1;
    times = { least: c === "+" ? 1 : 0, most: c === "?" ? 1 : Number.POSITIVE_INFINITY };
  } else if (c === "{") {
    const [whole, least, comma, most] =
      /^\{(\d+)(,?)(\d*)\}/.exec(source.slice(reader.at, reader.at + 12)) ?? [];
    if (whole === undefined) return undefined;
    reader.at += whole.length;
    times = {
      least: Number(least),
      most: most ? Number(most) : comma ? Number.POSITIVE_INFINITY : Number(least),
    };
  } else return times;
  if (source[reader.at] === "?") reader.at += 1; // lazy
  return source[reader.at] === "*" || source[reader.at] === "+" ? undefined : times;
}

// tokens.ts — what a word is, for every store: a run of letters, marks and digits in lower case, no stemming.
//
// Holds: stores are given these tokens ready made, so that no analyzer of theirs can see other words than we do.
import { lowered } from "../letter-case.ts";

export const TOKEN_CHARS_MAX = 128; // a longer run is cut into pieces of this length

const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const IS_WORD = new Uint8Array(128);
for (const char of "abcdefghijklmnopqrstuvwxyz0123456789") IS_WORD[char.charCodeAt(0)] = 1;

export function tokensOf(text: string): string[] {
  const lower = lowered(text);
  const tokens: string[] = [];
  let start = -1;
  for (let at = 0; at < lower.length; at++) {
    const code = lower.charCodeAt(at);
    if (code > 127) return tokensOfUnicode(lower);
    if (IS_WORD[code] === 1) {
      if (start < 0) start = at;
    } else if (start >= 0) {
      addToken(tokens, lower.slice(start, at));
      start = -1;
    }
  }
  if (start >= 0) addToken(tokens, lower.slice(start));
  return tokens;
}

export const isWordText = (text: string): boolean => /^[\p{L}\p{M}\p{N}]+$/u.test(text);

function tokensOfUnicode(lower: string): string[] {
  const tokens: string[] = [];
  for (const run of lower.match(WORD) ?? []) addToken(tokens, run);
  return tokens;
}

function addToken(tokens: string[], run: string): void {
  let rest = run;
  while (rest.length > TOKEN_CHARS_MAX) {
    const code = rest.charCodeAt(TOKEN_CHARS_MAX);
    const splitsPair = code >= 0xdc00 && code <= 0xdfff;
    const cut = splitsPair ? TOKEN_CHARS_MAX - 1 : TOKEN_CHARS_MAX;
    tokens.push(rest.slice(0, cut));
    rest = rest.slice(cut);
  }
  tokens.push(rest);
}

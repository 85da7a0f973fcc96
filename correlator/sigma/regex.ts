// regex.ts — regular expressions from rules: an engine that takes linear time, whatever the expression and the input.
//
// Why:   rules come from outside, values from attackers; JavaScript's own engine can be made to run for years.

import { RE2JS } from "re2js";
import { messageOf } from "../../core/errors.ts";

/** Longer values are searched up to here: a bound on what one event can cost. */
export const regexCharsMax = 65_536;
const sourceCharsMax = 8192;

export type Regex = { readonly test: (text: string) => boolean };
export type CompiledRegex =
  | { readonly ok: true; readonly regex: Regex }
  | { readonly ok: false; readonly reason: string };

export function compileRegex(source: string, flags: string): CompiledRegex {
  if (source.length > sourceCharsMax)
    return {
      ok: false,
      reason: `it has ${source.length} characters; the most is ${sourceCharsMax}`,
    };
  let bits = 0;
  if (flags.includes("i")) bits |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes("m")) bits |= RE2JS.MULTILINE;
  if (flags.includes("s")) bits |= RE2JS.DOTALL;
  // In PCRE `$` also stands before a newline that ends the text; here only at the very end.
  const beforeNewline = source.includes("$") && !source.includes("\\z");
  try {
    const compiled = RE2JS.compile(source, bits);
    const test = (text: string): boolean => {
      // Where a text was cut it does not end: `$` must not stand there.
      if (text.length > regexCharsMax)
        return compiled.test(`${text.slice(0, regexCharsMax)}\uffff`);
      return (
        compiled.test(text) ||
        (beforeNewline && text.endsWith("\n") && compiled.test(text.slice(0, -1)))
      );
    };
    return { ok: true, regex: { test } };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}

import { expect, test } from "vitest";
import { addTerms, narrow, type Terms } from "./narrow.ts";
import { matches } from "./query-match.ts";
import { parseQuery } from "./query-parser.ts";

/** As they were indexed when a sigma at the end of a word stayed a letter of its own. */
const termsBefore = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
function termsNow(text: string): string[] {
  const terms = new Set<string>();
  addTerms({ message: text }, terms, new Set());
  return [...terms];
}

function holds(wanted: Terms, terms: readonly string[]): boolean {
  switch (wanted.kind) {
    case "term":
      return terms.includes(wanted.text);
    case "prefix":
      return terms.some((term) => term.startsWith(wanted.text));
    case "and":
      return wanted.parts.every((part) => holds(part, terms));
    case "or":
      return wanted.parts.some((part) => holds(part, terms));
  }
}

test.for([
  { query: "ΟΔΟΣ", yes: ["ΟΔΟΣ", "οδος", "οδοσ", "x ΟΔΟΣ."], no: ["ΟΔΟΙ", "ΟΔΟΣΑ"] },
  { query: "ΟΔΟΣ*", yes: ["ΟΔΟΣ", "οδοςα", "ΟΔΟΣ1", "οδοσα"], no: ["ΟΔΟ"] },
  { query: "message:ΟΔΟΣ*", yes: ["ΟΔΟΣ 1", "οδος", "ΟΔΟΣΑ"], no: ["ΟΔΟ"] },
  { query: "message:ΣΑΣ", yes: ["ΣΑΣ", "σας", "ςασ"], no: ["ΣΑ"] },
  { query: "ΣΑΣΑΣ", yes: ["ΣΑΣΑΣ", "σασας", "ςαςασ"], no: ["ΣΑΣΑ"] },
  { query: "ΣΑΣΑΣΑΣ", yes: ["ΣΑΣΑΣΑΣ", "σασασας", "ςαςαςας"], no: ["ΣΑΣΑ"] },
  { query: "message:ΣΣΣΣ*", yes: ["ΣΣΣΣ", "σσσσα"], no: ["ΣΣ"] },
])("$query: an index old or new leads to what it matches", ({ query, yes, no }) => {
  const parsed = parseQuery(query);
  if (!("query" in parsed)) throw new Error(query);
  const terms = narrow(parsed.query);
  const found = (text: string) => ({
    ...{ text, matches: matches(parsed.query, { message: text }) },
    indices: [termsBefore, termsNow].map((of) => terms === undefined || holds(terms, of(text))),
  });
  expect(yes.map(found)).toEqual(
    yes.map((text) => ({ text, matches: true, indices: [true, true] })),
  );
  expect(no.map(found)).toEqual(
    no.map((text) => ({ text, matches: false, indices: [false, false] })),
  );
});

// regex-literals.test.ts — what stands in every match of a regular expression, and nothing where that is not sure.
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRegex } from "../sigma/regex.ts";
import { regexGuard, regexLiterals } from "./regex-literals.ts";

test.for([
  { source: "cmd\\.exe", texts: ["cmd.exe"] },
  { source: "^CMD$", texts: ["cmd"] },
  { source: "(?i)Temp.*invoke", texts: ["invoke"] },
  { source: "ab?cd", texts: ["cd"] },
  { source: "abc+d", texts: ["abc"] },
  { source: "ab{2}c", texts: ["ab"] },
  { source: "a(bc)d", texts: ["abcd"] },
  { source: "(curl|wget) http", texts: [" http"] },
  { source: "(curl|wget)\\s", texts: ["curl", "wget"] },
  { source: "one|two", texts: ["one", "two"] },
  { source: "one|t?", texts: undefined },
  { source: "(?:long text|x)?y", texts: ["y"] },
  { source: "[abc]d[^]]e", texts: ["d"] },
  { source: "\\d{3}-\\w+", texts: ["-"] },
  { source: "", texts: undefined },
  { source: ".*", texts: undefined },
  { source: "é1", texts: undefined },
  { source: "a(?i)b", texts: undefined },
  { source: "(?P<name>abc)", texts: undefined },
  { source: "\\x41b", texts: undefined },
  { source: "\\Qa.b\\E", texts: undefined },
  { source: "a)b", texts: undefined },
  { source: "[[:alpha:]]x", texts: undefined },
])("$source needs $texts", ({ source, texts }) => {
  expect(regexLiterals(source)).toEqual(texts);
});

const piece = fc.constantFrom("a", "B", "ab", "+", "k", "s", " ", "\n", "ſ", "K", "é");
const textDrawn = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
const sourceDrawn = fc.letrec<{ source: string }>((tie) => ({
  source: fc
    .array(
      fc.oneof(
        fc.constantFrom("a", "B", "ab", "\\+", "k", "s", ".*", ".", "^", "$", "\\s", "[ab]", "é"),
        fc
          .tuple(tie("source"), tie("source"), fc.constantFrom("", "?", "*", "+", "{2}"))
          .map(([one, other, times]) => `(${one}|${other})${times}`),
        fc
          .tuple(tie("source"), fc.constantFrom("", "?", "+", "{0,2}"))
          .map(([one, times]) => `(?:${one})${times}`),
      ),
      { maxLength: 5 },
    )
    .map((pieces) => pieces.join("")),
})).source;

test("generated expressions and texts: what matches is never held back", () => {
  let matched = 0;
  let heldBack = 0;
  fc.assert(
    fc.property(
      sourceDrawn,
      fc.boolean(),
      fc.array(textDrawn, { maxLength: 5 }),
      (source, cased, texts) => {
        const compiled = compileRegex(source, cased ? "" : "i");
        if (!compiled.ok) return;
        const mayMatch = regexGuard(source);
        for (const text of texts) {
          const isMatched = compiled.regex.test(text);
          if (isMatched) matched += 1;
          if (!mayMatch(text)) heldBack += 1;
          expect(isMatched && !mayMatch(text)).toBe(false);
        }
      },
    ),
    { numRuns: 3000 },
  );
  expect(matched).toBeGreaterThan(1000);
  expect(heldBack).toBeGreaterThan(1000);
});

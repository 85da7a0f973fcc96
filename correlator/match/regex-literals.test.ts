// regex-literals.test.ts — what stands in every match of a regular expression, and nothing where that is not sure.
import { expect, test } from "vitest";
import { regexLiterals } from "./regex-literals.ts";

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

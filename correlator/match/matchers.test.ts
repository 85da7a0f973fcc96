// The index against the plain twin: generated rules and events through both, and the same answers wanted.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { DetectionRule, EventField, Expression, Predicate } from "../sigma/rule.ts";
import { fold } from "../sigma/text.ts";
import { Haystack } from "./haystack.ts";
import { indexedMatcher } from "./indexed.ts";
import type { Match } from "./matcher.ts";
import { plainMatcher } from "./plain.ts";

const FIELDS: readonly EventField[] = [
  { name: "a", paths: ["a"] },
  { name: "b", paths: ["b.c", "b_c"] },
  { name: "d", paths: ["constructor", "d"] },
];
const pieces = [
  "ab",
  "ABC",
  "abcd",
  "cmd.exe",
  "\\Temp\\",
  " -e",
  "é",
  "İ",
  "ß–",
  "ΟΔΟΣ",
  "ς",
  "0x1250",
  "1.50",
  "",
  "0",
  "12",
  "powershell -enc",
  "power\u017fhell",
  "a\u0000b",
  "\u212aerb",
  "/bin/ab",
  'say "ab"',
  "\ud83d\ude00",
];
const text = fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((some) => some.join(""));
const field = fc.constantFrom(...FIELDS);
const fieldOrKeyword = fc.oneof({ weight: 4, arbitrary: field }, fc.constant(null));
const folded = (cased: boolean, of: string): string => (cased ? of : fold(of));

const predicate: fc.Arbitrary<Predicate> = fc.oneof(
  fc
    .record({
      field: fieldOrKeyword,
      place: fc.constantFrom("whole", "start", "end", "within"),
      of: text,
      cased: fc.boolean(),
    })
    .map(({ of, ...rest }): Predicate => ({ kind: "text", ...rest, text: folded(rest.cased, of) })),
  fc.record({ field: fieldOrKeyword, a: text, b: text, cased: fc.boolean() }).map(
    ({ a, b, ...rest }): Predicate => ({
      kind: "pattern",
      ...rest,
      tokens: [
        { kind: "any" },
        { kind: "text", text: folded(rest.cased, a) || "x" },
        { kind: "one" },
        { kind: "text", text: folded(rest.cased, b) || "y" },
      ],
    }),
  ),
  fc.record({
    kind: fc.constant("regex"),
    field: fieldOrKeyword,
    source: fc.constantFrom(
      "ab+c",
      "^cmd\\.exe",
      "a|b",
      "(?i)TEMP",
      "[0-9]{2}",
      "x?ab",
      "power.*enc$",
      "(?i)power(s)hell",
      "(?:abcd|cmd)\\.?(exe)?",
      "(ab|c)+d",
      "[^a]b{2,}|12",
      "\\\\temp\\\\.{1,3}",
      "",
    ),
    flags: fc.constantFrom("", "i"),
  }),
  fc.record({
    kind: fc.constant("number"),
    field: fieldOrKeyword,
    value: fc.constantFrom(0, 12, 120),
  }),
  fc.record({ kind: fc.constant("boolean"), field, value: fc.boolean() }),
  fc.record({ kind: fc.constant("null"), field }),
  fc.record({ kind: fc.constant("exists"), field }),
  fc.record({
    kind: fc.constant("compare"),
    field,
    operator: fc.constantFrom("lt", "gte"),
    value: fc.constantFrom(1, 12),
  }),
  fc.record({
    kind: fc.constant("fieldref"),
    field,
    other: field,
    place: fc.constantFrom("whole", "start"),
    cased: fc.boolean(),
  }),
) as fc.Arbitrary<Predicate>;

const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    predicate.map((one): Expression => ({ kind: "predicate", predicate: one })),
    fc.record({
      kind: fc.constantFrom("and", "or"),
      of: fc.array(tie("expression"), { minLength: 1, maxLength: 3 }),
    }) as fc.Arbitrary<Expression>,
    tie("expression").map((of): Expression => ({ kind: "not", of })),
    tie("expression").map((of): Expression => ({ kind: "selection", name: "s", of })),
  ),
}));
const source = fc.constantFrom<DetectionRule["logsource"]>(
  {},
  { product: "windows" },
  { product: "windows", category: "process_creation" },
  { service: "sshd" },
);
const ruleSet = fc
  .array(fc.tuple(expression, source), { minLength: 1, maxLength: 12 })
  .map((drawn) => ({
    version: "v",
    correlations: [],
    detections: drawn.map(
      ([condition, logsource], index): DetectionRule => ({
        about: { id: `r${index}`, title: `r${index}`, level: "low", tags: [] },
        version: `v${index}`,
        logsource,
        condition,
        standalone: true,
        feeds: [],
        at: "",
      }),
    ),
  }));

const scalar = fc.oneof(text, fc.constantFrom(0, 12, 12.5, true, false, null));
const value = fc.oneof(
  { weight: 5, arbitrary: scalar },
  fc.array(fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), { maxLength: 3 }),
  fc.record({ c: fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })) }),
  fc.array(fc.record({ c: scalar }), { maxLength: 2 }),
);
const event = fc
  .dictionary(fc.constantFrom("a", "b", "b.c", "b_c", "d", "constructor", "__proto__", "z"), value)
  .map((made) => JSON.parse(JSON.stringify(made)) as Record<string, unknown>);
const sources = fc.constantFrom(
  [{ product: "windows", category: "process_creation" }],
  [{ product: "linux", service: "sshd" }, { product: "windows" }],
  [{ product: "windows", service: "of nobody" }, { category: "process_creation" }],
  [{ product: "windows", category: "process_creation", service: "of nobody else" }],
  [],
);

const STRING = /("(?:[^"\\]|\\.)*")/;
const code = (one: string): string => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
/** An event's JSON, as one or another program may write it. */
const WAYS: Readonly<Record<string, (json: string) => string | undefined>> = {
  "no JSON at hand": () => undefined,
  "as V8 writes it": (json) => json,
  "letters by their codes": (json) => inStrings(json, (text) => text.replaceAll(/[b-fk]/gi, code)),
  "all but ASCII by codes": (json) => inStrings(json, (text) => text.replaceAll(/[^ -~]/g, code)),
  "slashes behind backslashes": (json) => inStrings(json, (text) => text.replaceAll("/", "\\/")),
  "numbers with exponents": (json) =>
    json
      .split(STRING)
      .map((part, place) =>
        place % 2 === 1 ? part : part.replaceAll(/\d[\d.]*/g, (one) => Number(one).toExponential()),
      )
      .join(""),
};
const inStrings = (json: string, change: (text: string) => string): string =>
  json
    .split(STRING)
    .map((part, place) =>
      place % 2 === 0
        ? part
        : part.replaceAll(/\\u....|\\.|[^\\]+/g, (text) =>
            text.startsWith("\\") ? text : change(text),
          ),
    )
    .join("");
const way = fc.constantFrom(...Object.keys(WAYS));
const jsonOf = (event: object, how: string): string | undefined => {
  const json = WAYS[how]?.(JSON.stringify(event));
  if (json !== undefined) expect(JSON.parse(json)).toEqual(event);
  return json;
};
/** As a processor does it that looks at many bytes at once, and as one that can't. */
const haystack = fc.constantFrom(new Haystack(), new Haystack(() => undefined));

const told = (matches: readonly Match[]): unknown[] =>
  matches.map(({ rule, selections }) => [rule.about.id, selections]);

const some = fc.array(fc.tuple(event, sources, way), { maxLength: 8 });
test("generated rules and events: the index answers as the plain twin", () => {
  fc.assert(
    fc.property(ruleSet, haystack, some, (set, by, drawn) => {
      const indexed = indexedMatcher(set, by);
      const plain = plainMatcher(set);
      for (const [one, from, how] of drawn)
        expect(told(indexed.match(one, from, jsonOf(one, how)))).toEqual(
          told(plain.match(one, from)),
        );
    }),
    { numRuns: 1500 },
  );
});

test.for([
  { name: "once", events: 400, numRuns: 40 },
  { name: "and again", events: 30_400, numRuns: 2 },
])("what rules wait for changes $name as events are seen, their answers do not", (seen) => {
  const word = fc.constantFrom("cmd.exe /c", "powershell -enc", "C:\\Temp\\abcd.ps1", "12", "");
  fc.assert(
    fc.property(ruleSet, fc.array(word, { minLength: 5, maxLength: 9 }), (set, words) => {
      const indexed = indexedMatcher(set);
      const plain = plainMatcher(set);
      const from = [{ product: "windows", category: "process_creation" }];
      for (let n = 0; n < seen.events; n++) {
        const other = words[Math.floor(n / words.length) % words.length]; // comes with every first one
        const one = { a: words[n % words.length], b: { c: other } };
        const json = JSON.stringify(one);
        expect(told(indexed.match(one, from, json))).toEqual(told(plain.match(one, from)));
      }
    }),
    { numRuns: seen.numRuns },
  );
});

test("words that no rule names are no sets of their own: an event may say what it likes", () => {
  const rule = { ...{ version: "v", standalone: true, feeds: [], at: "" } };
  const about = { id: "r", title: "r", level: "low", tags: [] } as const;
  const condition: Expression = {
    kind: "predicate",
    predicate: { kind: "exists", field: FIELDS[0] as EventField },
  };
  const detection: DetectionRule = { ...rule, about, condition, logsource: { service: "sshd" } };
  const indexed = indexedMatcher({ version: "v", correlations: [], detections: [detection] });
  for (let n = 0; n < 100; n++)
    expect(indexed.match({ a: 1 }, [{ service: `client ${n}` }, { product: `p${n}` }])).toEqual([]);
  expect(told(indexed.match({ a: 1 }, [{ service: "sshd" }, { product: "p" }]))).toHaveLength(1);
  expect(indexed.seen()).toHaveLength(2);
});

// Rules and events that are made to do harm: a clear refusal or the right answer, in bounded time.
import { expect, test } from "vitest";
import { indexedMatcher } from "../match/indexed.ts";
import { plainMatcher } from "../match/plain.ts";
import { ruleDisk } from "./disk.ts";
import { loadRules, readRules } from "./load.ts";
import type { LoadedRules, RuleSet } from "./rule.ts";

// A test that takes longer fails: far above what a busy machine needs, far below what an unbounded one would.
const patience = { timeout: 10_000 };

const HEAD = "title: T\nlogsource: { product: p }\ndetection:\n";
const ruleOf = (s: string): string => `${HEAD}  s:\n    ${s}\n  condition: s\n`;
const load = (text: string): LoadedRules =>
  readRules([{ path: "r.yml", text, lenient: false }], {});
const problemsOf = (text: string) => load(text).problems.map(({ code, at }) => [code, at]);
function setOf(text: string): RuleSet {
  const { set, problems } = load(text);
  expect(problems).toEqual([]);
  if (set === undefined) throw new Error("no set");
  return set;
}
/** Whether both matchers find the rule in each event. */
function found(text: string, events: readonly unknown[]): boolean[] {
  const set = setOf(text);
  const matchers = [plainMatcher(set), indexedMatcher(set)];
  return events.map((event) => {
    const [plain, indexed] = matchers.map(
      ({ match }) => match(event as Record<string, unknown>, [{ product: "p" }]).length === 1,
    );
    expect(indexed).toBe(plain);
    return plain === true;
  });
}

test.for([
  { name: "nested quantifiers", re: "(a+)+$" },
  { name: "alternatives that overlap", re: "^(a|a|aa)*$" },
  { name: "many optional parts", re: `${"a?".repeat(50)}${"a".repeat(50)}$` },
  { name: "dots in a row", re: "(.*)(.*)(.*)(.*)(.*)x$" },
])("a regular expression that others take years for: $name", patience, ({ re }) => {
  const long = `${"a".repeat(50_000)}!`;
  const text = ruleOf(`f|re: '${re}'`);
  expect(found(text, [{ f: long }, { f: long }])).toEqual([false, false]);
});

test("repetitions that multiply are refused or counted, not unrolled", patience, () => {
  expect(problemsOf(ruleOf("f|re: '((a{1,100}){1,100}){1,100}'"))).toEqual([
    ["rule.regex", "r.yml:5:11"],
  ]);
});

test("10,000 values in one selection", patience, () => {
  const values = Array.from({ length: 10_000 }, (_, i) => `      - 'value ${i} x'`).join("\n");
  const events = [{ f: "a VALUE 9999 x" }, { f: "value 10000 x" }, { f: "value 0 x" }];
  expect(found(ruleOf(`f|contains:\n${values}`), events)).toEqual([true, false, true]);
  const all = { f: Array.from({ length: 1000 }, (_, i) => `value ${i} x`) };
  expect(found(ruleOf(`f|contains|all:\n${values}`), [all])).toEqual([false]);
});

test.for([
  { name: "brackets", text: "[".repeat(20_000) },
  { name: "brackets that close", text: "[".repeat(5000) + "]".repeat(5000) },
  { name: "brackets, one a line", text: "[\n".repeat(20_000) },
  { name: "braces", text: `${"{a: ".repeat(20_000)}` },
  { name: "dashes", text: "- ".repeat(20_000) },
  { name: "question marks", text: "? ".repeat(20_000) },
  {
    name: "indents",
    text: Array.from({ length: 2000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
  },
  {
    name: "41 levels",
    text: Array.from({ length: 42 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
  },
  { name: "a million brackets behind a rule", text: `${ruleOf("f: 1")}---\na: ${"[".repeat(1e6)}` },
])("nesting beyond bounds is refused as such: $name", patience, ({ text }) => {
  const codes = load(text).problems.map(({ code }) => code);
  expect(codes.slice(0, 1)).toEqual(["rule.too-deep"]);
});

test("brackets in texts are no nesting", patience, () => {
  const brackets = "[{".repeat(20_000);
  expect(found(ruleOf(`f|contains: '${brackets}'`), [{ f: brackets }])).toEqual([true]);
  expect(found(ruleOf(`f|contains: ["a", "${brackets}"]`), [{ f: brackets }])).toEqual([true]);
});

test("a billion laughs", patience, () => {
  let text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (let i = 1; i < 12; i += 1)
    text += `a${i}: &a${i} [${Array(9)
      .fill(`*a${i - 1}`)
      .join(", ")}]\n`;
  expect(load(text).problems[0]?.code).toBe("rule.too-many-nodes");
});

test("anchors and aliases that are meant", patience, () => {
  const text = `${HEAD}  s: &s { f: &v [a, b] }\n  t: { <<: *s, g: *v }\n  condition: s and t\n`;
  expect(found(text, [{ f: "a", g: "b" }, { f: "a" }])).toEqual([true, false]);
});

test("aliases that unfold too far are the only fault", patience, () => {
  const levels = Array.from({ length: 7 }, (_, i) =>
    i === 0
      ? "a0: &a0 [x]"
      : `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join()}]`,
  );
  const bomb = `${levels.join("\n")}\n${ruleOf("f: 1")}`;
  expect(problemsOf(bomb).map(([code]) => code)).toEqual(["rule.too-many-nodes"]);
});

test.for([
  {
    name: "an alias without an anchor",
    text: "a: *nobody\n",
    want: ["rule.yaml-alias", "r.yml:1:4"],
  },
  {
    name: "an alias of what holds it",
    text: "a: &x [*x]\n",
    want: ["rule.yaml-alias", "r.yml:1:8"],
  },
  {
    name: "a key twice",
    text: ruleOf("f: 1\n    f: 2"),
    want: ["rule.duplicate-key", "r.yml:6:5"],
  },
  {
    name: "a key twice, quoted once",
    text: ruleOf("f: 1\n    'f': 2"),
    want: ["rule.duplicate-key", "r.yml:6:5"],
  },
  {
    name: "__proto__ twice",
    text: ruleOf("__proto__: 1\n    __proto__: 2"),
    want: ["rule.duplicate-key", "r.yml:6:5"],
  },
  { name: "a list as a key", text: ruleOf("? [a]\n    : 1"), want: ["rule.yaml-key", "r.yml:5:7"] },
  {
    name: "tabs that indent",
    text: "title: T\ndetection:\n\ts: 1\n",
    want: ["rule.yaml", "r.yml:3:1"],
  },
  { name: "an unknown tag", text: "title: !!js/function 'f'\n", want: undefined },
  { name: "an open quote", text: "title: 'T\n", want: ["rule.yaml", "r.yml:2:1"] },
  { name: "a NUL", text: "title: \0\n", want: undefined },
])("YAML that is none or means two things: $name", patience, ({ text, want }) => {
  const found = problemsOf(text);
  expect(found.length).toBeGreaterThan(0);
  if (want !== undefined) expect(found[0]).toEqual(want);
});

test("a file of 5 MB", patience, () => {
  expect(problemsOf(`# ${"x".repeat(5e6)}`)).toEqual([["rule.file-too-big", "r.yml:1:1"]]);
});

test("60,000 keys are compared in linear time", patience, () => {
  const keys = Array.from({ length: 60_000 }, (_, i) => `    f${i}: 1`).join("\n");
  expect(found(`${HEAD}  s:\n${keys}\n  condition: s\n`, [{ f0: 1 }])).toEqual([false]);
});

test("files in UTF-16, and bytes that are no text", patience, async () => {
  const text = ruleOf("f|contains: 'é ü'");
  const little = Buffer.from(`\ufeff${text}`, "utf16le");
  const files = new Map<string, Uint8Array>([
    ["a.yml", little],
    ["b.yml", Buffer.from(little).swap16()],
    ["c.yml", Buffer.from(`\ufeff${text}`)],
    ["d.yml", Buffer.from([0x74, 0xff, 0xfe])],
    ["e.yml", Buffer.from([0xff, 0xfe, 0x00])],
    ["f.yml", Buffer.from(text, "utf16le")],
    ["g.yml", Buffer.from(text, "utf16le").swap16()],
  ]);
  const disk = {
    list: async () => [...files.keys()],
    read: async (path: string) => files.get(path) ?? new Uint8Array(),
  };
  const { leftOut, set } = await loadRules([{ path: ".", lenient: true }], disk);
  const bad = leftOut.map(({ problems }) => [problems[0]?.code, problems[0]?.at]);
  // Three rules with one title: the first stands for them.
  expect(bad).toEqual([
    ["rule.encoding", "d.yml:1:1"],
    ["rule.encoding", "e.yml:1:1"],
    ["rule.encoding", "f.yml:1:1"],
    ["rule.encoding", "g.yml:1:1"],
    ["rule.duplicate", "b.yml:1:1"],
    ["rule.duplicate", "c.yml:1:1"],
  ]);
  expect(set?.detections.map(({ at }) => at)).toEqual(["a.yml:1:1"]);
  expect(set?.detections[0]?.condition).toMatchObject({ of: { predicate: { text: "é ü" } } });
});

test("a folder that is none, a file that cannot be read", async () => {
  const { problems } = await loadRules([{ path: "/no/such/folder", lenient: false }], ruleDisk);
  const none = "there is no such file or folder; check the path";
  expect(problems).toEqual([
    {
      code: "rule.folder",
      at: "/no/such/folder:1:1",
      message: `the folder cannot be read: ${none}`,
    },
  ]);
  const named = await loadRules([{ path: "/no/such/rule.yml", lenient: false }], ruleDisk, {
    assets: ["/no/such/assets"],
  });
  expect(named.problems.map(({ code, message }) => [code, message])).toEqual([
    ["assets.refused", `the assets that correlator.assets names cannot be read: ${none}`],
    ["rule.file", `the file cannot be read: ${none}`],
  ]);
});

test("huge numbers", patience, () => {
  const text = ruleOf("f: [18446744073709551616, 1e400, -1e400, .inf, 0x1fffffffffffffffff]");
  const events = ["18446744073709551616", "1E400", "18446744073709551617", "1", 0, "Infinity"];
  expect(
    found(
      text,
      events.map((f) => ({ f })),
    ),
  ).toEqual([true, true, false, false, false, false]);
  expect(problemsOf(ruleOf("f|gt: 1e999"))).toEqual([["rule.value", "r.yml:5:11"]]);
  expect(found(ruleOf("f|gt: 10"), [{ f: "1e999" }, { f: "9".repeat(400) }, { f: "NaN" }])).toEqual(
    [true, true, false],
  );
});

test("events nested 64 levels and far deeper", patience, () => {
  const nested = (depth: number, inner: unknown): unknown =>
    JSON.parse(`${'{"a":'.repeat(depth)}${JSON.stringify(inner)}${"}".repeat(depth)}`);
  const path = Array(64).fill("a").join(".");
  const events = [nested(64, "x"), nested(63, "x"), nested(64, "y"), nested(5000, "x")];
  expect(found(ruleOf(`${path}: x`), events)).toEqual([true, false, false, false]);
  expect(found(`${HEAD}  s: [x]\n  condition: s\n`, events)).toEqual([true, true, false, false]);
  const lists = JSON.parse(`{"a":${"[".repeat(5000)}"x"${"]".repeat(5000)}}`) as unknown;
  expect(found(ruleOf("a.b: x"), [lists])).toEqual([false]);
});

test("texts of 5 MB", patience, () => {
  const long = "ab".repeat(2_500_000);
  const events = [{ f: `needle${long}` }, { f: long }, { f: Array(5).fill(long) }];
  const values = [
    "f|contains: needle",
    "f: '*n*e*e*d*l*e*'",
    "f|re: 'n(ee)+dle'",
    "f|re: '(a|b)*c$'",
  ];
  for (const value of values)
    expect(found(ruleOf(value), events)).toEqual([!value.includes("c$"), false, false]);
});

test("texts are searched up to a bound, a regular expression's is lower", patience, () => {
  const behind = (chars: number) => [{ f: `${"x".repeat(chars)}needle` }];
  const charsMax = 8 * 2 ** 20;
  for (const chars of [0, 262_144 - 6, 262_144 - 1, 262_144, 5_000_000, charsMax - 6])
    for (const value of ["f|contains: needle", "f|endswith: needle", "f: '*n*dle'"])
      expect(found(ruleOf(value), behind(chars))).toEqual([true]);
  expect(found(ruleOf("f|contains: needle"), behind(charsMax))).toEqual([false]);
  const other = `${"ß".repeat(300_000)}needle`;
  expect(found(ruleOf("f|contains: needle"), [{ f: other }, { f: "needle" }])).toEqual([
    true,
    true,
  ]);
  expect(found(ruleOf("f|re: ne+dle"), behind(65_536 - 6))).toEqual([true]);
  expect(found(ruleOf("f|re: ne+dle"), behind(65_536))).toEqual([false]);
  const whole = { f: "x".repeat(65_536) };
  const cut = { f: `${"x".repeat(65_536)}y` };
  expect(found(ruleOf("f|re: 'x$'"), [whole, cut])).toEqual([true, false]);
});

test("lone surrogates", patience, () => {
  const rule = String.raw`f|contains: "\ud83dx"`;
  const events = [{ f: "a\ud83dX" }, { f: "\ud83d\ude00x" }, { f: "\ude00\ud83d" }];
  expect(found(ruleOf(rule), events)).toEqual([true, false, false]);
  expect(found(ruleOf("f|re: '^.x'"), [{ f: "\ud83dx" }, { f: "\ud83d\ude00x" }])).toEqual([
    true,
    true,
  ]);
});

test("100,000 fields and a list of as many elements", patience, () => {
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`f${i}`, "x"]));
  const list = Array.from({ length: 100_000 }, () => "y");
  expect(found(ruleOf("f99999: x"), [many, { f: list }])).toEqual([true, false]);
  expect(found(`${HEAD}  s: [z]\n  condition: s\n`, [many, { f: list }])).toEqual([false, false]);
});

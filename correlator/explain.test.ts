import { expect, test } from "vitest";
import { explainMatch } from "./explain.ts";
import { readRules } from "./sigma/load.ts";
import type { FieldMapping } from "./sigma/mapping.ts";

const HEAD = "title: T\nid: t\nlevel: low\nlogsource: { product: windows }\n";
const ruleOf = (detection: string, mapField?: FieldMapping) => {
  const text = `${HEAD}detection:\n${detection}`;
  const files = [{ path: "r.yml", text, lenient: false }];
  const { set, problems } = readRules(files, mapField === undefined ? {} : { mapField });
  const [rule] = set?.detections ?? [];
  if (!rule) throw new Error(JSON.stringify(problems));
  return rule;
};
const SOURCES = [{ product: "windows", category: "process_creation" }];
const RULE = ruleOf(`  shell: { Image|endswith: '\\cmd.exe', User: root }
  words: { Line|contains: [one, two] }
  filter: { Parent: null }
  condition: (shell or words) and not filter
`);

test("each selection tells whether it holds, and each test the value that it met", () => {
  const event = { Image: "C:\\CMD.EXE", Line: "a two", a: { Parent: "x" } };
  expect(explainMatch(RULE, event, SOURCES)).toEqual({
    ...{ rule: "t", title: "T", at: "r.yml:1:1", looksAt: true, matches: false },
    filters: [],
    condition: {
      ...{ kind: "all", holds: false },
      of: [
        {
          ...{ kind: "any", holds: true },
          of: [
            { kind: "selection", name: "shell", holds: false },
            { kind: "selection", name: "words", holds: true },
          ],
        },
        { kind: "not", holds: false, of: [{ kind: "selection", name: "filter", holds: true }] },
      ],
    },
    selections: [
      {
        name: "shell",
        why: {
          ...{ kind: "all", holds: false },
          of: [
            {
              ...{ kind: "test", field: "Image", test: 'ends with "\\\\cmd.exe"', holds: true },
              ...{ path: "Image", value: "C:\\CMD.EXE" },
            },
            { kind: "test", field: "User", test: 'is "root"', holds: false },
          ],
        },
      },
      {
        name: "words",
        why: {
          ...{ kind: "any", holds: true },
          of: [
            ...[["one", false] as const, ["two", true] as const].map(([word, holds]) => ({
              ...{ kind: "test", field: "Line", test: `contains "${word}"`, holds },
              ...{ path: "Line", value: "a two" },
            })),
          ],
        },
      },
      {
        name: "filter",
        why: { kind: "test", field: "Parent", test: "is null or missing", holds: true },
      },
    ],
  });
});

test("a rule of another log source does not match, whatever its selections say", () => {
  const event = { Line: "one", Parent: "x" };
  const { looksAt, matches } = explainMatch(RULE, event, [{ product: "linux" }]);
  expect({ looksAt, matches }).toEqual({ looksAt: false, matches: false });
  expect(explainMatch(RULE, event, SOURCES).matches).toBe(true);
});

test.for(
  [
    { detection: "['one*two']", event: { x: "one, two" }, why: { test: 'is like "*one*two*"' } },
    { detection: "{ n|gte: 5 }", event: { n: 7 }, why: { test: ">= 5", value: 7 } },
    {
      detection: "{ n|cidr: 10.0.0.0/8 }",
      event: { n: "10.1.1.1" },
      why: { test: "is in 10.0.0.0/8" },
    },
    { detection: "{ n|re: 'a.c' }", event: { n: "abc" }, why: { test: "matches /a.c/" } },
    {
      detection: "{ n|fieldref: m }",
      event: { n: "x", m: "X" },
      why: { test: "is the value of m" },
    },
    { detection: "{ n|exists: true }", event: { n: null }, why: { test: "is there", value: null } },
    { detection: "{ n|cased: A }", event: { n: "A" }, why: { test: 'is "A", in this case' } },
    {
      detection: "{ n|startswith: x }",
      event: { n: "x".repeat(500) },
      why: { test: 'begins with "x"', value: `${"x".repeat(200)}…` },
    },
  ].filter(({ why }) => why !== undefined),
)("in words: $detection", ({ detection, event, why }) => {
  const rule = ruleOf(`  a: ${detection}\n  condition: a\n`);
  const { selections, matches } = explainMatch(rule, event, SOURCES);
  expect(matches).toBe(true);
  expect(selections[0]?.why).toMatchObject({ kind: "test", holds: true, ...why });
});

test("a value that is joined of several is told with the paths that it is joined of", () => {
  const path = "{user.domain}\\{user.name}";
  const rule = ruleOf("  who: { User: 'CORP\\bob' }\n  condition: who\n", (_logsource, name) => ({
    name,
    paths: ["User", path, "user.name"],
  }));
  const told = (user: object) => explainMatch(rule, { user }, SOURCES).selections[0]?.why;
  expect(told({ domain: "CORP", name: "bob" })).toMatchObject({
    ...{ holds: true, path, value: "CORP\\bob" },
  });
  expect(told({ name: "bob" })).toMatchObject({ holds: false, path: "user.name", value: "bob" });
});

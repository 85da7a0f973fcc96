// asset-rules.test.ts — what rules say of assets: which are awaited, about which a finding is graver, what is refused.
import { expect, test } from "vitest";
import { readAssets } from "../../core/assets.ts";
import { loadRules, readRules } from "./load.ts";

const INVENTORY = `
assets:
  - { name: DC1, aliases: [dc1.example.com], criticality: critical, tags: [windows] }
  - { name: db1, criticality: high, tags: [backup] }
  - { name: db2, tags: [backup, windows] }
`;
const correlation = (body: string, head = ""): string =>
  `title: B\nname: beat\nlogsource: { product: p }\ndetection: { s: { f: 1 }, condition: s }\n---\n` +
  `title: C\n${head}correlation:\n  rules: [beat]\n  ${body.replaceAll("\n", "\n  ")}\n`;
const absence = (expected: string, groupBy = "[h]"): string =>
  correlation(`type: absence\ngroup-by: ${groupBy}\ntimespan: 1h\nexpected: ${expected}`);
const count = (escalate: string, head = "level: low\n"): string =>
  correlation(
    `type: event_count\ngroup-by: [h]\ntimespan: 5m\ncondition: { gte: 2 }\nescalate: ${escalate}`,
    head,
  );

const read = (text: string, inventory = INVENTORY) =>
  readRules([{ path: "r.yml", text, lenient: false }], {
    inventory: readAssets([{ path: "a.yml", text: inventory }]).assets,
  });
const ruleOf = (text: string, inventory = INVENTORY) => {
  const { set, problems } = read(text, inventory);
  expect(problems).toEqual([]);
  return set?.correlations[0];
};

test.for([
  { choice: "all", want: [["DC1"], ["db1"], ["db2"]] },
  { choice: "{ tags: backup }", want: [["db1"], ["db2"]] },
  { choice: "{ tags: [windows, backup] }", want: [["db2"]] },
  { choice: "{ criticality: high }", want: [["DC1"], ["db1"]] },
  { choice: "{ criticality: high, tags: [backup] }", want: [["db1"]] },
])("expected: { assets: $choice }", ({ choice, want }) => {
  expect(ruleOf(absence(`{ assets: ${choice} }`))?.absence?.expected).toEqual(want);
});

test("the assets that are awaited are as good as a list of them, in the rule's version too", () => {
  const listed = ruleOf(absence("[db1, db2]"));
  expect(ruleOf(absence("{ assets: { tags: [backup] } }"))).toEqual(listed);
});

test("each name and alias has the highest level of its lines, beside those of counts", () => {
  const rule = ruleOf(
    count(
      "[{ count: 10, level: medium }, { assets: all, level: medium }, { assets: { criticality: critical }, level: critical }]",
    ),
  );
  expect(rule?.escalate).toEqual([{ count: 10, level: "medium" }]);
  expect(rule?.assetLevels).toEqual([
    ["db1", "medium"],
    ["db2", "medium"],
    ["dc1", "critical"],
    ["dc1.example.com", "critical"],
  ]);
});

test("other assets leave the rule's version as it is, and change the set's: it is announced anew", () => {
  const rule = count("[{ assets: { tags: [backup] }, level: high }]");
  const before = read(rule).set;
  const after = read(rule, `${INVENTORY}  - { name: db3, tags: [backup] }\n`).set;
  expect(after?.correlations[0]?.version).toBe(before?.correlations[0]?.version);
  expect(after?.version).not.toBe(before?.version);
});

test("names that objects have are names", () => {
  const inventory = "assets: [{ name: __proto__, aliases: [constructor] }]";
  expect(ruleOf(count("[{ assets: all, level: high }]"), inventory)?.assetLevels).toEqual([
    ["__proto__", "high"],
    ["constructor", "high"],
  ]);
});

test.for([
  {
    name: "no inventory",
    text: absence("{ assets: all }"),
    inventory: "",
    at: "12:23",
    says: "correlator.assets",
  },
  {
    name: "a tag that no asset has",
    text: absence("{ assets: { tags: [backups] } }"),
    at: "12:31",
    says: "did you mean backup?",
  },
  {
    name: "a criticality that is none",
    text: absence("{ assets: { criticality: urgent } }"),
    at: "12:38",
    says: "low, medium, high, critical",
  },
  {
    name: "a key that is none",
    text: absence("{ assets: { tag: backup } }"),
    at: "12:25",
    says: "allowed are tags, criticality",
  },
  { name: "nothing is chosen", text: absence("{ assets: {} }"), at: "12:23", says: "write all" },
  {
    name: "no tag in a list of them",
    text: absence("{ assets: { tags: [] } }"),
    at: "12:31",
    says: "write assets: all",
  },
  { name: "a name", text: absence("{ assets: db1 }"), at: "12:23", says: "write all" },
  {
    name: "all that is asked for at once",
    text: absence("{ assets: { tags: [backup], criticality: critical } }"),
    at: "12:13",
    says: "chooses 0 assets",
  },
  {
    name: "more characters than travel with a rule",
    text: absence("{ assets: all }"),
    inventory: `assets:\n${Array.from({ length: 500 }, (_, n) => `- { name: ${"a".repeat(230)}${n} }`).join("\n")}`,
    at: "12:13",
    says: "the most is 100000",
  },
  {
    name: "something beside them",
    text: absence("{ assets: all, list: [db9] }"),
    at: "12:28",
    says: '"list" beside assets',
  },
  {
    name: "two fields",
    text: absence("{ assets: all }", "[h, j]"),
    at: "12:13",
    says: "group-by has 2 fields",
  },
  {
    name: "a level for assets that is the rule's own",
    text: count("[{ assets: all, level: low }]"),
    at: "14:14",
    says: "no higher than the rule's own level low",
  },
  {
    name: "a level that is the rule's own, for assets of which there are none today",
    text: count("[{ assets: { tags: [backup], criticality: critical }, level: low }]"),
    at: "14:14",
    says: "no higher than the rule's own level low",
  },
  {
    name: "a level that is the rule's own, for assets that another line has graver",
    text: count("[{ assets: all, level: high }, { assets: all, level: low }]"),
    at: "14:44",
    says: "no higher than the rule's own level low",
  },
  {
    name: "a line of both",
    text: count("[{ assets: all, count: 3, level: high }]"),
    at: "14:14",
    says: "{ count, level } or { assets, level }",
  },
])("refused: $name", ({ text, inventory, at, says }) => {
  const { set, problems } = read(text, inventory);
  expect(set).toBeUndefined();
  expect(problems[0]?.at).toBe(`r.yml:${at}`);
  expect(problems[0]?.message).toContain(says);
});

const RULE = count("[{ assets: { tags: [backup] }, level: high }]").replace(
  "title: B",
  "title: B\nlevel: low",
);
test.for([
  { name: "a folder, of its YAML files", files: { "m/a.yml": INVENTORY, "m/README.md": "{" } },
  { name: "one file, whatever it is called", files: { m: INVENTORY } },
  { name: "a fault", files: { "m/a.yml": "assets: {}" }, problems: ["m/a.yml:1:9 assets.refused"] },
  { name: "no such folder", files: {}, problems: ["m:1:1 assets.refused"] },
])("assets from $name", async ({ files, problems = [] }) => {
  const all = new Map(Object.entries({ "rules/r.yml": RULE, ...files }));
  const list = async (path: string) => {
    const found = [...all.keys()].filter((file) => file === path || file.startsWith(`${path}/`));
    if (found.length === 0) throw new Error("no such folder");
    return found;
  };
  const disk = { list, read: async (path: string) => Buffer.from(all.get(path) ?? "") };
  const loaded = await loadRules([{ path: "rules", lenient: false }], disk, { assets: ["m"] });
  expect(loaded.problems.map(({ at, code }) => `${at} ${code}`)).toEqual(problems);
  expect(loaded.set?.correlations[0]?.assetLevels?.length).toBe(
    problems.length > 0 ? undefined : 2,
  );
});

test("names in the levels of all rules together are bounded: what goes beyond is refused, lenient rules first", () => {
  const many = Array.from({ length: 8000 }, (_, n) => `- { name: host-${n}.example.com }`);
  const { assets: inventory } = readAssets([
    { path: "a.yml", text: `assets:\n${many.join("\n")}` },
  ]);
  const file = (n: number, lenient: boolean) => ({
    path: `${n}.yml`,
    lenient,
    text: count("[{ assets: all, level: high }]")
      .replaceAll("beat", `beat${n}`)
      .replace("title: B", `title: B${n}`)
      .replace("title: C", `title: C${n}`),
  });
  const strict = Array.from({ length: 6 }, (_, n) => file(n + 1, false));
  const { set, problems, leftOut } = readRules([file(0, true), ...strict], { inventory });
  expect(problems).toEqual([]);
  expect(set?.correlations.length).toBe(6);
  expect(leftOut.map(({ at, problems: [first] }) => [at, first?.code])).toEqual([
    ["0.yml:6:1", "rule.assets"],
  ]);
  const one = readRules([...strict, file(7, false)], { inventory });
  expect(one.set).toBeUndefined();
  expect(one.problems.map(({ at, code }) => `${at} ${code}`)).toEqual(["7.yml:6:1 rule.assets"]);
  expect(one.problems[0]?.message).toContain("the most is 2000000");
});

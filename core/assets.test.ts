// assets.test.ts — what an inventory says, and what is said of a bad one.
import { expect, test } from "vitest";
import { chosen, readAssets } from "./assets.ts";

const FILE = `
assets:
  - { name: web1, tags: [web] }
  - { name: db1, aliases: [db1.example.com, 10.0.0.11], criticality: critical, tags: [database, backup] }
---
assets: [{ name: 10, criticality: high, tags: [backup] }]
`;
const read = (text: string) => readAssets([{ path: "a.yml", text }]);
const { assets, problems } = read(FILE);

test("assets of all documents by name; what is left out has its default, a number is a name", () => {
  expect(problems).toEqual([]);
  expect(assets).toEqual([
    { name: "10", aliases: [], criticality: "high", tags: ["backup"] },
    {
      ...{ name: "db1", aliases: ["db1.example.com", "10.0.0.11"] },
      ...{ criticality: "critical", tags: ["database", "backup"] },
    },
    { name: "web1", aliases: [], criticality: "medium", tags: ["web"] },
  ]);
});

test.for([
  { name: "all", choice: { tags: [], criticality: "low" }, want: ["10", "db1", "web1"] },
  { name: "a tag", choice: { tags: ["backup"], criticality: "low" }, want: ["10", "db1"] },
  { name: "two tags", choice: { tags: ["backup", "database"], criticality: "low" }, want: ["db1"] },
  { name: "from high on", choice: { tags: [], criticality: "high" }, want: ["10", "db1"] },
  { name: "both", choice: { tags: ["web"], criticality: "high" }, want: [] },
] as const)("chosen: $name", ({ choice, want }) => {
  expect(chosen(assets, choice).map(({ name }) => name)).toEqual(want);
});

test.for([
  {
    name: "the same name in one file",
    text: "assets: [{ name: db1 }, { name: DB1 }]",
    at: "a.yml:1:33",
    says: 'assets.1.name is "DB1", as assets.0 of a.yml is called already; name it once',
  },
  {
    name: "the same name in two documents",
    text: "assets: [{ name: db1 }]\n---\nassets:\n  - name: db2\n  - name: db1",
    at: "a.yml:5:11",
    says: 'assets.1.name is "db1", as assets.0 of a.yml is called already; name it once',
  },
  {
    name: "a word that is none",
    text: "assets:\n  - name: db1\n    criticality: urgent",
    at: "a.yml:3:18",
    says: "low, medium, high, critical",
  },
  {
    name: "a name that is too long",
    text: `assets: [{ name: ${"a".repeat(257)} }]`,
    at: "a.yml:1:18",
    says: "has 257 characters, allowed are 256 at most",
  },
  {
    name: "an alias that is too long",
    text: `assets: [{ name: db1, aliases: [${"a".repeat(257)}] }]`,
    at: "a.yml:1:33",
    says: "has 257 characters",
  },
  { name: "no name", text: "assets: [{ tags: [a] }]", at: "a.yml:1:10", says: "name" },
  { name: "a key that is none", text: "asset: []", at: "a.yml:1:1", says: "assets" },
  { name: "a list alone", text: "- name: db1", at: "a.yml:1:1", says: "the inventory" },
])("refused: $name", ({ text, at, says }) => {
  const [first] = read(text).problems;
  expect(first).toMatchObject({ code: "assets.refused", at });
  expect(first?.message).toContain(says);
});

test("an asset that stands in another file is told where it stands again", () => {
  const { problems } = readAssets([
    { path: "a.yml", text: "assets:\n  - name: db1\n  - name: db2" },
    { path: "b.yml", text: "assets:\n  - name: db3\n  - name: DB2" },
  ]);
  const message = 'assets.1.name is "DB2", as assets.1 of a.yml is called already; name it once';
  expect(problems).toEqual([{ code: "assets.refused", at: "b.yml:3:11", message }]);
});

test("a name may be as long as a value of a group that is awaited", () => {
  const name = "a".repeat(256);
  expect(read(`assets: [{ name: ${name} }]`)).toMatchObject({ assets: [{ name }], problems: [] });
});

test("a file without anything is none", () => {
  expect(read("")).toEqual({ assets: [], problems: [] });
});

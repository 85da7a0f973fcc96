// mapping.test.ts — rules read by mapping files: what they find, and what a bad file does to the set.
import { expect, test } from "vitest";
import { indexedMatcher } from "../match/indexed.ts";
import { plainMatcher } from "../match/plain.ts";
import { loadRules } from "./load.ts";
import type { RuleSet } from "./rule.ts";

const RULE = `title: A
id: 00000000-0000-4000-8000-000000000001
logsource: { product: acme }
detection: { selection: { Name: eve, host.name: h }, condition: selection }
level: low
`;
const MAPPING = "for: [{ product: acme }]\nfields: { Name: [user.name] }\n";

const load = (files: Readonly<Record<string, string>>, mappings: readonly string[]) =>
  loadRules(
    [{ path: "rules", lenient: false }],
    {
      list: async (path) => {
        const found = Object.keys(files).filter((file) => file.startsWith(`${path}/`));
        if (found.length === 0) throw new Error("no such folder");
        return found;
      },
      read: async (path) => Buffer.from(files[path] ?? ""),
    },
    { mappings },
  );
const told = async (files: Readonly<Record<string, string>>, mappings: readonly string[]) => {
  const { set, problems } = await load(files, mappings);
  return { loads: set !== undefined, problems: problems.map(({ at, code }) => `${at} ${code}`) };
};

test.for([
  { name: "good", files: { "m/a.yml": MAPPING }, loads: true, problems: [] },
  {
    name: "a fault",
    files: { "m/a.yml": `${MAPPING}form: [x]\n` },
    loads: false,
    problems: ["m/a.yml:3:1 mappings.refused"],
  },
  { name: "no such folder", files: {}, loads: false, problems: ["m:1:1 mappings.refused"] },
  {
    name: "what is no YAML file",
    files: { "m/a.yml": MAPPING, "m/README.md": "{" },
    loads: true,
    problems: [],
  },
])("a set with mappings: $name", async ({ files, loads, problems }) => {
  expect(await told({ "rules/a.yml": RULE, ...files }, ["m"])).toEqual({ loads, problems });
});

test("a rule is another version when the paths of its fields change, and only then", async () => {
  const versionOf = async (mapping: string, rule = RULE) => {
    const files = { "rules/a.yml": rule, "m/a.yml": mapping };
    const { set } = await load(files, ["m"]);
    return { rule: set?.detections[0]?.version, set: set?.version };
  };
  const first = await versionOf(MAPPING);
  expect(await versionOf(`${MAPPING}plain: [Other]\n`)).toEqual(first);
  const other = await versionOf(MAPPING.replace("user.name", "user.id"));
  expect(other.rule).not.toBe(first.rule);
  expect(other.set).not.toBe(first.set);
});

const HELD = `for: [{ product: acme }]
fields: { agent: ["args[ ]"] }
values: { status: { Success: [Succeeded, 0], "": ["-"], 443: [https], true: ["yes"] } }
`;
test.for([
  { name: "the value itself", asked: "status: success", status: "SUCCESS", finds: true },
  { name: "another, in any case", asked: "status: success", status: "succeeded", finds: true },
  { name: "a number", asked: "status: success", status: 0, finds: true },
  { name: "none of them", asked: "status: success", status: "Failed", finds: false },
  { name: "a number that is asked", asked: "status: 443", status: "https", finds: true },
  { name: "a boolean that is asked", asked: "status: true", status: "Yes", finds: true },
  { name: "the empty text", asked: "status: ''", status: "-", finds: true },
  { name: "one of a list", asked: "status: [x, success]", status: "Succeeded", finds: true },
  { name: "what it is not", asked: "status|neq: success", status: "Succeeded", finds: false },
  { name: "a part", asked: "status|contains: success", status: "Succeeded", finds: false },
  { name: "its case", asked: "status|cased: Success", status: "Succeeded", finds: false },
  { name: "another field", asked: "other: success", status: "Succeeded", finds: false },
  { name: "a list as one text", asked: "agent: a b", status: "", finds: true },
])("what events hold in the place of a value: $name", async ({ asked, status, finds }) => {
  const rule = RULE.replace("Name: eve, host.name: h", asked);
  const { set } = await load({ "rules/a.yml": rule, "m/a.yml": HELD }, ["m"]);
  const event = { status, other: status, args: ["a", "b"] };
  for (const make of [plainMatcher, indexedMatcher])
    expect(make(set as RuleSet).match(event, [{ product: "acme" }])).toHaveLength(finds ? 1 : 0);
});

// mapping.test.ts — rules read by mapping files: what they find, and what a bad file does to the set.
import { expect, test } from "vitest";
import { loadRules } from "./load.ts";

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

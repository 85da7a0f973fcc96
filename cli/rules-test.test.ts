import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { main } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-rules-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const rule = (about: string): string =>
  `title: T\n${about}level: low\nlogsource: { product: x }\ndetection: { s: { b: 1 }, condition: s }\n`;

let tests = 0;
const run = async (cases: readonly string[], about = "name: t\n") => {
  tests += 1;
  const path = join(folder, `${tests}.yml`);
  writeFileSync(path, rule(about));
  const text = `events: { wache: { sources: [{ product: x }] } }\ncases:\n${cases.join("")}`;
  writeFileSync(join(folder, `${tests}.test.yml`), text);
  const out: string[] = [];
  const err: string[] = [];
  const to = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const code = await main(["rules", "test", path], to);
  await main(["rules", "test", "--json", path], to);
  const told = err.map((line) => line.replace(`${folder}/${tests}.test.yml:`, ""));
  return { code, out: out[0], told, json: out.slice(1).map((line) => JSON.parse(line)) };
};
const caseOf = (name: string, findings: string): string =>
  `  - { name: ${name}, ${findings}, events: [{ event: { b: 1, host: { name: h } } }, { event: { b: 1, host: { name: i } } }] }\n`;
const WITH = (group: string) => `{ rule: t, count: 1, group: { host.name: ${group} } }`;
const WITHOUT = "{ rule: t, count: 1 }";

test.for([
  { name: "groups that are named", findings: `[${WITH("h")}, ${WITH("i")}]`, passes: true },
  { name: "one group that is wrong", findings: `[${WITH("h")}, ${WITH("j")}]`, passes: false },
  { name: "no group is named", findings: `[${WITHOUT}, ${WITHOUT}]`, passes: true },
  { name: "one group is named, last", findings: `[${WITHOUT}, ${WITH("h")}]`, passes: true },
  { name: "one finding too few", findings: `[${WITHOUT}]`, passes: false },
  { name: "one finding too many", findings: `[${WITHOUT}, ${WITHOUT}, ${WITHOUT}]`, passes: false },
])("rules test compares: $name", async ({ findings, passes }) => {
  const { code, out } = await run([caseOf("n", `findings: ${findings}`)]);
  expect([code, out]).toEqual(
    passes ? [0, "1 of 1 case in 1 file passed"] : [1, "0 of 1 case in 1 file passed"],
  );
});

test("a faulty case fails by itself, with its place; the others are run", async () => {
  const good = caseOf("good", `findings: [${WITHOUT}, ${WITHOUT}]`);
  const { code, out, told, json } = await run([caseOf("bad", "finding: []"), good]);
  expect([code, out]).toEqual([1, "1 of 2 cases in 1 file passed"]);
  expect(told[0]).toBe(
    "3:18: cases.0.finding is not a key here; did you mean findings? (rule-test.refused)",
  );
  expect(json.map(({ name, passed }) => [name, passed])).toEqual([
    ["bad", false],
    ["good", true],
  ]);
  expect(json[0].problems[0]).toEqual({
    ...{ code: "rule-test.refused", line: 3, column: 18 },
    file: join(folder, `${tests}.test.yml`),
    message: "cases.0.finding is not a key here; did you mean findings?",
  });
});

test("findings of a rule without a UUID are compared as all others", async () => {
  const found = await Promise.all(
    ["id: own\n", "name: t\n", ""].map((about) => run([caseOf("none", "findings: []")], about)),
  );
  expect(found.map(({ code }) => code)).toEqual([1, 1, 1]);
});

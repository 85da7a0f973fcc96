import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createStatus } from "../../core/status.ts";
import { listRules } from "./rule-files.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "wache-rules-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const rule = "title: B\nid: b\nlevel: high\ntags: [attack.t1110]\n";
const shown = { id: "b", title: "B", level: "high", tags: ["attack.t1110"] };

test.for([
  { name: "a rule", files: { "b.yml": rule }, want: [shown] },
  { name: "in a folder below", files: { "ssh/b.yaml": rule }, want: [shown] },
  {
    name: "two documents in one file, by title",
    files: { "b.yml": `${rule}---\ntitle: A\nname: a\n` },
    want: [{ id: "a", name: "a", title: "A", level: "informational", tags: [] }, shown],
  },
  { name: "its test is no rule", files: { "b.test.yml": rule }, want: [] },
  { name: "nor is another file", files: { "b.txt": rule }, want: [] },
  { name: "broken YAML is left out", files: { "x.yml": "a: [", "b.yml": rule }, want: [shown] },
  { name: "so is what has no title", files: { "x.yml": "id: x\n", "y.yml": "- 1\n" }, want: [] },
  { name: "nothing", files: {}, want: [] },
])("$name", async ({ files, want }) => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(dir, name, ".."), { recursive: true });
    writeFileSync(join(dir, name), String(text));
  }
  const rulesDirs = [
    { path: dir, lenient: false },
    { path: join(dir, "none"), lenient: false },
  ];
  expect(await listRules({ status: createStatus(), rulesDirs })).toEqual(want);
});

import { join } from "node:path";
import { expect, test } from "vitest";
import { runRuleTest } from "./rule-tests.ts";
import { ruleDisk } from "./sigma/disk.ts";
import { loadRules } from "./sigma/load.ts";

const ROOT = join(import.meta.dirname, "..");
const loadFrom = async (folder: string) => {
  const path = join(ROOT, folder);
  const loaded = await loadRules([{ path, lenient: false }], ruleDisk);
  const tests = (await ruleDisk.list(path)).filter((file) => file.endsWith(".test.yml")).sort();
  return { loaded, files: tests.map((file) => ({ file, set: loaded.set })) };
};
const { loaded, files } = await loadFrom("rules");
const examples = await loadFrom("docs/examples"); // as docs/rules.md shows them

test("the shipped rules load as a strict set", () => {
  expect(loaded.problems).toEqual([]);
  expect(loaded.set?.detections.length ?? 0).toBeGreaterThanOrEqual(12);
});

test.for([...files, ...examples.files])("rules: $file", async ({ file, set }) => {
  if (!set) throw new Error("the rules do not load");
  const results = await runRuleTest(file, set);
  for (const { name, wanted, found, passed } of results) {
    expect({ name, found }).toEqual({ name, found: passed ? found : wanted });
    expect(passed).toBe(true);
  }
  expect(results.some(({ wanted }) => wanted.length > 0)).toBe(true);
  expect(results.some(({ wanted }) => wanted.length === 0)).toBe(true);
});

import { join } from "node:path";
import { expect, test } from "vitest";
import { runRuleTest } from "./rule-tests.ts";
import { ruleDisk } from "./sigma/disk.ts";
import { loadRules } from "./sigma/load.ts";

const RULES = join(import.meta.dirname, "..", "rules");
const loaded = await loadRules([{ path: RULES, lenient: false }], ruleDisk);
const files = (await ruleDisk.list(RULES)).filter((path) => path.endsWith(".test.yml")).sort();

test("the shipped rules load as a strict set", () => {
  expect(loaded.problems).toEqual([]);
  expect(loaded.set?.detections.length ?? 0).toBeGreaterThanOrEqual(12);
});

test.for(files)("shipped rules: %s", async (file) => {
  if (!loaded.set) throw new Error("the rules do not load");
  const results = await runRuleTest(file, loaded.set);
  for (const { name, wanted, found, passed } of results) {
    expect({ name, found }).toEqual({ name, found: passed ? found : wanted });
    expect(passed).toBe(true);
  }
  expect(results.some(({ wanted }) => wanted.length > 0)).toBe(true);
  expect(results.some(({ wanted }) => wanted.length === 0)).toBe(true);
});

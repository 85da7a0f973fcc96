import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadApart } from "./load-apart.ts";
import { ruleDisk } from "./sigma/disk.ts";
import { loadRules } from "./sigma/load.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-apart-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ruleOf = (n: number, condition: string): string => `title: Rule ${n}
logsource: { product: linux }
detection:
  one: { user.name|expand: '%admins%' }
  many: { message|contains: [${Array.from({ length: 300 }, (_, i) => `w${n}x${i}`)}] }
  condition: ${condition}
level: low
`;

test("rules that a worker loads are those that this thread would load, in slices and out of order of files", async () => {
  for (let n = 0; n < 12; n += 1)
    writeFileSync(
      join(folder, `rule-${n}.yml`),
      ruleOf(n, n === 5 ? "unknown" : "one and many or not many"),
    );
  const placeholders = new Map([["admins", ["root", "adm_*"]]]);
  const folders = [{ path: folder, lenient: true }];
  const here = await loadRules(folders, ruleDisk, { placeholders });
  const apart = await loadApart(folders, { mappings: [], assets: [], placeholders });
  expect(apart).toEqual(here);
  expect(apart.set?.detections.length).toBe(11);
  expect(apart.leftOut.length).toBe(1);
  const condition = apart.set?.detections[0]?.condition;
  const or = condition?.kind === "or" ? condition.of : [];
  const and = or[0]?.kind === "and" ? or[0].of : [];
  expect(or[1]).toEqual({ kind: "not", of: and[1] });
  // The selection that the condition names twice is one object still.
  expect(or[1]?.kind === "not" && or[1].of === and[1]).toBe(true);
});

test("rules that do not load are refused with their problems", async () => {
  const path = join(folder, "rule-5.yml");
  const [problem] = (
    await loadApart([{ path, lenient: false }], {
      mappings: [],
      assets: [],
      placeholders: new Map(),
    })
  ).problems;
  expect(problem).toMatchObject({ code: "rule.placeholder-unknown", at: `${path}:4:28` });
});

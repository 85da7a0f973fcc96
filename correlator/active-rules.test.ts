import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../core/clock.ts";
import { createLog } from "../core/log.ts";
import { createMetrics } from "../core/metrics.ts";
import type { ServiceContext } from "../core/service.ts";
import { createStatus, readiness } from "../core/status.ts";
import { rulesInForce } from "./active-rules.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-rules-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ruleOf = (word: string): string => `title: Word
id: 00000000-0000-4000-8000-000000000001
logsource: { product: linux }
detection: { word: { message|contains: ${word} }, condition: word }
level: low
`;
const BROKEN = "title: Word\ndetection: {\n";

/** Looks at the folders when the test does. */
const lookedBy = (take: (look: () => void) => void) => ({
  ...systemClock,
  every: (_ms: number, look: () => void) => {
    take(look);
    return () => {};
  },
});

const WITHIN = { timeout: 15_000 }; // a worker is started for each look that sees a change

test("a broken set is refused and says so while the running one stays, until the files are good again", async () => {
  const file = join(folder, "word.yml");
  writeFileSync(file, ruleOf("first"));
  let look = (): void => {};
  const status = createStatus();
  const metrics = createMetrics({ version: "0" });
  const said: string[] = [];
  const rules = await rulesInForce({
    config: { correlator: { mappings: [], placeholders: {}, assets: [] } },
    rulesDirs: [{ path: folder, lenient: false }],
    clock: lookedBy((run) => {
      look = run;
    }),
    log: createLog({ level: "info", write: (line) => said.push(JSON.parse(line).msg) }),
    status,
    metrics,
  } as unknown as ServiceContext);
  const seen = async (): Promise<unknown[]> => {
    look();
    const refused = await metrics.getSingleMetric("wache_rules_refused")?.get();
    const { ok, text } = status.all().rules ?? {};
    expect(readiness(status).ready).toBe(true);
    return [ok, text?.split(":")[0], refused?.values.map(({ value }) => value), at(rules)];
  };
  expect(status.all().assets).toBeUndefined();
  const good = "1 detections and 0 correlations in force";
  const first = at(rules);
  expect(await seen()).toEqual([true, good, [0], first]);

  writeFileSync(file, BROKEN);
  const refused = "changed rules refused, the set before stays";
  await expect.poll(seen, WITHIN).toEqual([false, refused, [1], first]);

  writeFileSync(file, ruleOf("first"));
  await expect.poll(seen, WITHIN).toEqual([true, good, [0], first]);

  writeFileSync(file, ruleOf("second"));
  await expect.poll(async () => (await seen()).at(-1), WITHIN).not.toBe(first);

  unlinkSync(file);
  const empty = "0 detections and 0 correlations in force, so nothing is detected";
  await expect.poll(async () => (await seen()).slice(0, 3), WITHIN).toEqual([false, empty, [0]]);
  expect(said).toEqual([
    "the changed rules are refused; the running set stays",
    "the rules load again, and are those that are in force",
    "rules reloaded",
    "rules reloaded",
    "no rule is in force, so nothing is detected: look into the rule folders",
  ]);
  rules.stop();
});

test("a threshold that a bound is too low for is said at a start, with the rule's place", async () => {
  const rules = mkdtempSync(join(folder, "high-"));
  const many = `${ruleOf("first")}---\ntitle: Many\nid: many\nlevel: low\ncorrelation: { type: event_count, rules: [00000000-0000-4000-8000-000000000001], timespan: 60s, condition: { gte: 20 } }\n`;
  writeFileSync(join(rules, "many.yml"), many);
  const said: string[] = [];
  const started = await rulesInForce({
    config: {
      correlator: { mappings: [], placeholders: {}, assets: [], matchesMax: 10, valuesMax: 1000 },
    },
    rulesDirs: [{ path: rules, lenient: false }],
    clock: lookedBy(() => {}),
    log: createLog({ level: "info", write: (line) => said.push(JSON.parse(line).msg) }),
    status: createStatus(),
    metrics: createMetrics({ version: "0" }),
  } as unknown as ServiceContext);
  started.stop();
  expect(said).toEqual([
    expect.stringMatching(/many\.yml:7:1: .* raise correlator\.matchesMax to 27/),
  ]);
});

test("a changed file of assets is as good as a changed rule", async () => {
  const inventory = mkdtempSync(join(folder, "assets-"));
  const rules = mkdtempSync(join(folder, "about-"));
  const write = (name: string) =>
    writeFileSync(join(inventory, "all.yml"), `assets: [{ name: ${name}, tags: [db] }]\n`);
  write("db1");
  const about = `${ruleOf("first")}---\ntitle: About\nid: about\nlevel: low\ncorrelation: { type: event_count, rules: [00000000-0000-4000-8000-000000000001], group-by: [h], timespan: 60s, condition: { gte: 2 }, escalate: [{ assets: { tags: [db] }, level: high }] }\n`;
  writeFileSync(join(rules, "about.yml"), about);
  let look = (): void => {};
  const status = createStatus();
  const inForce = await rulesInForce({
    config: {
      correlator: {
        ...{ mappings: [], placeholders: {}, assets: [inventory] },
        ...{ matchesMax: 10, valuesMax: 1000 },
      },
    },
    rulesDirs: [{ path: rules, lenient: false }],
    clock: lookedBy((run) => {
      look = run;
    }),
    log: createLog({ level: "info", write: () => {} }),
    status,
    metrics: createMetrics({ version: "0" }),
  } as unknown as ServiceContext);
  const levels = () => {
    look();
    return inForce.current().set.correlations[0]?.assetLevels;
  };
  expect(levels()).toEqual([["db1", "high"]]);
  const known = (count: number) => ({ ok: true, text: `${count} known`, data: { count } });
  expect(status.all().assets).toEqual(known(1));
  write("db2-new");
  await expect.poll(levels, WITHIN).toEqual([["db2-new", "high"]]);
  writeFileSync(join(inventory, "more.yml"), "assets: [{ name: web1 }, { name: web2 }]\n");
  await expect.poll(() => levels() && status.all().assets, WITHIN).toEqual(known(3));
  rmSync(join(inventory, "more.yml"));

  // One wrong word in what a program writes is a fault of each asset: the status tells the first.
  const faulty = Array.from({ length: 100 }, (_, n) => `- { nam: db${n} }\n`);
  writeFileSync(join(inventory, "all.yml"), `assets:\n${faulty.join("")}`);
  const told = () => {
    look();
    const data = status.all().rules?.data as { problems: readonly { code: string }[] } | undefined;
    return data?.problems.map(({ code }) => code);
  };
  await expect.poll(told, WITHIN).toEqual(new Array(20).fill("assets.refused"));
  inForce.stop();
});

test("files of assets that list none are told of", async () => {
  const rules = mkdtempSync(join(folder, "alone-"));
  const inventory = mkdtempSync(join(folder, "none-"));
  writeFileSync(join(rules, "word.yml"), ruleOf("first"));
  const status = createStatus();
  const inForce = await rulesInForce({
    config: { correlator: { mappings: [], placeholders: {}, assets: [inventory] } },
    rulesDirs: [{ path: rules, lenient: false }],
    clock: lookedBy(() => {}),
    log: createLog({ level: "info", write: () => {} }),
    status,
    metrics: createMetrics({ version: "0" }),
  } as unknown as ServiceContext);
  inForce.stop();
  const text = "0 known, as the files of correlator.assets list none";
  expect(status.all().assets).toEqual({ ok: true, text, data: { count: 0 } });
});

const at = (rules: { readonly current: () => { readonly set: { readonly version: string } } }) =>
  rules.current().set.version;

// The simulator's seeds, that a seed is one run, and that the simulator sees what it must see: bugs planted in a copy.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { applied, type Edit, MUTATIONS } from "../faults/mutation-table.ts";
import { runSeed } from "./run.ts";
import { Summary } from "./summary.ts";

const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 100);
const NEW_SEED = Date.now() % 1_000_000_000; // one that nobody has run; a failure says which
const ROOT = resolve(import.meta.dirname, "..", "..");
const MINUTE_MS = 60_000;

test(`${SEEDS} seeds and a new one: nothing lost, nothing doubled, all as brute force says`, {
  timeout: 30 * MINUTE_MS,
}, async () => {
  const summary = new Summary();
  for (let seed = 1; seed <= SEEDS; seed++) summary.add(await runSeed(seed));
  summary.add(await runSeed(NEW_SEED));
  console.log(summary.table());
  expect(summary.failures.join("\n")).toBe("");
});

test.for([
  { says: "a collector that nobody knew is stopped while the bus comes back", seed: 7_012_488 },
  { says: "the log is cut while a worker that fell behind reads it again", seed: 9_070_055 },
  { says: "a number that an event has twice is carried through a chain", seed: 23_333 },
  { says: "a worker snapshots further on after its successor has loaded", seed: 5_009_140 },
  { says: "what superseded another gave way and came again", seed: 301_177 },
  { says: "one came before the rule was in force everywhere, and none after", seed: 586_185_529 },
  { says: "rules above an absence are taken away and come again, the absence stays", seed: 6448 },
  { says: "what was superseded gave way, came again and superseded another", seed: 7022 },
])("a seed that failed once: $says", async ({ seed }) => {
  const summary = new Summary();
  summary.add(await runSeed(seed));
  expect(summary.failures).toEqual([]);
});

test("a seed is one run: the same trace again, another for another seed", async () => {
  const traces: string[] = [];
  for (const seed of [3, 14, 15, 92, 3, 14, 15, 92]) traces.push((await runSeed(seed)).trace);
  expect(traces.slice(0, 4)).toEqual(traces.slice(4));
  expect(new Set(traces).size).toBe(4);
});

type Planted = {
  readonly says: string;
  readonly edits: readonly Edit[];
  readonly from?: number; // a little before the first seed that sees it, so that the test is quick
};
const PLANTED: readonly Planted[] = [
  ...MUTATIONS.filter(({ edits }) => edits.length > 0),
  {
    says: "gte as gt",
    edits: [
      {
        file: "correlator/windows/condition.ts",
        from: "gte: (compared) => compared >= 0,",
        to: "gte: (compared) => compared > 0,",
      },
    ],
  },
  {
    says: "a group at rest takes windows apart from each other for one",
    edits: [
      {
        file: "correlator/windows/shelf.ts",
        from: "firstMs <= this.#time(episode, LAST)",
        to: "firstMs <= Number.POSITIVE_INFINITY",
      },
    ],
  },
  {
    says: "an episode that grew at rest is not told",
    edits: [
      {
        file: "correlator/windows/shelf.ts",
        from: "if ((flags & IS_DIRTY) === 0) this.news = this.#episodeAt(episode);",
        to: "",
      },
    ],
  },
  {
    says: "an event at the very edge of the lateness is overdue",
    edits: [
      {
        file: "correlator/windows/rule-windows.ts",
        from: "if (member.timeMs < this.watermarkMs)",
        to: "if (member.timeMs <= this.watermarkMs)",
      },
    ],
  },
  {
    says: "state that is ahead of what was published is kept",
    edits: [
      {
        file: "core/runner.ts",
        from: "this.#drop(partition); // its state is ahead of what was published",
        to: "",
      },
    ],
  },
  {
    says: "a batch that the store refused counts as kept",
    edits: [
      {
        file: "core/store/keep.ts",
        from: "await clock.sleep(wait, signal).catch(() => {});",
        to: "return true;",
      },
    ],
  },
  {
    says: "streams that ended are not restored",
    from: 560,
    edits: [
      {
        file: "correlator/windows/snapshot-parts.ts",
        from: "for (const name of part.ended) processor.ended.add(name);",
        to: "",
      },
    ],
  },
  {
    says: "an episode that joins a second other one forgets that it replaced the first",
    from: 75,
    edits: [
      {
        file: "correlator/windows/episodes.ts",
        from: "if (ids.length > 0) first.replaces = [...first.replaces, ...ids];",
        to: "if (ids.length > 0) first.replaces = ids;",
      },
    ],
  },
  {
    says: "an episode that ends with the suppression is told",
    from: 285,
    edits: [
      {
        file: "correlator/windows/suppression.ts",
        from: "entry.finding.lastMs <= head.finding.lastMs + suppressMs",
        to: "entry.finding.lastMs < head.finding.lastMs + suppressMs",
      },
    ],
  },
  {
    says: "one that comes when it is due is missed",
    edits: [
      {
        file: "correlator/windows/absence.ts",
        from: "dueMs > forgetMs : dueMs >= cameMs",
        to: "dueMs > forgetMs : dueMs > cameMs",
      },
    ],
  },
  {
    says: "of a time of day that comes twice the second is the deadline",
    from: 240,
    edits: [
      {
        file: "correlator/windows/deadline.ts",
        from: ".sort((a, b) => a - b)",
        to: ".sort((a, b) => b - a)",
      },
    ],
  },
  {
    says: "an absence that a reload changed goes on where it was when it is in force again",
    from: 300_270,
    edits: [
      {
        file: "correlator/windows/processor.ts",
        from: "if (stays && this.inForce.isAnywhere(version)) continue;",
        to: "continue;",
      },
    ],
  },
  {
    says: "an absence goes on where it was when some had another and took it back",
    from: 300,
    edits: [
      {
        file: "correlator/windows/processor.ts",
        from: "if (stays && this.inForce.isAnywhere(version)) continue;",
        to: "if (this.inForce.isAnywhere(version)) continue;",
      },
    ],
  },
  {
    says: "what did not come feeds others with when it was missed last",
    edits: [
      {
        file: "correlator/windows/absence-windows.ts",
        from: "timeMs: absence.dueMs,",
        to: "timeMs: absence.lastMs,",
      },
    ],
  },
  {
    says: "what did not come has no fields for the rules two above it",
    from: 1700,
    edits: [
      {
        file: "correlator/windows/points.ts",
        from: 'rule.type === "absence" ? known : ofEvent',
        to: "ofEvent",
      },
    ],
  },
  {
    says: "a group must name an asset in the letters in which it is written",
    from: 500,
    edits: [
      {
        file: "correlator/windows/severity.ts",
        from: ".get(lowered(value))",
        to: ".get(value)",
      },
    ],
  },
  {
    says: "an alias of an asset makes nothing graver",
    edits: [
      {
        file: "correlator/sigma/telling.ts",
        from: "[name, ...aliases]).map(lowered)",
        to: "[name]).map(lowered)",
      },
    ],
  },
  {
    says: "a rule for which others are awaited goes on as the same rule",
    from: 100,
    edits: [
      {
        file: "correlator/sigma/additions.ts",
        from: "[{ absence, suppressMs, escalate }] : [];",
        to: "[{ absence: absence && { ...absence, expected: [] }, suppressMs, escalate }] : [];",
      },
    ],
  },
  {
    says: "findings that may lack events of groups that gave way do not say so",
    edits: [
      {
        file: "correlator/windows/findings.ts",
        from: "bounded || lacking || sinceMs <= lost.untilMs",
        to: "bounded || lacking || sinceMs < lost.untilMs - lost.untilMs",
      },
    ],
  },
  {
    says: "groups give way and nobody is told",
    edits: [
      {
        file: "correlator/windows/rule-windows.ts",
        from: "this.#counts.evicted += 1;",
        to: "",
      },
    ],
  },
  {
    says: "what was told before a bound was reached stands",
    edits: [
      {
        file: "correlator/windows/group.ts",
        from: "if (episode.lastMs >= reachedMs) episode.isDirty = true;",
        to: ";",
      },
    ],
  },
];

test.concurrent.for(PLANTED)(
  "the simulator sees a planted bug: $says",
  async (planted, context) => {
    const { edits, from = 1 } = planted;
    const { onTestFinished, expect } = context;
    const copy = mkdtempSync(join(tmpdir(), "wache-planted-"));
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    for (const part of ["alerting", "collectors", "core", "correlator", "test", "package.json"])
      cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    for (const edit of edits) {
      const path = join(copy, edit.file);
      writeFileSync(path, applied(edit, readFileSync(path, "utf8")));
    }
    const main = join(copy, "test", "simulation", "simulate.main.ts");
    const args = [main, "--seeds", "400", "--from", String(from), "--first"];
    const { status, said } = await ended(args, { cwd: copy, onTestFinished });
    const [, seed] =
      /^seed (\d+) failed; repeat it with: npm run simulate -- --seeds 1 --from \1$/m.exec(said) ??
      [];
    expect([status, seed], said).toEqual([1, expect.stringMatching(/^\d+$/)]);
    console.log(`seen with seed ${seed}`);
  },
);

async function ended(
  args: readonly string[],
  { cwd, onTestFinished }: { readonly cwd: string } & Pick<TestContext, "onTestFinished">,
) {
  const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill());
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => {
      said += String(text);
    });
  const status = await new Promise((done) => child.once("close", done));
  return { status, said };
}

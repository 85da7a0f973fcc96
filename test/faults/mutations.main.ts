// mutations.main.ts — shows that the kill tests hold: each thing that they rest on is taken out of a copy, and they must turn red.
//
// Run by hand: npm run mutations [-- NAME…], the names of mutations, of tests, or both. It says a line for each mutation, and exits with 1 when one stayed green
// or the tree as it is turned red.
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { applied, MUTATIONS, type Mutation } from "./mutation-table.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
const LEFT_OUT = ["node_modules", ".git", ".cache", "wache-data", "dist"];
const LINKED = ["node_modules", ".cache"];
const SHOWN_LINES_MAX = 12;

const TESTS = [
  { where: "embedded", file: "test/whole-way.test.ts", pattern: "embedded killed" },
  {
    where: "Kafka",
    file: "test/whole-way.test.ts",
    pattern: "Kafka and OpenSearch two of each stage",
  },
  { where: "trust", file: "test/trust.test.ts", pattern: "killed while it is sent" },
];

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const wanted = process.argv.slice(2);
const chosen = chosenOf(MUTATIONS, ({ name }) => name);
const tests = chosenOf(TESTS, ({ where }) => where);
const known = [...MUTATIONS.map(({ name }) => name), ...TESTS.map(({ where }) => where)];
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0)
  throw new Error(`there is no ${unknown.join(", ")}; there are ${known.join(", ")}`);
let asWanted = true;
for (const mutation of chosen) {
  const copy = mutated(mutation);
  try {
    for (const { where, ...test } of tests) {
      const { verdict, seconds, why } = await verdictOf(copy, test);
      const isAsWanted =
        verdict === "skipped" || (verdict === "green") === (mutation.name === "none");
      asWanted &&= isAsWanted;
      say(
        `${verdict.padEnd(7)} ${String(seconds).padStart(4)} s  ${where}, ${mutation.says}${isAsWanted ? "" : "  <-- NOT AS IT MUST BE"}`,
      );
      for (const line of why) say(`               ${line}`);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
process.exitCode = asWanted ? 0 : 1;

/** Those that are named; all where none of them is. */
function chosenOf<T>(all: readonly T[], nameOf: (one: T) => string): readonly T[] {
  const named = all.filter((one) => wanted.includes(nameOf(one)));
  return named.length === 0 ? all : named;
}

/** A copy of the tree with the mutation in it; fails where the code has moved. */
function mutated({ name, edits }: Mutation): string {
  const copy = mkdtempSync(join(tmpdir(), `wache-mutation-${name}-`));
  cpSync(ROOT, copy, {
    recursive: true,
    filter: (path) => !LEFT_OUT.includes(relative(ROOT, path).split(sep)[0] ?? ""),
  });
  for (const folder of LINKED) symlinkSync(join(ROOT, folder), join(copy, folder));
  try {
    for (const edit of edits) {
      const path = join(copy, edit.file);
      writeFileSync(path, applied(edit, readFileSync(path, "utf8")));
    }
  } catch (error) {
    rmSync(copy, { recursive: true, force: true });
    throw error;
  }
  return copy;
}

type Verdict = {
  readonly verdict: "green" | "red" | "skipped" | "broken";
  readonly seconds: number;
  readonly why: readonly string[];
};

async function verdictOf(
  copy: string,
  { file, pattern }: { readonly file: string; readonly pattern: string },
): Promise<Verdict> {
  const begunMs = Date.now();
  const report = join(copy, "report.json");
  const args = ["run", file, "--project", "house", "-t", pattern];
  const child = spawn(
    process.execPath,
    [
      join(copy, "node_modules", "vitest", "vitest.mjs"),
      ...args,
      "--reporter=json",
      `--outputFile=${report}`,
    ],
    { cwd: copy, stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      said += String(chunk);
    });
  await new Promise((done) => child.once("close", done));
  const seconds = Math.round((Date.now() - begunMs) / 1000);
  const files = filesIn(report);
  const results = files
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "passed" || status === "failed");
  const [failed] = results.filter(({ status }) => status === "failed");
  if (failed) {
    const words = failed.failureMessages.join("\n").split("\n");
    return { verdict: "red", seconds, why: words.slice(0, SHOWN_LINES_MAX) };
  }
  if (results.length > 0) return { verdict: "green", seconds, why: [] };
  const isSkipped = textOf(report).includes("needs both");
  return {
    verdict: isSkipped ? "skipped" : "broken",
    seconds,
    why: [...files.map(({ message }) => message), said]
      .join("\n")
      .split("\n")
      .slice(-SHOWN_LINES_MAX),
  };
}

type TestFile = {
  readonly message: string; // of what failed before its tests ran
  readonly assertionResults: readonly {
    readonly status: string;
    readonly failureMessages: readonly string[];
  }[];
};

function filesIn(report: string): readonly TestFile[] {
  try {
    return (JSON.parse(textOf(report)) as { readonly testResults: readonly TestFile[] })
      .testResults;
  } catch {
    return [];
  }
}

function textOf(report: string): string {
  return existsSync(report) ? readFileSync(report, "utf8") : "";
}

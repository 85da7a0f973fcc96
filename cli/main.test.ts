import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { packageRoot, packageVersion } from "../core/package-root.ts";
import { main } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "bad.yaml"), "aip: {}\n");
const SHIPPED_RULE = join(packageRoot(), "rules/web/sql-injection.yml");

const run = async (...args: string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(args, { out: (line) => out.push(line), err: (line) => err.push(line) });
  return { code, out: out.join("\n"), err: err.join("\n") };
};

test.for([
  { args: ["verson"], code: 2, err: "wache verson: there is no such verb; did you mean version?" },
  { args: ["rules", "tets"], code: 2, err: "did you mean rules test?" },
  { args: ["version", "--jsn"], code: 2, err: "--jsn is not an option; did you mean --json?" },
  {
    args: ["eval", "--lenient", "x"],
    code: 2,
    err: "wache eval: --lenient is not an option; leave it out: bad rules are always left out here, and said",
  },
  {
    args: ["rules", "import", "--lenient", "x"],
    code: 2,
    err: "wache rules import: --lenient is not an option; leave it out: bad rules are always left out here, and said",
  },
  { args: ["version", "--lenient"], code: 2, err: "--lenient is not an option; known are --" },
  { args: ["version", "--json=1"], code: 2, err: "--json takes no value" },
  { args: ["send", "--to"], code: 2, err: "--to needs a value: --to URL" },
  {
    args: ["events", "search", "x", "--limit", "-1"],
    code: 2,
    err: "--limit needs a value: --limit N; -1 looks like an option, write --limit=-1 if it is the value",
  },
  { args: ["send", "--to", "--json", "x"], code: 2, err: "--json looks like an option" },
  { args: ["events", "search", "--limit=-1"], code: 2, err: '--limit is "-1", allowed is' },
  { args: ["events", "search", "--limit="], code: 2, err: '--limit is "", allowed is' },
  { args: ["events", "search", "--from=-1d"], code: 2, err: '--from is "-1d", which is no time' },
  {
    args: ["events", "search", "--to=2026-02-30"],
    code: 2,
    err: '--to is "2026-02-30", which is no time',
  },
  {
    args: ["run", "--port=-1"],
    code: 2,
    err: '--port is "-1", allowed is a number from 0 to 65535',
  },
  { args: ["send"], code: 2, err: "usage: wache send [options] FILE…" },
  { args: ["version", "more"], code: 2, err: "usage: wache version" },
  {
    args: ["run", "--port", "70000"],
    code: 2,
    err: '--port is "70000", allowed is a number from 0 to 65535',
  },
  {
    args: ["run", "--config", join(folder, "bad.yaml")],
    code: 2,
    err: "bad.yaml:1:1: aip is not a key here; did you mean api?",
  },
  {
    args: ["run", "--data", join(folder, "bad.yaml")],
    code: 1,
    err: "bad.yaml can't be made: a file is in its place; move it away; or choose a folder",
  },
  { args: ["detect", "--data", join(folder, "d")], code: 2, err: "wache detect alone needs Kafka" },
  {
    args: ["send", "--data", join(folder, "none"), join(folder, "bad.yaml")],
    code: 4,
    err: "no Wache has run with the data folder",
  },
  {
    args: ["rules", "validate", join(folder, "none")],
    code: 1,
    err: "the folder cannot be read: there is no such file or folder; check the path",
  },
  {
    args: ["rules", "explain", join(folder, "none")],
    code: 1,
    err: "the folder cannot be read: there is no such file or folder; check the path",
  },
])("wache $args ends with $code and says why", async ({ args, code, err }) => {
  const ended = await run(...args);
  expect(ended.err).toContain(err);
  expect({ code: ended.code, out: ended.out }).toEqual({ code, out: "" });
});

test.for([
  { args: ["--help"], code: 0, out: "usage: wache VERB [options]" },
  { args: [], code: 2, out: "usage: wache VERB [options]" },
  { args: ["help", "send"], code: 0, out: "usage: wache send [options] FILE…" },
  { args: ["rules", "list", "--help"], code: 0, out: "usage: wache rules list" },
  { args: ["rules", "explain", SHIPPED_RULE], code: 0, out: "looks at   category webserver" },
  { args: ["rules", "explain", "--json", SHIPPED_RULE], code: 0, out: '"unknown":["event.action"' },
  { args: ["rules", "--help"], code: 0, out: "rules validate" },
  { args: ["--version"], code: 0, out: `wache ${packageVersion()} (node ` },
  { args: ["version", "--json"], code: 0, out: `{"version":"${packageVersion()}"` },
])("wache $args helps", async ({ args, code, out }) => {
  const ended = await run(...args);
  expect(ended.out).toContain(out);
  expect({ code: ended.code, err: ended.err }).toEqual({ code, err: "" });
});

test("the command itself starts, under whatever Node is asked", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(packageRoot(), "cli/wache.mjs"),
    "version",
  ]);
  expect(stdout).toBe(`wache ${packageVersion()} (node ${process.versions.node})\n`);
});

test("what is printed into a pipe comes whole, however slow its reader", async () => {
  const rules = join(folder, "rules");
  mkdirSync(rules);
  for (let number = 0; number < 600; number++)
    writeFileSync(join(rules, `${number}.yml`), ruleOf(number));
  const child = spawn(
    process.execPath,
    [join(packageRoot(), "cli/wache.mjs"), "rules", "list", "--json", rules],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines: string[] = [];
  let rest = "";
  // The reader begins only once the pipe is full, or the command at its end.
  await once(child.stdout, "readable");
  for await (const chunk of child.stdout) {
    rest += String(chunk);
    const whole = rest.split("\n");
    rest = whole.pop() ?? "";
    lines.push(...whole);
    await new Promise(setImmediate);
  }
  expect([lines.length, rest]).toEqual([600, ""]);
});

const ruleOf = (number: number): string => `title: Rule ${number}
id: 00000000-0000-4000-8000-${String(number).padStart(12, "0")}
description: ${"x".repeat(500)}
logsource: { product: linux }
detection:
  word: { message: word${number} }
  condition: word
level: low
`;

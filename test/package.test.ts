import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot, packageVersion } from "../core/package-root.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "wache-package-"));
const home = join(folder, "elsewhere");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Packs a copy of what git has, so that nothing of this checkout is touched, and installs it where no source is. */
beforeAll(async () => {
  const copy = join(folder, "copy");
  const root = packageRoot();
  const { stdout } = await run(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    {
      cwd: root,
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  for (const path of stdout.split("\0").filter((one) => one !== "")) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(root, path), join(copy, path), { force: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  await run("npm", ["pack", "--pack-destination", folder], {
    cwd: copy,
    maxBuffer: 64 * 1024 * 1024,
  });
  const [packed = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  mkdirSync(home);
  writeFileSync(join(home, "package.json"), '{ "private": true }\n');
  await run(
    "npm",
    ["install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, packed)],
    {
      cwd: home,
    },
  );
});

test("npx wache runs the compiled package on its own Node", async () => {
  const { stdout } = await run("npx", ["wache", "version", "--json"], { cwd: home });
  const about = JSON.parse(stdout) as { version: string; node: string };
  expect(about.version).toBe(packageVersion());
  expect(Number(about.node.split(".")[0])).toBeGreaterThanOrEqual(24);
});

test("the installed package carries no source and no test", () => {
  const names = readdirSync(join(home, "node_modules", "wache"), { recursive: true }).map(String);
  expect(names.filter((name) => /\.tsx?$|\.test\.js$/.test(name))).toEqual([]);
  expect(names).toEqual(
    expect.arrayContaining(["dist/cli/main.js", "cli/demo/auth.log", "LICENSE"]),
  );
});

test("it starts, serves the page, shows the shipped rules, and stops", async () => {
  const wache = spawn(
    process.execPath,
    [
      join(home, "node_modules/wache/cli/wache.mjs"),
      "run",
      "--port",
      "0",
      "--data",
      join(folder, "data"),
      "--json",
    ],
    { cwd: home, stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(wache, "exit");
  const lines = createInterface({ input: wache.stdout });
  const [line] = (await Promise.race([once(lines, "line"), exited])) as [unknown];
  expect(line, "it ended before it was ready").toBeTypeOf("string");
  const ready = JSON.parse(String(line)) as { address: string };
  const page = await fetch(ready.address);
  expect(page.headers.get("content-type")).toMatch(/^text\/html/);
  expect(page.status).toBe(200);
  wache.kill("SIGTERM");
  expect((await exited)[0]).toBe(0);
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, expect, test } from "vitest";
import { packageRoot } from "../core/package-root.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

// A Ctrl-C reaches each process of the terminal, and npm and wache.mjs pass on what they get.
test("a signal that comes twice at once is one: the stop stays graceful", async () => {
  const config = join(folder, "wache.yaml");
  writeFileSync(config, "log: { level: info }\n");
  const child = spawn(
    process.execPath,
    [
      join(packageRoot(), "cli/wache.mjs"),
      ...["run", "--config", config, "--data", join(folder, "data"), "--port", "0", "--json"],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const ended = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout }))
    if (line.includes('"ready":true')) break;
  child.kill("SIGINT");
  for await (const line of createInterface({ input: child.stderr }))
    if (line.includes("SIGINT: stopping")) break;
  child.kill("SIGINT");
  expect(await ended).toEqual([0, null]);
});

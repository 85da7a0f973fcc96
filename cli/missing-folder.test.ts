import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { main } from "./main.ts";

async function run(...args: string[]) {
  const above = mkdtempSync(join(tmpdir(), "wache-missing-"));
  onTestFinished(() => rmSync(above, { recursive: true }));
  const data = join(above, "data");
  const err: string[] = [];
  const to = { out: () => undefined, err: (line: string) => err.push(line) };
  return { data, code: await main([...args, "--data", data], to), err: err.join("\n") };
}

const SPAN = ["--from", "2026-11-23", "--to", "2026-11-24"];

test.for([
  ["events", "search", "outcome:failure"],
  ["dead-letter", "list"],
  ["rules", "backtest", ...SPAN],
  ["backfill", ...SPAN],
  ["token", "list"],
  ["token", "revoke", "0123456789abcdef"],
])(
  "%s: a data folder that is not there is not made, and not taken for an empty one",
  async (args) => {
    const { data, code, err } = await run(...args);
    expect(code).toBe(1);
    expect(err).toContain(`there is no data folder ${data}`);
    expect(existsSync(data)).toBe(false);
  },
);

test("a token may be made before the first start", async () => {
  const { data, code } = await run("token", "create", "grafana");
  expect(code).toBe(0);
  expect(existsSync(data)).toBe(true);
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { main } from "../main.ts";

function wache() {
  const dir = mkdtempSync(join(tmpdir(), "wache-token-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return async (verb: string, ...args: string[]) => {
    const out: string[] = [];
    const err: string[] = [];
    const to = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
    return { code: await main(["token", verb, "--data", dir, ...args], to), out, err };
  };
}

test("a token holds as long as it was made for, and the list says so", async () => {
  const run = wache();
  expect(await run("create", "--role", "reader", "--expires", "7d", "week")).toMatchObject({
    code: 0,
    out: [expect.stringMatching(/^wache_/)],
  });
  await run("create", "ever");
  await run("create", "--role", "analyst", "--expires", "1ms", "gone");
  const listed = await run("list", "--json");
  const tokens = listed.out.map((line) => JSON.parse(line));
  const spans = tokens.map(({ name, role, createdMs, expiresMs }) => [
    ...[name, role, expiresMs === undefined ? "" : expiresMs - createdMs],
  ]);
  expect(spans.sort()).toEqual([
    ["ever", "reader", ""],
    ["gone", "analyst", 1],
    ["week", "reader", 7 * 86_400_000],
  ]);
  const { out } = await run("list");
  const ends = out.slice(1).map((line) => line.replace(/^\S+ +(\S+) .*?Z */, "$1 ").trimEnd());
  expect(ends.sort()).toEqual([
    "ever",
    expect.stringMatching(/^gone expired \S+Z$/),
    expect.stringMatching(/^week expires \S+Z$/),
  ]);
});

test.for(["soon", "0d", "36501d", "-1d", ""])('--expires="%s" is refused', async (span) => {
  const { code, err } = await wache()("create", `--expires=${span}`, "x");
  const text = `wache: --expires is "${span}", allowed is a span up to 36500d; write 12h, 90d`;
  expect({ code, err }).toEqual({ code: 2, err: [text] });
});

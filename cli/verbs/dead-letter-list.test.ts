import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openEmbeddedBus } from "../../core/bus/embedded.ts";
import { systemClock } from "../../core/clock.ts";
import { loadConfig } from "../../core/config.ts";
import { takeLock } from "../../core/lock.ts";
import { type DeadLetter, TOPIC } from "../../core/records.ts";
import { topicSpecs } from "../../core/topics.ts";
import { main } from "../main.ts";

const letter = (id: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  ...{ kind: "dead-letter", id, source: "s", reason: "why", code: "parse.failed" },
  ...{ atMs: Date.UTC(2026, 10, 23, 4), raw: `raw of ${id}`, encoding: "utf8" },
  ...more,
});
const LETTERS = [
  letter("a", { atMs: Date.UTC(2026, 10, 22), reason: "an escape \u001b[2J", source: "\u0007" }),
  letter("b", { code: "json.too-deep", raw: "first\n\u001b[31msecond" }),
  letter("c"),
];

/** A folder with these letters, in which nothing runs. */
async function folder(letters: readonly DeadLetter[] = LETTERS) {
  const dir = mkdtempSync(join(tmpdir(), "wache-letters-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const bus = openEmbeddedBus({ dir, clock: systemClock });
  await bus.ensureTopics(topicSpecs(loadConfig({ cwd: dir, env: {} })));
  await bus.produce(letters.map((value) => ({ topic: TOPIC.deadLetter, key: value.id, value })));
  await bus.close();
  const list = async (...args: string[]) => {
    const out: string[] = [];
    const err: string[] = [];
    const to = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
    return { code: await main(["dead-letter", "list", "--data", dir, ...args], to), out, err };
  };
  return { dir, list };
}

test("a table, newest first, without the control characters of what was logged", async () => {
  const { list } = await folder();
  expect(await list()).toEqual({
    code: 0,
    out: [
      "TIME                      CODE           SOURCE  REASON             ID",
      "2026-11-23T04:00:00.000Z  json.too-deep  s       why                b",
      "2026-11-23T04:00:00.000Z  parse.failed   s       why                c",
      "2026-11-22T00:00:00.000Z  parse.failed   \\x07    an escape \\x1b[2J  a",
    ],
    err: [],
  });
});

test("--json gives each whole, as a line", async () => {
  const { list } = await folder();
  const { out } = await list("--json");
  expect(out.map((line) => JSON.parse(line))).toEqual([LETTERS[1], LETTERS[2], LETTERS[0]]);
  expect(out.join("")).not.toContain("\u001b");
});

test.for([
  { name: "from", args: ["--from", "2026-11-23"], want: ["b", "c"] },
  { name: "to", args: ["--to", "2026-11-22"], want: ["a"] },
  { name: "code", args: ["--code", "json.too-deep"], want: ["b"] },
  { name: "limit", args: ["--limit", "1"], want: ["b"] },
  { name: "limit, all", args: ["--limit", "3"], want: ["b", "c", "a"] },
])("only those that are asked for: $name", async ({ args, want }) => {
  const { list } = await folder();
  const { out } = await list("--json", ...args);
  expect(out.map((line) => JSON.parse(line).id)).toEqual(want);
});

test("more than a page, each once", async () => {
  const many = Array.from({ length: 1201 }, (_, at) => letter(`id${at}`, { atMs: at >> 3 }));
  const { list } = await folder(many);
  const ids = async (limit: number) =>
    (await list("--json", "--limit", String(limit))).out.map((line) => JSON.parse(line).id);
  const all = await ids(2000);
  expect(all.toSorted()).toEqual(many.map(({ id }) => id).toSorted());
  expect(await ids(700)).toEqual(all.slice(0, 700));
});

test("it says where there are none, and where there are more", async () => {
  const { list } = await folder();
  expect((await list("--code", "x")).err).toEqual(["no dead letter was found"]);
  expect((await list("--limit", "2")).err).toEqual(["the newest 2; --limit N shows more"]);
});

test("wrong words are refused, and a folder that another process has", async () => {
  const { dir, list } = await folder();
  for (const [name, text] of [
    ["limit", "0"],
    ["limit", "many"],
    ["from", "yesterday"],
  ])
    expect(await list(`--${name}`, text ?? "")).toMatchObject({
      code: 2,
      err: [expect.stringContaining(`--${name} is "${text}"`)],
    });
  const lock = takeLock(dir);
  expect((await list()).code).toBe(3);
  lock.release();
});

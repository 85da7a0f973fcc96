import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { main } from "./main.ts";

const looks = vi.hoisted(() => ({ paths: [] as string[] }));
vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  const told =
    <Args extends [unknown, ...unknown[]], Answer>(look: (...args: Args) => Answer) =>
    (...args: Args): Answer => {
      looks.paths.push(String(args[0]));
      return look(...args);
    };
  return { ...fs, readdir: told(fs.readdir as never), readFile: told(fs.readFile as never) };
});

const folder = mkdtempSync(join(tmpdir(), "wache-validate-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const ID = "28ad448c-7ba0-5559-ac98-1f15b33367af";
const good = `title: Good\nid: ${ID}\nlogsource: { product: x }\ndetection: { a: { b: 1 }, condition: a }\n`;
const warned = file("warned.yml", good);
const whole = file("whole.yml", `${good}level: low\n`);
const again = file("again.yml", `${good}level: low\n`);
const bad = file(
  "bad.yml",
  `title: Bad\nid: bad\nlevel: low\nlogsource: { product: x }\ndetection: { a: { b|nope: 1 }, condition: a }\n`,
);

const counting = file(
  "counting.yml",
  `${good}level: low\n---\ntitle: Many\nid: ${ID.replace("28", "29")}\nlevel: low\ncorrelation: { type: event_count, rules: [${ID}], timespan: 60s, condition: { gte: 20 } }\n`,
);
const narrow = file("narrow.yaml", "correlator: { matchesMax: 10, shippedRules: false }\n");

const run = async (...args: string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(["rules", "validate", ...args], {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
};
const subfolder = (name: string): string => {
  mkdirSync(join(folder, name));
  return join(folder, name);
};
const place = (path: string, line: number, column: number) => ({ file: path, line, column });

test.for([
  { name: "nothing wrong", args: [whole], code: 0, want: [] },
  {
    name: "a warning",
    args: [warned],
    code: 0,
    want: [{ severity: "warning", code: "rule.level-missing", ...place(warned, 1, 1), rule: ID }],
  },
  { name: "a threshold within the bounds", args: [counting], code: 0, want: [] },
  {
    name: "a threshold beyond the bounds of the configuration",
    args: ["--config", narrow, counting],
    code: 0,
    want: [
      {
        ...{ severity: "warning", code: "rule.threshold", ...place(counting, 7, 1) },
        rule: ID.replace("28", "29"),
      },
    ],
  },
  {
    name: "a warning that is denied",
    args: ["--deny-warnings", warned],
    code: 1,
    want: [{ severity: "warning", code: "rule.level-missing", ...place(warned, 1, 1), rule: ID }],
  },
  {
    name: "the same id twice",
    args: [whole, again],
    code: 1,
    want: [{ severity: "error", code: "rule.duplicate", ...place(whole, 1, 1), rule: ID }],
  },
  {
    name: "a bad rule, lenient",
    args: ["--lenient", bad, whole],
    code: 0,
    want: [
      { severity: "left-out", code: "rule.modifier-unknown", ...place(bad, 5, 19), rule: "bad" },
      { severity: "warning", code: "rule.id-form", ...place(bad, 2, 5), rule: "bad" },
    ],
  },
])("rules validate --json: $name", async ({ args, code, want }) => {
  const ended = await run("--json", ...args);
  const { problems, ok } = JSON.parse(ended.out);
  const bare = problems.map(({ message, ...rest }: { message: string }) => {
    expect(message.length).toBeGreaterThan(10);
    return rest;
  });
  expect({ code: ended.code, problems: bare }).toEqual({ code, problems: want });
  expect(ok).toBe(!want.some(({ severity }) => severity === "error"));
});

test("for people: each with its place, and the counts at the end", async () => {
  const ended = await run(warned);
  expect(ended).toEqual({
    code: 0,
    err: `${warned}:1:1: warning: there is no level; medium is taken (rule.level-missing)`,
    out: "good: 1 detection, 0 correlations, 1 warning",
  });
});

const emptyFolder = subfolder("empty");
const linked = subfolder("linked");
file("linked/named.yml", good.replace(ID, "28ad448c-7ba0-5559-ac98-1f15b33367a0"));
symlinkSync("gone.yml", join(linked, "lost.yml"));
test.for([
  { name: "a text file", path: file("c.txt", good), code: "rule.none" },
  { name: "a JSON file", path: file("f.json", "{}"), code: "rule.none" },
  { name: "a test alone", path: file("e.test.yml", "cases: []"), code: "rule.none" },
  { name: "an empty file", path: file("nothing.yml", ""), code: "rule.none" },
  { name: "a comment", path: file("comment.yml", "# a\n"), code: "rule.none" },
  { name: "what is laid over nothing", path: file("g.yml", "action: global"), code: "rule.none" },
  { name: "an empty folder", path: emptyFolder, code: "rule.none" },
  { name: "no such file", path: join(folder, "no.yml"), code: "rule.file" },
  { name: "a link to nothing", path: linked, code: "rule.link", at: join(linked, "lost.yml") },
])("rules validate refuses $name, also where a good rule is named too", async (row) => {
  const { code, out } = await run("--json", row.path, whole);
  const { ok, problems } = JSON.parse(out);
  expect([code, ok]).toEqual([1, false]);
  const errors = problems.filter(({ severity }: { severity: string }) => severity === "error");
  expect(errors).toEqual([
    expect.objectContaining({ code: row.code, ...place(row.at ?? row.path, 1, 1) }),
  ]);
});

test("a folder of the configuration may be empty", async () => {
  const config = file("wache.yaml", `correlator: { rules: [{ path: ${emptyFolder} }] }\n`);
  const { code, err } = await run("--config", config);
  expect({ code, err }).toEqual({ code: 0, err: "" });
});

test("a folder is listed once and a file of it read once", async () => {
  const counted = subfolder("counted");
  const one = file("counted/one.yml", good);
  looks.paths = [];
  expect(await run(counted)).toMatchObject({ code: 0 });
  const here = looks.paths.filter((path) => path.startsWith(counted));
  expect(here.toSorted()).toEqual([counted, one]);
});

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { main } from "./main.ts";

const root = mkdtempSync(join(tmpdir(), "wache-import-"));
afterAll(() => rmSync(root, { recursive: true }));

const ruleOf = (name: string, extra = ""): string =>
  `title: ${name}\nid: id-${name}\nname: ${name}\nlogsource: { product: x, category: c }\ndetection: { a: { b: ${name} }, condition: a }\nlevel: high\n${extra}`;
const correlation = (rule: string): string =>
  `title: Many\nid: many-${rule}\ncorrelation: { type: event_count, rules: [${rule}], group-by: [b], timespan: 1m, condition: { gte: 2 } }\nlevel: low\n`;
function checkout(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(root, name);
  rmSync(path, { recursive: true, force: true });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return path;
}
const run = async (...args: string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(["rules", "import", ...args], {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out, err: err.join("\n") };
};
const filesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith("l"))
    .toSorted();

const FILES = {
  "rules/a/one.yml": ruleOf("one"),
  "rules-emerging-threats/two.yml": ruleOf("two"),
  "rules/bad.yml": "title: Bad\nlogsource: { product: x }\ndetection: { a: { b: 1 } }\n",
  "rules/half.yml": `${ruleOf("good")}---\ntitle: Half\n`,
  "rules/of-half.yml": correlation("good"),
  "rules/of-one.yml": correlation("one"),
  "deprecated/old.yml": ruleOf("old"),
};

test("what loads by log source and level, and what is left out and why; nothing is written", async () => {
  const from = checkout("look", FILES);
  const before = filesIn(from);
  const { code, out } = await run(from, "--json");
  const { logSources, leftOut, ...counts } = JSON.parse(out[0] ?? "");
  expect({ code, ...counts, logSources }).toEqual({
    ...{ code: 0, detections: 3, correlations: 2, leftOutCount: 2 },
    logSources: [{ product: "x", category: "c", rules: 3, levels: { high: 3 } }],
  });
  expect(
    leftOut.map(({ problems }: { problems: { code: string }[] }) => problems[0]?.code),
  ).toEqual(["rule.condition-missing", "rule.document"]);
  const text = (await run(from)).out.join("\n");
  expect(text).toContain("3 detections and 2 correlations load, 2 left out");
  expect(text).toMatch(/left out, rule\.condition-missing: 1\n {2}.*bad\.yml:3:12: /);
  expect(filesIn(from)).toEqual(before);
});

test("files that load whole, also without the others, are copied and go live as a strict folder", async () => {
  const from = checkout("copy", FILES);
  const to = join(root, "copied");
  expect((await run(from, "--to", to)).code).toBe(0);
  expect(filesIn(to)).toEqual([
    "rules-emerging-threats/two.yml",
    "rules/a/one.yml",
    "rules/of-one.yml",
  ]);
  const out: string[] = [];
  const print = (line: string) => out.push(line);
  expect(await main(["rules", "validate", to], { out: print, err: print })).toBe(0);
});

test("a newer checkout brings the folder up to date; what was changed by hand stays", async () => {
  const to = join(root, "updated");
  const rules = ["same", "changes", "gone", "edited", "edited-gone"];
  const first = Object.fromEntries(rules.map((name) => [`rules/${name}.yml`, ruleOf(name)]));
  await run(checkout("newer", first), "--to", to);
  for (const name of ["edited", "edited-gone"])
    writeFileSync(join(to, `rules/${name}.yml`), ruleOf(name, "description: ours\n"));
  writeFileSync(join(to, "rules/own.yml"), ruleOf("own"));
  const second = {
    "rules/same.yml": ruleOf("same"),
    "rules/changes.yml": ruleOf("changes", "description: new\n"),
    "rules/edited.yml": ruleOf("edited", "description: theirs\n"),
    "rules/own.yml": ruleOf("own", "description: theirs\n"),
    "rules/new.yml": ruleOf("new"),
  };
  const { out } = await run(checkout("newer", second), "--to", to, "--json");
  expect(JSON.parse(out[0] ?? "").copied).toEqual({
    ...{ written: 2, same: 1, removed: 1 },
    kept: ["rules/edited-gone.yml", "rules/edited.yml", "rules/own.yml"],
  });
  const names = ["changes", "edited-gone", "edited", "new", "own", "same"];
  expect(filesIn(to)).toEqual(names.map((name) => `rules/${name}.yml`).toSorted());
  expect(readFileSync(join(to, "rules/edited.yml"), "utf8")).toContain("ours");
  expect(readFileSync(join(to, "rules/changes.yml"), "utf8")).toContain("new");
});

test("a folder with other things in it is left alone; a checkout without rules fails", async () => {
  const from = checkout("other", { "one.yml": ruleOf("one") });
  const taken = checkout("taken", { "notes.yml": "mine" });
  const ended = await run(from, "--to", taken);
  expect({ code: ended.code, files: filesIn(taken) }).toEqual({ code: 1, files: ["notes.yml"] });
  expect(ended.err).toContain("was not made by an import");
  expect((await run(checkout("empty", { "rules/readme.md": "" }))).code).toBe(1);
});

test.for([
  { name: "mistyped", make: () => join(root, "sigma-typo"), says: "cannot be read" },
  {
    name: "empty",
    make: () => {
      mkdirSync(join(root, "nothing"), { recursive: true });
      return join(root, "nothing");
    },
    says: "no rule loads",
  },
  {
    name: "without rules",
    make: () => checkout("bare", { "rules/readme.md": "" }),
    says: "no rule loads",
  },
  {
    name: "of refused rules",
    make: () => checkout("bare", { "rules/half.yml": FILES["rules/half.yml"] }),
    says: "no file loads whole",
  },
  {
    name: "with a link to nothing",
    make: () => {
      const from = checkout("bare", { "rules/two.yml": ruleOf("two") });
      symlinkSync(join(root, "unmounted.yml"), join(from, "rules/one.yml"));
      return from;
    },
    says: "is a link to a file that does not exist",
  },
  {
    name: "whose rules are a dangling link",
    make: () => {
      const from = checkout("bare", { "rules-emerging-threats/two.yml": ruleOf("two") });
      symlinkSync(join(root, "unmounted"), join(from, "rules"));
      return from;
    },
    says: "cannot be read",
  },
])("a checkout that is $name leaves an earlier import as it is", async ({ make, says }) => {
  const to = join(root, "earlier");
  await run(checkout("first", { "rules/one.yml": ruleOf("one") }), "--to", to);
  const ended = await run(make(), "--to", to);
  expect({ code: ended.code, files: filesIn(to) }).toEqual({ code: 1, files: ["rules/one.yml"] });
  expect(ended.err).toContain(`${to} is not touched: `);
  expect(ended.err).toContain(says);
});

test("what a link leads to is copied under the link's name, and stays where it is", async () => {
  const from = checkout("linking", { "rules/one.yml": ruleOf("one") });
  const other = checkout("other-team", { "precious.yml": ruleOf("precious") });
  symlinkSync(join(other, "precious.yml"), join(from, "rules/theirs.yml"));
  const to = join(root, "deep/er/linked");
  await run(from, "--to", to);
  expect(filesIn(to)).toEqual(["rules/one.yml", "rules/theirs.yml"]);
  rmSync(join(from, "rules/theirs.yml"));
  await run(from, "--to", to);
  expect([filesIn(to), filesIn(other)]).toEqual([["rules/one.yml"], ["precious.yml"]]);
});

test("a list that names files outside of the target touches none of them", async () => {
  const from = checkout("listed", { "rules/one.yml": ruleOf("one") });
  const to = join(root, "listing");
  await run(from, "--to", to);
  const other = checkout("outside", { "one.yml": ruleOf("one") });
  const list = join(to, ".wache-import.json");
  const mark = Object.values(JSON.parse(readFileSync(list, "utf8")) as object)[0];
  writeFileSync(list, JSON.stringify({ "../outside/one.yml": mark, "rules/one.yml": mark }));
  await run(from, "--to", to);
  expect([filesIn(other), filesIn(to)]).toEqual([["one.yml"], ["rules/one.yml"]]);
});

test("a target that can't be written is told", async () => {
  const from = checkout("whole", { "rules/one.yml": ruleOf("one") });
  const { code, err } = await run(from, "--to", join(from, "rules/one.yml/below"));
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringMatching(
      / can't be written: \S+\/below: a part of the path is a file, not a folder; /,
    ),
  });
});

test("a copy that was broken off goes on; a list that can't be read is told", async () => {
  const from = checkout("long", {
    "rules/one.yml": ruleOf("one"),
    "rules/two.yml": ruleOf("two"),
  });
  const to = join(root, "broken-off");
  await run(from, "--to", to);
  rmSync(join(to, "rules/two.yml")); // listed, and not written yet
  writeFileSync(join(to, "rules/one.yml.part"), "title: ha");
  const { code, out } = await run(from, "--to", to, "--json");
  expect([code, JSON.parse(out[0] ?? "").copied]).toEqual([
    0,
    { written: 1, same: 1, removed: 0, kept: [] },
  ]);
  writeFileSync(join(to, ".wache-import.json"), '{"rules/one.y');
  const ended = await run(from, "--to", to);
  expect(ended.err).toContain(".wache-import.json, which lists what was imported, can't be read");
});

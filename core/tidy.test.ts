import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
/** Every file that git knows or would take, so that a fault shows before it is committed. */
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 64 * 1024 * 1024,
})
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(root, path)));
const sources = files.filter((path) => /\.(ts|tsx|mjs)$/.test(path));
const text = new Map(
  files.filter(isText).map((path) => [path, readFileSync(join(root, path), "utf8")]),
);
const ROOMS = ["collectors", "correlator", "alerting", "dashboard-api", "core", "cli"];
const PAGE = "dashboard-api/web/";
const isTest = (path: string): boolean =>
  /\.(test|contract)\.ts$/.test(path) ||
  /^(test|bench)\//.test(path) ||
  path.includes("/fixtures/");

function isText(path: string): boolean {
  return /\.(ts|tsx|mjs|js|json|md|ya?ml|html|css|cfg|txt)$|^\.ci\/|Dockerfile$|^\.[a-z]+rc$/.test(
    path,
  );
}

/** Static, dynamic and type imports of our own files. */
function importsOf(path: string): string[] {
  const found = (text.get(path) ?? "").matchAll(
    /(?:\bfrom|\bimport|\bimport\(|new URL\()\s*["'](\.[^"']+)["']/g,
  );
  return [...found].map(([, target = ""]) => relative(root, resolve(root, dirname(path), target)));
}

test("rooms import what DESIGN.md allows: a service never another, core nothing of ours", () => {
  const allowed: Record<string, readonly string[]> = {
    collectors: ["core"],
    correlator: ["core"],
    alerting: ["core"],
    "dashboard-api": ["core"],
    core: [],
    cli: ROOMS,
  };
  const seen: string[] = [];
  const faults = sources
    .filter((path) => ROOMS.includes(roomOf(path)) && !isTest(path))
    .flatMap((path) =>
      importsOf(path).map((target) => {
        seen.push(target);
        return { path, target, from: roomOf(path), to: roomOf(target) };
      }),
    )
    .filter(({ from, to }) => from !== to && allowed[from]?.includes(to) !== true)
    .map(({ path, target }) => `${path} imports ${target}`);
  expect(faults).toEqual([]);
  expect(seen.length).toBeGreaterThan(100);
});

const roomOf = (path: string): string => path.split("/")[0] ?? "";

test("no file is imported by nobody", () => {
  // The manifest, a tool or a person starts these.
  const ENTRIES =
    /^(cli\/(wache\.mjs|main\.ts|docs\.ts)|vitest\.config\.ts|bench\/[^/]+\.ts|test\/[^/]+\/(run|[a-z-]+\.main)\.ts|dashboard-api\/web\/(vite\.config\.ts|src\/main\.tsx))$/;
  const imported = new Set(sources.flatMap((path) => importsOf(path)));
  const mentioned = (path: string): boolean =>
    // A child process or worker is started by its file's name.
    sources.some(
      (other) => other !== path && (text.get(other) ?? "").includes(`"${path.split("/").at(-1)}"`),
    );
  const lonely = sources.filter(
    (path) =>
      !imported.has(path) && !/\.test\.tsx?$/.test(path) && !ENTRIES.test(path) && !mentioned(path),
  );
  expect(lonely).toEqual([]);
});

test("folders are named for what the product does", () => {
  const kinds = new Set([
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "types",
    "misc",
    "lib",
    "shared",
  ]);
  const faults = files.filter((path) =>
    dirname(path)
      .split("/")
      .some((part) => kinds.has(part)),
  );
  expect(faults).toEqual([]);
});

test("clocks, chance and timers appear in core only, the environment in one file", () => {
  const faults = sources
    .filter((path) => ROOMS.includes(roomOf(path)) && !isTest(path) && !path.startsWith(PAGE))
    .flatMap((path) => {
      const code = codeOf(path);
      const clock = roomOf(path) === "core" ? [] : (code.match(CLOCK) ?? []);
      const environment = /^(core\/config\.ts|cli\/wache\.mjs)$/.test(path)
        ? []
        : (code.match(/\bprocess\.env\b/g) ?? []);
      return [...clock, ...environment].map((found) => `${path}: ${found}`);
    });
  expect(faults).toEqual([]);
  expect("x = Date.now(); new Date(); setTimeout(f, 1)".match(CLOCK)?.length).toBe(3);
});
const CLOCK =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.now\b|(?<![.\w])set(?:Timeout|Interval)\(|\bnode:timers\b/g;

/** The file without its comments and without what stands between quotes on one line. */
const codeOf = (path: string): string =>
  (text.get(path) ?? "").replaceAll(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$|\s\/\/ .*$/gm, "");

test("nothing is left for later without an issue", () => {
  const later = ["TO", "DO"].join("");
  const broken = ["FIX", "ME"].join("");
  const faults = [...text].flatMap(([path, content]) =>
    content
      .split("\n")
      .filter(
        (line) =>
          new RegExp(`\\b${broken}\\b`).test(line) ||
          new RegExp(`\\b${later}\\b(?!\\(#[0-9]+\\))`).test(line),
      )
      .map((line) => `${path}: ${line.trim()}`),
  );
  expect(faults).toEqual([]);
});

test("no tracked file names this machine or where packages were fetched", () => {
  const faults = [...text].flatMap(([path, content]) =>
    [
      ...content.matchAll(/"resolved": "(?!\.)[^"]*"|registry[.=:][^\s"']*https?:\/\/\S+/g),
      ...content.matchAll(/(?<![\w.])\/(?:root|work|home\/(?!backup|node\b)[a-z]+)\/[\w.-]+/g),
    ].map(([found]) => `${path}: ${found}`),
  );
  expect(faults.filter((fault) => !ALLOWED_PATHS.test(fault))).toEqual([]);
});
/** Paths that are data: they stand in log lines and in rules. */
const ALLOWED_PATHS = /^(rules\/|.*\/fixtures\/|.*\.test\.ts:|cli\/demo\/)/;

test("every code that a UserError or a refusal carries stands in docs/errors.md, and no other", () => {
  const page = text.get("docs/errors.md") ?? "";
  const listed = [...page.matchAll(/^\| `([a-z-]+\.[a-z-]+)` \|/gm)].map(([, code = ""]) => code);
  const used = new Set(
    sources
      .filter((path) => ROOMS.includes(roomOf(path)) && !isTest(path) && !path.startsWith(PAGE))
      .flatMap((path) => [...codesOf(codeOf(path))]),
  );
  expect(listed.toSorted()).toEqual([...used].toSorted());
  expect(new Set(listed).size).toBe(listed.length);
});

/** What an error is made with, in the few ways in which it is made. */
function* codesOf(code: string): Generator<string> {
  for (const [, found = ""] of code.matchAll(
    /(?:new UserError|new ApiError|\busage|\bfailure)\(\s*(?:[0-9]+,\s*)?"([a-z-]+\.[a-z-]+)"/g,
  ))
    yield found;
  for (const [, found = ""] of code.matchAll(/\bqueryError\(\s*"([a-z-]+)"/g))
    yield `query.${found}`;
  for (const [, found = ""] of code.matchAll(
    /"((?:http|ingest|api|auth|mappings?|assets)\.[a-z-]+)"/g,
  ))
    if (!NO_CODES.has(found)) yield found;
}
const NO_CODES = new Set(["api.port", "auth.log", "http.stream"]);

test("V8 runs alike wherever it is told how: start, container, tests, benchmarks", () => {
  const start = /"start": "node ((?:--\S+ )+)/.exec(text.get("package.json") ?? "")?.[1] ?? "";
  const command = text.get("cli/wache.mjs") ?? "";
  const inCommand = [...command.matchAll(/FlagsFromString\("(--[^"]+)"\)/g)]
    .map(([, flag = ""]) => flag)
    .filter((flag) => !flag.startsWith("--max-semi-space-size")); // of workers
  const lacks = (path: string, flags: readonly string[]): readonly string[] =>
    flags.filter((flag) => !text.get(path)?.includes(`"${flag}"`)).map((flag) => `${path} ${flag}`);
  const wanted = start.trim().split(" ");
  expect([wanted.length, inCommand.length]).toEqual([2, 3]);
  expect([
    ...["Dockerfile", "cli/wache.mjs", "test/house.ts"].flatMap((path) => lacks(path, wanted)),
    ...lacks("bench/node-flags.ts", [...wanted, ...inCommand]),
  ]).toEqual([]);
});

// The verb as it is started: what goes where, and how it ends.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { packageRoot } from "../../core/package-root.ts";
import { main } from "../main.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-eval-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const rule = file(
  "rule.yml",
  "title: All\nid: r1\nlogsource: { product: x }\ndetection: { all: { n|exists: true }, condition: all }\nlevel: low\n",
);
const bad = file("bad.yml", "title: Bad\nlogsource: { product: x }\ndetection: {}\n");
const events = (count: number): string =>
  Array.from({ length: count }, (_, n) => `{"product":"x","n":${n}}\n`).join("");
const few = file("few.ndjson", events(3));
const many = file("many.ndjson", events(200_000));

const run = async (...args: string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(["eval", ...args], {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
};
const OUT = [0, 1, 2].map((n) => `{"event":${n},"rule":"r1","title":"All","level":"low"}`);

test.for([
  { name: "plain", path: few },
  { name: "gzip", path: file("few.gz", gzipSync(events(3))) },
  { name: "no newline at the end", path: file("cut.ndjson", events(3).trimEnd()) },
])("a file, $name", async ({ path }) => {
  expect(await run("--rules", rule, path)).toEqual({
    code: 0,
    out: OUT.join("\n"),
    err: "3 events (3 flat), 3 matched by 1 rule in 3 events",
  });
});

test("a pipe of a shell's <(…) is read like a file", async () => {
  const path = join(folder, "pipe");
  execFileSync("mkfifo", [path]);
  const writer = spawn("sh", ["-c", `cat "${few}" > "${path}"`], { stdio: "ignore" });
  const [ended] = await Promise.all([run("--rules", rule, path), once(writer, "exit")]);
  expect(ended).toMatchObject({ code: 0, out: OUT.join("\n") });
});

test.for([
  {
    args: ["--rules", join(folder, "none"), few],
    code: 1,
    err: "the folder cannot be read: there is no such",
  },
  { args: ["--rules", bad, few], code: 1, err: "no rule loads from" },
  {
    args: ["--rules", rule, join(folder, "none")],
    code: 1,
    err: "none can't be read: there is no such file or folder; check the path",
  },
  { args: ["--rules", rule, folder], code: 1, err: "can't be read: it is a folder; name a file" },
  {
    args: ["--rules", rule, file("bad.gz", Buffer.from("\x1f\x8b\x08garbage", "latin1"))],
    ...{ code: 1, err: "bad.gz can't be read: it begins as gzip does, but is damaged" },
  },
  {
    args: ["--rules", rule, rule],
    code: 1,
    err: "5 lines left out, no JSON objects: line 1: not JSON",
  },
  {
    args: ["--rules", rule, file("auth.log", "Jan 12 10:00:00 web sshd[1]: Hello\n")],
    ...{ code: 1, err: "if these are lines of a log, --logs reads them as wache send does" },
  },
  { args: ["--rules", rule, "--lateness", "soon", few], code: 2, err: '--lateness is "soon"' },
  { args: ["--rules", rule, "--stream", "a b", few], code: 2, err: '--stream is "a b"; allowed' },
  { args: ["--rules", rule, file("empty", "")], code: 0, err: "0 events, 0 matched by 0 rules" },
])("wache eval $args ends with $code and says why", async ({ args, code, err }) => {
  const ended = await run(...args);
  expect(ended.err).toContain(err);
  expect({ code: ended.code, out: ended.out }).toEqual({ code, out: "" });
});

test("a rule that does not load is left out and said; the others match", async () => {
  const ended = await run("--rules", bad, "--rules", rule, "--json", few);
  const [left, summary] = ended.err.split("\n");
  expect(left).toMatch(/bad\.yml:3:12: left out: /);
  expect(JSON.parse(summary ?? "")).toMatchObject({ events: 3, matches: 3, findings: 0 });
  expect({ code: ended.code, out: ended.out.split("\n") }).toEqual({ code: 0, out: OUT });
});

test("a correlation whose threshold is beyond what a group keeps is said", async () => {
  const many = `${readFileSync(rule, "utf8")}---\ntitle: Many\nid: c1\nlevel: low\ncorrelation: { type: event_count, rules: [r1], group-by: [n], timespan: 60s, condition: { gte: 20 } }\n`;
  const config = file("narrow.yaml", "correlator: { matchesMax: 10 }\n");
  const ended = await run("--config", config, "--rules", file("many.yml", many), few);
  expect(ended.err).toMatch(
    /^\S+many\.yml:7:1: warning: the condition needs 20 matches .*: it never holds; raise correlator\.matchesMax to 27$/m,
  );
});

test.for([
  { name: "none", bounds: "{}", by: "n", evicted: 0, forgotten: 0, want: [] },
  {
    ...{ name: "groups", bounds: "{ groupsMax: 2 }", by: "n", evicted: 1, forgotten: 0 },
    want: [
      "1 group gave way to others, as correlator.groupsMax was reached: findings that may lack matches say bounded",
    ],
  },
  {
    ...{ name: "matches", bounds: "{ matchesMax: 2 }", by: "product", evicted: 0, forgotten: 1 },
    want: [
      "1 counted event forgotten, as their groups reached correlator.matchesMax or correlator.valuesMax: their findings say bounded",
    ],
  },
])("the summary says which bound was reached: $name", async ({ name, by, ...row }) => {
  const many = `${readFileSync(rule, "utf8")}---\ntitle: Many\nid: c1\nlevel: low\ncorrelation: { type: event_count, rules: [r1], group-by: [${by}], timespan: 60s, condition: { gte: 1 } }\n`;
  const config = file(`${name}.yaml`, `correlator: ${row.bounds}\n`);
  const timed = [0, 1, 2].map((n) => `{"product":"x","n":${n},"@timestamp":${n + 1e9}}\n`).join("");
  const args = ["--config", config, "--rules", file(`${name}.yml`, many)];
  const input = file(`${name}.ndjson`, timed);
  const said = await run(...args, input);
  expect(said.err.split("\n").slice(1)).toEqual(row.want);
  const { err } = await run(...args, "--json", input);
  const { evicted, forgotten } = row;
  expect(JSON.parse(err)).toMatchObject({ evicted, forgotten });
});

test("no more is read while what was printed waits for its reader", async () => {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let printed = 0;
  const ended = main(["eval", "--rules", rule, many], {
    out: () => {
      printed += 1;
    },
    err: () => {},
    drained: () => gate,
  });
  while (printed === 0) await new Promise(setImmediate);
  for (let turn = 0; turn < 1000; turn++) await new Promise(setImmediate);
  expect(printed).toBe(1);
  open();
  expect(await ended).toBe(0);
  expect(printed).toBeGreaterThan(5);
});

const start = (args: readonly string[]) =>
  spawn(process.execPath, [join(packageRoot(), "cli/wache.mjs"), "eval", ...args], {
    stdio: ["pipe", "pipe", "pipe"],
  });

test("a reader that goes away ends it quietly", async () => {
  const child = start(["--rules", rule, many]);
  let err = "";
  child.stderr.on("data", (chunk) => {
    err += String(chunk);
  });
  await once(child.stdout, "data");
  child.stdout.destroy();
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: "" });
});

test("from standard input matches come as soon as their lines have come", async () => {
  const child = start(["--rules", rule]);
  child.stdin.write(events(1));
  const [first] = (await once(child.stdout, "data")) as [Buffer];
  expect(String(first)).toBe(`${OUT[0]}\n`);
  child.stdin.end('{"product":"x","n":1}');
  const [second] = (await once(child.stdout, "data")) as [Buffer];
  expect(String(second)).toBe(`${OUT[1]}\n`);
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBe(0);
});

test("standard input may be packed by gzip", async () => {
  const child = start(["--rules", rule]);
  const packed = gzipSync(events(3));
  child.stdin.write(packed.subarray(0, 1), () => child.stdin.end(packed.subarray(1)));
  const [out] = (await once(child.stdout, "data")) as [Buffer];
  expect(String(out)).toBe(`${OUT.join("\n")}\n`);
});

test("placeholders come from the configuration", async () => {
  const asks = file(
    "asks.yml",
    "title: Asks\nid: r2\nlevel: low\nlogsource: { product: x }\ndetection: { a: { n|expand: '%numbers%' }, condition: a }\n",
  );
  const config = file("wache.yaml", "correlator: { placeholders: { numbers: ['1'] } }\n");
  const ended = await run("--config", config, "--rules", asks, few);
  expect(ended.out).toBe('{"event":1,"rule":"r2","title":"Asks","level":"low"}');
});

const counted = file(
  "counted.yml",
  `title: One\nname: one\nid: r3\nlevel: low\nlogsource: { product: x }\ndetection: { a: { n|exists: true }, condition: a }
---\ntitle: Counted\nid: r4\nlevel: low\ncorrelation: { type: event_count, rules: [one], timespan: 1m, condition: { gte: 1 } }\n`,
);
test.for([
  { name: "none", zone: "UTC", time: "2026-03-29 03:00:00", first: "2026-03-29T03:00:00.000Z" },
  {
    name: "none, in the first hour of summer",
    zone: "Europe/Berlin",
    time: "2026-03-29 03:00:00",
    first: "2026-03-29T01:00:00.000Z",
  },
  {
    name: "its own",
    zone: "Europe/Berlin",
    time: "2026-03-29T03:00:00-02:00",
    first: "2026-03-29T05:00:00.000Z",
  },
])("the configured zone is that of a time with $name: $zone", async ({ zone, time, first }) => {
  const config = file("zone.yaml", `time: { zone: ${zone} }\n`);
  const events = file(
    "zoned.ndjson",
    `${JSON.stringify({ product: "x", n: 1, "@timestamp": time })}\n`,
  );
  const firsts = async (...more: string[]) => {
    const { out } = await run("--config", config, "--rules", counted, ...more, events);
    const lines = out.split("\n").map((line) => JSON.parse(line) as { first?: string });
    return lines.flatMap((line) => line.first ?? []);
  };
  expect(await Promise.all([firsts(), firsts("--logs")])).toEqual([[first], [first]]);
});

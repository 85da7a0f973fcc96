import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { main } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-explain-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const rule = file(
  "rule.yml",
  "title: Shell\nid: r\nlevel: low\nlogsource: { product: windows, category: process_creation }\ndetection:\n  a: { Image|endswith: ['\\cmd.exe', '\\sh.exe'] }\n  f: { User: [u1, u2, u3, u4, u5, u6, u7] }\n  condition: a and not f\n",
);
const run = async (...args: string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(["rules", "explain", rule, "--event", ...args], {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out, err: err.join("\n") };
};
const event = (fields: object): string =>
  JSON.stringify({ product: "windows", category: "process_creation", ...fields }, null, 2);

test("which selection holds, on which field and value, and which does not", async () => {
  const { code, out } = await run(
    file("one.json", event({ Image: "C:\\cmd.exe", User: "\u001bx" })),
  );
  expect({ code, out }).toEqual({
    code: 0,
    out: [
      `Shell (${rule}:1:1): matches`,
      "  ✓ condition: ✓ a and ✓ not ✗ f",
      "  ✓ a",
      "      ✓ 1 of 2:",
      '        ✓ Image ends with "\\\\cmd.exe": "C:\\\\cmd.exe" at Image',
      "  ✗ f",
      "      ✗ none of 7:",
      ...[1, 2, 3, 4, 5].map((n) => `        ✗ User is "u${n}": "\\u001bx" at User`),
      "        … 2 more",
      "",
    ],
  });
});

test("what a rule says of itself reaches the terminal without its control characters", async () => {
  const title = String.raw`"\e]0;x\a"`;
  const odd = file(
    "odd.yml",
    `title: ${title}\nid: odd\nlevel: low\nlogsource: { product: ${title} }\ndetection: { s: { ${title}: 1 }, condition: s }\n`,
  );
  const out: string[] = [];
  const to = { out: (line: string) => out.push(line), err: (line: string) => out.push(line) };
  await main(["rules", "explain", odd], to);
  await main(["rules", "explain", odd, "--event", file("odd.json", "{}")], to);
  expect(out[0]).toBe(`\\x1b]0;x\\x07 (${odd}:1:1)`);
  expect(out).toContain(`\\x1b]0;x\\x07 (${odd}:1:1): does not match`);
  expect(out.filter((line) => /\p{Cc}/u.test(line))).toEqual([]);
});

test("as JSON, one line for each event; lists and lines are several", async () => {
  const events = [event({ Image: "sh.exe" }), event({ Image: "\\sh.exe", User: "U1" })];
  const list = await run(file("list.json", `[${events.join()}]`), "--json");
  const oneLine = events.map((one) => JSON.stringify(JSON.parse(one))).join("\n\n");
  const lines = await run(file("lines.json", `${oneLine}\n`), "--json");
  expect(list).toEqual(lines);
  const found = list.out.map((line) => JSON.parse(line));
  expect(found.map(({ event: number, form, matches }) => [number, form, matches])).toEqual([
    [0, "flat", false],
    [1, "flat", false],
  ]);
  expect(found[1].selections.map(({ why }: { why: { holds: boolean } }) => why.holds)).toEqual([
    true,
    true,
  ]);
});

test.for([
  { name: "no file", path: join(folder, "none"), err: "can't be read: there is no such file" },
  { name: "no event", path: file("empty.json", "[]"), err: "holds no event" },
  { name: "no JSON", path: file("text.json", "{}\nhello"), err: "holds no event" },
])("$name: it says so", async ({ path, err }) => {
  const ended = await run(path);
  expect({ code: ended.code, out: ended.out }).toEqual({ code: 1, out: [] });
  expect(ended.err).toContain(err);
});

const several = file(
  "several.yml",
  `title: Several
id: s
level: low
logsource: { product: p }
detection:
  sel: { a: x }
  other: { a: y }
  selection: { b: 1 }
  condition: (sel or other) and not selection
---
title: Known admins
logsource: { product: p }
filter:
  rules: [s]
  selection: { u: root }
  condition: selection
---
title: Only of servers
logsource: { product: p }
filter:
  rules: any
  selection: { h: pc }
  condition: not selection
`,
);
test.for([
  {
    name: "a not of the condition decides",
    event: { a: "x", b: 1 },
    marks: [
      "does not match",
      "✗ condition: ✓ (✓ sel or ✗ other) and ✗ not ✓ selection",
      `filter Known admins (${several}:11:1): does not suppress the event`,
      "✓ lets pass: not ✗ selection",
      `filter Only of servers (${several}:18:1): does not suppress the event`,
      "✓ lets pass: not ✗ selection",
    ],
  },
  {
    name: "a filter decides",
    event: { a: "x", b: 2, u: "root" },
    marks: [
      "does not match",
      "✓ condition: ✓ (✓ sel or ✗ other) and ✓ not ✗ selection",
      `filter Known admins (${several}:11:1): suppresses the event`,
      "✗ lets pass: not ✓ selection",
      `filter Only of servers (${several}:18:1): does not suppress the event`,
      "✓ lets pass: not ✗ selection",
    ],
  },
  {
    name: "a filter that says what passes decides",
    event: { a: "y", h: "pc" },
    marks: [
      "does not match",
      "✓ condition: ✓ (✗ sel or ✓ other) and ✓ not ✗ selection",
      `filter Known admins (${several}:11:1): does not suppress the event`,
      "✓ lets pass: not ✗ selection",
      `filter Only of servers (${several}:18:1): suppresses the event`,
      "✗ lets pass: not ✓ selection",
    ],
  },
])("$name: it says so", async ({ event: fields, marks }) => {
  const out: string[] = [];
  const path = file("several.json", JSON.stringify({ product: "p", ...fields }));
  const print = (line: string) => out.push(line);
  await main(["rules", "explain", several, "--event", path], { out: print, err: print });
  const shown = out.flatMap(
    (line) => /(?:does not match|\S (?:condition|lets pass):.*|filter .*)$/.exec(line)?.[0] ?? [],
  );
  expect(shown).toEqual(marks);
});

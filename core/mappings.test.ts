// mappings.test.ts — where a field stands, what an event belongs to, and what is said of a bad mapping file.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LogSource } from "./event.ts";
import { loadMappings, mappingsOf, shippedMappings } from "./mappings.ts";

const GENERAL = `
for: [{ product: windows }]
forms: ["{}", "Event.EventData.{}"]
names: { Image: [NewProcessName], User: ['{Domain}\\{Name}'] }
fields:
  Image: [process.executable]
  EventID: [EventID, Event.System.EventID, event.code]
  User: ['{user.domain}\\{user.name}', user.name]
plain: [LogonId]
sources:
  - { when: { EventID: [1, 4688] }, are: [{ product: windows, category: process_creation }] }
  - { when: { EventID: [12], EventType: [Delete*] }, are: [{ product: windows, category: registry_delete }] }
  - { when: { EventID: ["*"] }, are: [{ product: windows }] }
  - { when: { tags: [a, b] }, are: [{ service: tagged }] }
---
for: [{ product: windows, category: image_load }]
fields: { Image: [dll.path] }
forms: ["{}", "Event.UserData.{}"]
`;
const { mappings, problems } = mappingsOf([{ path: "general.yml", text: GENERAL }]);
const windows: LogSource = { product: "windows" };

test.for([
  {
    name: "its own name, then other names in every form, then further paths",
    logsource: windows,
    field: "Image",
    paths: [
      "Image",
      "Event.EventData.Image",
      "NewProcessName",
      "Event.EventData.NewProcessName",
      "process.executable",
    ],
    known: true,
  },
  {
    name: "where its own name is among the paths, their order counts",
    logsource: windows,
    field: "EventID",
    paths: ["EventID", "Event.System.EventID", "event.code", "Event.EventData.EventID"],
    known: true,
  },
  {
    name: "the narrower mapping goes first",
    logsource: { ...windows, category: "image_load" },
    field: "Image",
    paths: [
      "Image",
      "Event.UserData.Image",
      "dll.path",
      "Event.EventData.Image",
      "NewProcessName",
      "Event.EventData.NewProcessName",
      "process.executable",
    ],
    known: true,
  },
  {
    name: "an order that a wider mapping gives goes before the forms of a narrower one",
    logsource: { ...windows, category: "image_load" },
    field: "EventID",
    paths: [
      "EventID",
      "Event.System.EventID",
      "event.code",
      "Event.UserData.EventID",
      "Event.EventData.EventID",
    ],
    known: true,
  },
  {
    name: "joined paths, each part in every form",
    logsource: windows,
    field: "User",
    paths: [
      "User",
      "Event.EventData.User",
      "{Domain}\\{Name}",
      "{Event.EventData.Domain}\\{Event.EventData.Name}",
      "{user.domain}\\{user.name}",
      "user.name",
    ],
    known: true,
  },
  {
    name: "a field that is only known to be there",
    logsource: windows,
    field: "LogonId",
    paths: ["LogonId", "Event.EventData.LogonId"],
    known: true,
  },
  {
    name: "a field that no mapping lists",
    logsource: windows,
    field: "$&.x",
    paths: ["$&.x", "Event.EventData.$&.x"],
    known: false,
  },
  {
    name: "another log source",
    logsource: { product: "linux" },
    field: "Image",
    paths: ["Image"],
    known: false,
  },
  {
    name: "a wider log source",
    logsource: {},
    field: "constructor",
    paths: ["constructor"],
    known: false,
  },
])("field: $name", ({ logsource, field, paths, known }) => {
  expect(problems).toEqual([]);
  expect(mappings.field(logsource, field)).toEqual({ name: field, paths });
  expect(mappings.isKnown(logsource, field)).toBe(known);
});

test("a form in camel case: of a joined path each part", () => {
  const text = `for: [{ product: p }]
forms: ["{}", "data.{camel}"]
names: { User: ['{Subject Domain}/{name}'] }
`;
  const { mappings: camel, problems: faults } = mappingsOf([{ path: "m.yml", text }]);
  expect(faults).toEqual([]);
  expect(camel.field({ product: "p" }, "User").paths).toEqual([
    "User",
    "data.user",
    "{Subject Domain}/{name}",
    "{data.subject Domain}/{data.name}",
  ]);
});

test("an earlier file's paths go before a later one's", () => {
  const of = (path: string, to: string) => ({
    path,
    text: `for: [{ product: p }]\nfields: { a: [${to}] }\n`,
  });
  const field = (files: Parameters<typeof mappingsOf>[0]) =>
    mappingsOf(files).mappings.field({ product: "p" }, "a").paths;
  expect(field([of("own.yml", "mine"), of("shipped.yml", "theirs")])).toEqual([
    "a",
    "mine",
    "theirs",
  ]);
  expect(field([of("shipped.yml", "theirs"), of("own.yml", "mine")])).toEqual([
    "a",
    "theirs",
    "mine",
  ]);
});

test("what events hold in the place of a value: of all mappings, the narrowest first", () => {
  const text = `
for: [{ product: p }]
values: { status: { Success: [Succeeded, 0] } }
---
for: [{ product: p, service: s }]
values: { status: { success: [ok] } }
`;
  const of = mappingsOf([{ path: "m.yml", text }]).mappings;
  const field = { name: "status", paths: ["status"] };
  expect(of.field({ product: "p" }, "status")).toEqual({
    ...field,
    values: { success: ["Succeeded", "0"] },
  });
  expect(of.field({ product: "p", service: "s" }, "status")).toEqual({
    ...field,
    values: { success: ["ok", "Succeeded", "0"] },
  });
  expect(of.field({ product: "q" }, "status")).toEqual(field);
});

const process = { product: "windows", category: "process_creation" };
test.for([
  { name: "a number", event: { EventID: 4688 }, want: [process, windows] },
  { name: "its text", event: { EventID: "4688" }, want: [process, windows] },
  { name: "nested", event: { Event: { System: { EventID: 1 } } }, want: [process, windows] },
  { name: "a dotted key", event: { "event.code": "1" }, want: [process, windows] },
  {
    name: "both conditions, whatever the case",
    event: { EventID: 12, EventType: "deleteValue" },
    want: [{ product: "windows", category: "registry_delete" }, windows],
  },
  {
    name: "one of two conditions",
    event: { EventID: 12, EventType: "CreateKey" },
    want: [windows],
  },
  { name: "any element of a list", event: { tags: ["x", "b"] }, want: [{ service: "tagged" }] },
  { name: "no field", event: { message: "EventID 1" }, want: [] },
  { name: "an object for a value", event: { EventID: { a: 1 } }, want: [windows] },
  { name: "a prototype's name", event: JSON.parse('{"__proto__":{"EventID":1}}'), want: [] },
])("log sources: $name", ({ event, want }) => {
  expect(mappings.sourcesOf(event as Record<string, unknown>)).toEqual(want);
});

test.for(["ΟΔΟΣΑ", "οδοσα", "οδος", "ΛΟΓΟΣ", "λογοσ", "λογος"])(
  "log sources: a sigma is the same letter wherever it stands: %s",
  (a) => {
    const text = `for: [{ product: p }]\nsources: [{ when: { a: ["ΟΔΟΣ*", "ΛΟΓΟΣ"] }, are: [{ service: s }] }]\n`;
    const { mappings: greek } = mappingsOf([{ path: "greek.yml", text }]);
    expect(greek.sourcesOf({ a })).toEqual([{ service: "s" }]);
  },
);

test.for([
  { name: "unknown key", text: "for: []\nfield: {}\n", at: "m.yml:2:1", message: "did you mean" },
  {
    name: "unknown word of a log source",
    text: "for: [{ prodct: x }]\n",
    at: "m.yml:1:9",
    message: "did you mean product?",
  },
  {
    name: "a path that is no list",
    text: "fields:\n  a: b\n",
    at: "m.yml:2:6",
    message: "allowed is a list",
  },
  {
    name: "a form without {}",
    text: 'forms: ["winlog"]\n',
    at: "m.yml:1:9",
    message: "allowed is text that matches",
  },
  { name: "broken YAML", text: "fields: {\n", at: "m.yml:2:1", message: "" },
  { name: "the same key twice", text: "for: []\nfor: []\n", at: "m.yml:2:1", message: "unique" },
  {
    name: "the second document",
    text: "for: []\n---\nx: 1\n",
    at: "m.yml:3:1",
    message: "x is not",
  },
  ...[
    { name: "a * in the middle", when: "{ kind: [b, a*b] }", column: 27 },
    { name: "two * at an end", when: "{ kind: [b, a**] }", column: 27 },
    { name: "only two *", when: '{ kind: [b, "**"] }', column: 27 },
  ].map(({ name, when, column }) => ({
    name,
    text: `for: []\nsources:\n  - { when: ${when}, are: [{ product: p }] }\n`,
    at: `m.yml:3:${column - 2}`,
    message: "a * stands at an end, or alone for any value",
  })),
  ...[
    { name: "one part", path: "{a}" },
    { name: "an open brace", path: "{a}{b" },
    { name: "a part of nothing", path: "{a}{}" },
    { name: "a brace in a path", path: "a{b}" },
  ].flatMap(({ name, path }) =>
    ["names", "fields"].map((key) => ({
      name: `joined ${key}: ${name}`,
      text: `${key}: { F: [x, "${path}"] }\n`,
      at: `m.yml:1:${key.length + 12}`,
      message: "paths are joined as {a}, a text, {b}",
    })),
  ),
  {
    name: "a when of nothing",
    text: "for: []\nsources:\n  - { when: {}, are: [{ product: p }] }\n",
    at: "m.yml:3:13",
    message: "sources.0.when is empty: name a field",
  },
  {
    name: "brackets that mean nothing",
    text: "fields:\n  a: [b, 'c[d].e']\n",
    at: "m.yml:2:10",
    message: 'fields.a.1 is "c[d].e"; in brackets stands a number, name=value',
  },
  {
    name: "a value held instead that is no list",
    text: "values: { a: { success: Succeeded } }\n",
    at: "m.yml:1:25",
    message: "allowed is a list",
  },
  { name: "not a map", text: "- 1\n", at: "m.yml:1:1", message: "section of keys" },
  {
    name: "aliases for too much",
    text: bomb(),
    at: "m.yml:1:1",
    message: "Excessive alias count",
  },
])("refused: $name", ({ text, at, message }) => {
  const [first] = mappingsOf([{ path: "m.yml", text }]).problems;
  expect(first?.at).toBe(at);
  expect(first?.message).toContain(message);
});

function bomb(): string {
  const lines = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (let n = 1; n < 8; n++) {
    const before = `*${"abcdefgh"[n - 1]}`;
    lines.push(`${"abcdefgh"[n]}: &${"abcdefgh"[n]} [${Array(9).fill(before).join(", ")}]`);
  }
  return `${lines.join("\n")}\n`;
}

test("the manual's example reads as the manual says", async () => {
  const example = await loadMappings([join(import.meta.dirname, "../docs/mapping-example.yml")]);
  const doors = { product: "acme", service: "doors" };
  expect(example.sourcesOf({ dev: "door-7", kind: "badge", res: "denied" })).toEqual([doors]);
  expect(example.sourcesOf({ dev: "gate-7", kind: "badge", res: "denied" })).toEqual([]);
  expect(example.field(doors, "user.name").paths).toEqual(["user.name", "who"]);
  expect(example.known(doors)).toEqual(["dev", "result", "user.name"]);
});

test("an empty file is no mapping, and no fault", () => {
  expect(mappingsOf([{ path: "m.yml", text: "# later\n" }]).problems).toEqual([]);
});

test("a start with a bad mapping is refused with its place", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wache-mappings-"));
  try {
    const file = join(folder, "own.yml");
    writeFileSync(file, "fields: { a: [] }\n");
    await expect(loadMappings([folder])).rejects.toThrow(`${file}:1:14`);
    await expect(loadMappings([join(folder, "none")])).rejects.toThrow(
      `${join(folder, "none")}: there is no such file or folder; check the path`,
    );
    // For root too: its first bytes can't be read.
    await expect(loadMappings(["/proc/self/mem"])).rejects.toMatchObject({
      code: "mappings.refused",
      message: expect.stringContaining("/proc/self/mem: EIO"),
    });
    await expect(loadMappings([shippedMappings()])).resolves.toBeDefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

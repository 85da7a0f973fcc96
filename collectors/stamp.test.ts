// stamp.test.ts — every line that is not empty becomes records that the bus can take.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { EcsEvent } from "../core/event.ts";
import type { DeadLetter, EventRecord } from "../core/records.ts";
import { lineOf } from "./inputs/text.ts";
import {
  type Entry,
  isBlank,
  type Line,
  type Moment,
  newTally,
  type Origin,
  stampLine,
} from "./stamp.ts";

const RECEIPT_MS = Date.UTC(2026, 0, 15, 12);
const origin: Origin = {
  feeder: "f",
  stream: "live",
  source: "src",
  zone: "UTC",
  latenessMs: 60_000,
};
const moment: Moment = {
  receiptMs: RECEIPT_MS,
  id: (repeat) => `id${repeat ?? ""}`,
  clock: () => RECEIPT_MS,
};
function stamp(line: Line, more: Partial<Origin> = {}, when: Partial<Moment> = {}): Entry[] {
  const entries: Entry[] = [];
  stampLine(line, { ...origin, ...more }, { ...moment, ...when }, { entries, tally: newTally() });
  return entries;
}
const eventOf = (entry: Entry | undefined): EcsEvent => {
  const value = entry?.record.value as EventRecord;
  if (value.kind !== "event") throw new Error("not an event");
  return value.event;
};

test("an event as a whole", () => {
  const text = "<13>Jan 15 11:59:00 web app: hello";
  const logSource = { product: "linux", service: "app" };
  const [entry, ...rest] = stamp({ text, truncatedBytes: 3 }, { logSource, address: "192.0.2.1" });
  expect(rest).toEqual([]);
  expect(entry?.record).toEqual({
    topic: "wache.events",
    key: "web",
    value: {
      kind: "event",
      event: {
        "@timestamp": "2026-01-15T11:59:00.000Z",
        message: "hello",
        event: { original: text, id: "id" },
        host: { name: "web" },
        process: { name: "app" },
        related: { hosts: ["web"] },
        log: {
          level: "notice",
          source: { address: "192.0.2.1" },
          syslog: {
            priority: 13,
            appname: "app",
            facility: { code: 1 },
            severity: { code: 5, name: "notice" },
          },
        },
        wache: {
          stream: "live",
          clockMs: RECEIPT_MS,
          feeder: "f",
          source: "src",
          sources: [{ product: "linux", service: "syslog" }, logSource],
          assumed: ["year", "zone"],
          truncatedBytes: 3,
        },
      },
    },
  });
});

test.for([
  { name: "in time", text: "2026-01-15T11:59:00Z x", want: {} },
  { name: "late", text: "2026-01-15T11:58:59.999Z x", want: { late: true } },
  { name: "a day ahead", text: "2026-01-16T12:00:00Z x", want: {} },
  {
    name: "more than a day ahead",
    text: "2026-01-16T12:00:00.001Z x",
    want: { implausible: true },
  },
  { name: "1970", text: "1970-01-01T00:00:00Z x", want: { implausible: true } },
  { name: "2100", text: "2100-01-01T00:00:00Z x", want: { implausible: true } },
  { name: "no time", text: "x", want: { assumed: ["time"] } },
])("judged by its clock: $name", ({ text, want }) => {
  const { stream, clockMs, feeder, source, sources, ...judged } = eventOf(stamp({ text })[0]).wache;
  expect(judged).toEqual(want);
  expect([stream, clockMs, feeder, source, sources]).toEqual(["live", RECEIPT_MS, "f", "src", []]);
});

test.for([
  { name: "the host", text: '{"host":{"name":"h"}}', more: { address: "192.0.2.1" }, want: "h" },
  { name: "the host, dotted", text: '{"host.name":"h"}', more: {}, want: "h" },
  {
    name: "else the sender's address",
    text: "x",
    more: { address: "192.0.2.1" },
    want: "192.0.2.1",
  },
  { name: "else the source", text: '{"host":{"name":""}}', more: {}, want: "src" },
])("key: $name", ({ text, more, want }) => {
  expect(stamp({ text }, more)[0]?.record.key).toBe(want);
});

test("a line that stands for several gives as many events, alike but for their ids", () => {
  const text = "Jan 15 11:59:00 web app: message repeated 3 times: [ x]";
  const events = stamp({ text }).map(eventOf);
  expect(events.map((event) => event.event.id)).toEqual(["id0", "id1", "id2"]);
  const [first, ...others] = events.map(({ event, ...rest }) => ({
    ...rest,
    event: { ...event, id: "" },
  }));
  expect(others).toEqual([first, first]);
});

test("nesting without end is a dead letter with its reason, as a line and as a value", () => {
  const text = `${'{"a":'.repeat(100)}1${"}".repeat(100)}`;
  for (const line of [{ text }, { text, value: JSON.parse(text) as unknown }]) {
    const [entry] = stamp(line);
    expect(entry?.record).toMatchObject({ topic: "wache.dead-letter", key: "src" });
    expect(entry?.record.value as DeadLetter).toEqual({
      kind: "dead-letter",
      id: "id",
      source: "src",
      reason: expect.stringContaining("64 levels"),
      code: "json.too-deep",
      atMs: RECEIPT_MS,
      raw: text,
      encoding: "utf8",
      line: { stream: "live", zone: "UTC" },
    });
  }
});

test("a dead letter keeps what its line came with, and how much of it was cut", () => {
  const text = `${'{"é":'.repeat(30_000)}1`;
  const more = { address: "192.0.2.1", path: "/a.log", logSource: { product: "p" }, page: true };
  const line = { text, value: JSON.parse(`${text}${"}".repeat(30_000)}`), truncatedBytes: 30_000 };
  const letter = stamp(line, more)[0]?.record.value as DeadLetter;
  expect(letter.line).toEqual({
    ...{ stream: "live", zone: "UTC", ...more },
    truncatedBytes: 30_000 + Buffer.byteLength(text) - Buffer.byteLength(letter.raw),
  });
  expect(letter.raw).toHaveLength(131_072);
});

const LONG = 524_288; // the most that collectors.lineBytesMax allows
test.for([
  { name: "letters", text: "x".repeat(LONG), whole: true },
  { name: "syslog", text: `Jan 15 11:59:00 web app: ${"x".repeat(LONG - 30)}`, whole: true },
  { name: "control characters", text: "\u0001".repeat(LONG), whole: false },
  {
    name: "JSON with a long message",
    text: `{"message":"${"\\u0001".repeat(LONG / 6 - 10)}"}`,
    whole: true,
  },
  {
    name: "JSON of many fields",
    text: `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":"\\u0001"`).join(",")}}`,
    whole: true,
  },
  { name: "binary as Latin-1", text: lineOf(Buffer.alloc(LONG, 0x80), LONG).text, whole: false },
])("a record stays below a megabyte: $name", ({ text, whole }) => {
  const [entry] = stamp({ text });
  const bytes = Buffer.byteLength(JSON.stringify(entry?.record.value));
  expect(bytes).toBeLessThan(950_000);
  const { message, wache } = eventOf(entry);
  expect(wache.truncatedBytes === undefined).toBe(whole);
  expect(message ?? text).not.toBe("");
});

test("any bytes: nothing for an empty line, else an event or a dead letter, never an error", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((some) => Buffer.from(some)),
    fc.string({ unit: "grapheme", maxLength: 200 }).map((some) => Buffer.from(some)),
    fc
      .tuple(
        fc.constantFrom(
          "<13>Jan 15 11:59:00 h sshd[1]: ",
          "<13>1 - - - - - ",
          '{"a":',
          "1.2.3.4 - - [",
          "[Thu Jan 15 ",
        ),
        fc.uint8Array({ maxLength: 100 }),
      )
      .map(([head, some]) => Buffer.concat([Buffer.from(head), some])),
  );
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 200 }), (some, bytesMax) => {
      const line = lineOf(some, bytesMax);
      const entries = stamp(line);
      expect(entries.length > 0).toBe(!isBlank(line.text));
      for (const { record } of entries) {
        const back = JSON.parse(JSON.stringify(record.value)) as EventRecord;
        if (back.kind === "event") expect(Date.parse(back.event["@timestamp"])).not.toBeNaN();
      }
    }),
    { numRuns: 1_000 },
  );
});

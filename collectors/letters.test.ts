import { expect, test } from "vitest";
import type { DeadLetter, EventRecord } from "../core/records.ts";
import { parseAgain } from "./letters.ts";

const CAME_MS = Date.UTC(2026, 0, 15, 12);
const MINUTE_MS = 60_000;
const intake = {
  ...{ feeder: "f", zone: "UTC", latenessMs: 10 * MINUTE_MS },
  sourcesOf: () => [],
};
const letter = (raw: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  ...{ kind: "dead-letter", id: "letter", source: "src", reason: "why", code: "parse.failed" },
  ...{ atMs: CAME_MS, raw, encoding: "utf8" },
  ...more,
});

function eventsOf(from: DeadLetter, afterMs = MINUTE_MS) {
  const parsed = parseAgain(from, intake, CAME_MS + afterMs);
  if (!("entries" in parsed)) throw new Error(parsed.refused);
  return parsed.entries.map(({ record }) => {
    const value = record.value as EventRecord;
    if (value.kind !== "event") throw new Error("not an event");
    return value.event;
  });
}

const SUDO = "Jan 15 11:59:30 web sudo: eve : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh";

test("the line becomes the event that it is, with its own time and year", () => {
  const [event, ...others] = eventsOf(letter(SUDO));
  expect(others).toEqual([]);
  expect(event).toMatchObject({
    "@timestamp": "2026-01-15T11:59:30.000Z",
    host: { name: "web" },
    event: { original: SUDO },
    wache: { stream: "live", feeder: "f", source: "src", clockMs: CAME_MS + MINUTE_MS },
  });
  expect(event?.wache.late).toBeUndefined();
});

test("replayed again, weeks later, it is the same event, but late", () => {
  const [now, later] = [MINUTE_MS, 30 * 24 * 60 * MINUTE_MS].map((ms) =>
    eventsOf(letter(SUDO), ms),
  );
  const placeOf = (events = eventsOf(letter(SUDO))) =>
    events.map((event) => [event.event.id, event["@timestamp"]]);
  expect(placeOf(later)).toEqual(placeOf(now));
  expect(later?.[0]?.wache.late).toBe(true);
  expect(eventsOf(letter(SUDO, { id: "other" }))[0]?.event.id).not.toBe(now?.[0]?.event.id);
});

test("a line that says no time has the one at which it came", () => {
  expect(eventsOf(letter("hello"))[0]?.["@timestamp"]).toBe("2026-01-15T12:00:00.000Z");
});

test("a line that stands for several gives each an id of its own", () => {
  const events = eventsOf(letter("Jan 15 11:59:00 web app: message repeated 3 times: [ x]"));
  expect(new Set(events.map(({ event }) => event.id)).size).toBe(3);
});

test("what it came with counts: stream, sender, file, zone, log source, what was cut", () => {
  const logSource = { product: "linux" };
  const line = {
    ...{ stream: "import-1", zone: "Europe/Berlin", logSource, address: "192.0.2.1" },
    ...{ path: "/var/log/a", truncatedBytes: 7, shiftMs: 1000 },
  };
  expect(eventsOf(letter(SUDO, { line }))[0]).toMatchObject({
    "@timestamp": "2026-01-15T10:59:31.000Z",
    log: { source: { address: "192.0.2.1" }, file: { path: "/var/log/a" } },
    wache: { stream: "import-1", sources: expect.arrayContaining([logSource]), truncatedBytes: 7 },
  });
});

test.for([
  { name: "a moment less than a day ahead", text: "2026-01-16T12:00:00.000Z x", want: undefined },
  { name: "more", text: "2026-01-16T12:00:00.001Z x", want: true },
])("what was implausible when it came stays so: $name", ({ text, want }) => {
  for (const afterMs of [0, 7 * 24 * 60 * MINUTE_MS])
    expect(eventsOf(letter(text), afterMs)[0]?.wache.implausible).toBe(want);
});

const DEEP = `${'{"a":'.repeat(100)}1${"}".repeat(100)}`;
test.for([
  { name: "what still cannot be parsed", from: letter(DEEP), want: "json.too-deep" },
  { name: "an empty line", from: letter(" "), want: "it is empty" },
  { name: "bytes", from: letter("AAAA", { encoding: "base64" }), want: "no text" },
  {
    name: "a record",
    from: letter("{}", { from: { topic: "wache.events", partition: 0, offset: 0 } }),
    want: "no line",
  },
])("is refused with a reason: $name", ({ from, want }) => {
  expect(parseAgain(from, intake, CAME_MS)).toEqual({ refused: expect.stringContaining(want) });
});

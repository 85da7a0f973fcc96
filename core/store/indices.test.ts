// indices.test.ts — an event's index follows from the event alone, and says which times it holds.
import { expect, test } from "vitest";
import type { EcsEvent } from "../event.ts";
import { indexNameOf, spanOf } from "./indices.ts";

const eventAt = (time: string, wache: Partial<EcsEvent["wache"]> = {}): EcsEvent => ({
  "@timestamp": time,
  event: { id: "e" },
  wache: { stream: "live", sources: [], ...wache },
});

test.for([
  { time: "2026-11-24T23:59:59.999Z", name: "events-2026.11.24" },
  { time: "2026-11-25T00:00:00.000Z", name: "events-2026.11.25" },
  { time: "2025-01-01T00:00:00.000Z", name: "events-2025.01.01" },
  { time: "2024-12-31T23:59:59.999Z", name: "events-2024" },
  { time: "1999-06-01T00:00:00.000Z", name: "events-1999" },
  { time: "1970-01-01T00:00:00.000Z", name: "events-implausible" },
  { time: "2200-01-01T00:00:00.000Z", name: "events-implausible" },
])("a live event of $time is in $name", ({ time, name }) => {
  expect(indexNameOf(eventAt(time))).toBe(name);
  const span = spanOf(name);
  if (span === undefined) expect(name).toBe("events-implausible");
  else {
    expect(Date.parse(time)).toBeGreaterThanOrEqual(span.fromMs);
    expect(Date.parse(time)).toBeLessThanOrEqual(span.toMs);
  }
});

test("sixteen thousand old days are fifty indices", () => {
  const names = new Set(
    Array.from({ length: 16_000 }, (_, day) =>
      indexNameOf(eventAt(new Date(Date.UTC(1980, 0, 1) + day * 86_400_000).toISOString())),
    ),
  );
  expect(names.size).toBe(44);
});

test("an import has one index, whatever its times", () => {
  const wache = { stream: "Old logs / 1" };
  const names = ["1999-06-01T00:00:00.000Z", "2026-06-01T00:00:00.000Z"].map((time) =>
    indexNameOf(eventAt(time, wache)),
  );
  expect(new Set(names).size).toBe(1);
  expect(names[0]).toMatch(/^events-import-old-logs-1-[0-9a-f]{16}$/);
});

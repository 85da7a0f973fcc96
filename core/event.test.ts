import fc from "fast-check";
import { expect, test } from "vitest";
import { plainTimeMs } from "./event.ts";

test("a plain time is read as Date.parse reads it, or left to others", () => {
  const from = new Date("1000-01-01T00:00:00Z");
  const date = fc.date({ min: from, max: new Date("9999-12-31T00:00:00Z"), noInvalidDate: true });
  fc.assert(
    fc.property(date, (at) => {
      const isLate = at.getUTCDate() > 28;
      expect(plainTimeMs(at.toISOString())).toBe(isLate ? undefined : at.getTime());
    }),
  );
});

test.for([
  "2026-02-29T00:00:00.000Z",
  "2026-13-01T00:00:00.000Z",
  "2026-00-01T00:00:00.000Z",
  "2026-01-00T00:00:00.000Z",
  "2026-01-01T24:00:00.000Z",
  "2026-01-01T00:60:00.000Z",
  "2026-01-01T00:00:60.000Z",
  "2026-01-01T00:00:00,000Z",
  "2026-01-01 00:00:00.000Z",
  "2026-01-01T00:00:00.00xZ",
  "2026-01-01T00:00:00.0000",
  "0099-01-01T00:00:00.000Z",
  "2026-01-01T00:00:00Z",
])("no plain time: %s", (text) => {
  expect(plainTimeMs(text)).toBeUndefined();
});

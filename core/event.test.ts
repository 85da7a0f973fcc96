import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { idOf, isoOf, plainTimeMs } from "./event.ts";

test("a plain time is read as Date.parse reads it, whatever was read before it", () => {
  const from = new Date("1000-01-01T00:00:00Z");
  const date = fc.date({ min: from, max: new Date("9999-12-31T00:00:00Z"), noInvalidDate: true });
  const nearby = fc.integer({ min: Date.UTC(2028, 1, 28), max: Date.UTC(2028, 2, 2) });
  const times = fc.array(fc.oneof(date.map(Number), nearby), { minLength: 1 });
  fc.assert(
    fc.property(times, (all) => {
      expect(all.map((ms) => plainTimeMs(new Date(ms).toISOString()))).toEqual(all);
    }),
  );
});

test("a time is written as toISOString writes it, whatever was written before it", () => {
  const nearby = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 0, 3) });
  const anywhere = fc.date({ noInvalidDate: true }).map((at) => at.getTime());
  const times = fc.array(fc.oneof(nearby, anywhere, fc.constant(1.5)), { minLength: 1 });
  fc.assert(
    fc.property(times, (all) => {
      expect(all.map(isoOf)).toEqual(all.map((ms) => new Date(ms).toISOString()));
    }),
  );
});

test("a name is the first 20 bytes of SHA-256 over the parts with their lengths, in base64url", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.integer())), (parts) => {
      const text = parts.map((part) => `${String(part).length}:${part}`).join("");
      const bytes = createHash("sha256").update(text).digest().subarray(0, 20);
      expect(idOf(...parts)).toBe(bytes.toString("base64url"));
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
  expect(plainTimeMs("2026-01-01T00:00:00.000Z")).toBe(Date.UTC(2026, 0, 1));
  expect(plainTimeMs(text)).toBeUndefined();
});

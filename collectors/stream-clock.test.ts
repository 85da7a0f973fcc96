// stream-clock.test.ts — the clock against a slow twin that sorts.
import fc from "fast-check";
import { expect, test } from "vitest";
import { StreamClock, timesMax } from "./stream-clock.ts";

function slow(times: readonly number[]): (number | undefined)[] {
  let clock: number | undefined;
  return times.map((_, index) => {
    if (index + 1 < timesMax) return undefined;
    const last = times.slice(index + 1 - timesMax, index + 1).sort((a, b) => a - b);
    clock = Math.max(clock ?? -Infinity, last[(timesMax - 1) >> 1] ?? 0);
    return clock;
  });
}

test("the running maximum of the median of the last thousand, also when it is taken up again", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -5, max: 50 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 0, max: 2600 }),
      (steps, again) => {
        const times = Array.from(
          { length: 2600 },
          (_, i) => i + (steps[i % steps.length] ?? 0) * 7,
        );
        let clock = new StreamClock(new Float64Array(), undefined);
        const got = times.map((time, index) => {
          if (index === again) clock = new StreamClock(clock.times(), clock.nowMs);
          return clock.add(time);
        });
        expect(got).toEqual(slow(times));
      },
    ),
    { numRuns: 10 },
  );
});

const HOUR_MS = 3_600_000;
test.for([
  { name: "a few in order", hours: [0, 5, 9, 10], endH: 10 },
  { name: "in any order", hours: [9, 0, 10, 5], endH: 10 },
  { name: "the clock is behind", hours: Array.from({ length: 2000 }, (_, n) => n), endH: 1999 },
  { name: "one is far ahead", hours: [0, 1, 100, 2, 3], endH: 3 },
  { name: "some are far ahead", hours: [0, 100, 1, 101, 2, 102, 3], endH: 3 },
  { name: "every three days", hours: [0, 72, 144, 216], endH: 216 },
  { name: "a few after a gap of days", hours: [...Array(1200).fill(1), 90, 91], endH: 91 },
  { name: "the newest first", hours: [900, 600, 300, 0], endH: 300 },
  { name: "another log behind it", hours: [...Array(2000).fill(900), 1, 2, 3], endH: 900 },
  { name: "nothing came", hours: [], endH: undefined },
])("how far a stream came: $name", ({ hours, endH }) => {
  const clock = new StreamClock(new Float64Array(), undefined);
  for (const hour of hours) clock.add(hour * HOUR_MS);
  expect(clock.endMs).toBe(endH === undefined ? undefined : endH * HOUR_MS);
});

test("outliers do not move it", () => {
  const clock = new StreamClock(new Float64Array(), undefined);
  for (let i = 0; i < 2000; i++) clock.add(i % 3 === 0 ? 1e12 : i);
  expect(clock.nowMs).toBeLessThan(2000);
});

import { expect, test } from "vitest";
import { isDay, writtenTimeMs } from "./written-times.ts";

const AT = Date.UTC(2026, 10, 23, 4, 5, 6);
test.for([
  { text: "2026-11-23T04:05:06Z", want: AT },
  { text: "2026-11-23T04:05:06", want: AT },
  { text: "2026-11-23 04:05:06.000", want: AT },
  { text: "2026-11-23T05:05:06+01:00", want: AT },
  { text: String(AT), want: AT },
  { text: "2026-11-23", want: Date.UTC(2026, 10, 23) },
  { text: "2028-02-29", want: Date.UTC(2028, 1, 29) },
  { text: "2026-02-29", want: undefined },
  { text: "2026-02-30T00:00:00Z", want: undefined },
  { text: "2026-13-01", want: undefined },
  { text: "2026-00-01", want: undefined },
  { text: "2026-04-00", want: undefined },
  { text: "2026-11-23T25:00:00Z", want: undefined },
  { text: "9".repeat(400), want: undefined },
  { text: "yesterday", want: undefined },
  { text: "", want: undefined },
])('"$text" is the time $want', ({ text, want }) => {
  expect(writtenTimeMs(text)).toBe(want);
});

test.for([
  { name: "a leap year's", day: [2024, 2, 29], want: true },
  { name: "another's", day: [2023, 2, 29], want: false },
  { name: "a century's", day: [1900, 2, 29], want: false },
  { name: "one of the first century", day: [24, 2, 29], want: true },
  { name: "the last", day: [2024, 12, 31], want: true },
  { name: "one past it", day: [2024, 12, 32], want: false },
] as const)("days of the calendar: $name", ({ day: [year, month, day], want }) => {
  expect(isDay(year, month, day)).toBe(want);
});

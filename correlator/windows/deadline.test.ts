import { expect, test } from "vitest";
import { type Deadline, WEEKDAYS } from "../../core/records.ts";
import { Deadlines } from "./deadline.ts";

const at = (text: string): number => Date.parse(text);
const deadline = (over: Partial<Deadline> = {}): Deadline => ({
  by: "04:00",
  timezone: "Europe/Berlin",
  days: WEEKDAYS,
  ...over,
});

test.for<{ name: string; of?: Partial<Deadline>; after: string; want: string }>([
  { name: "winter", after: "2026-01-05T00:00:00Z", want: "2026-01-05T03:00:00Z" },
  { name: "summer", after: "2026-07-05T00:00:00Z", want: "2026-07-05T02:00:00Z" },
  {
    name: "the moment itself is not later than itself",
    after: "2026-01-05T03:00:00Z",
    want: "2026-01-06T03:00:00Z",
  },
  {
    name: "a millisecond before it",
    after: "2026-01-05T02:59:59.999Z",
    want: "2026-01-05T03:00:00Z",
  },
  {
    name: "from Friday to Monday",
    of: { days: ["mon", "tue", "wed", "thu", "fri"] },
    after: "2026-01-09T12:00:00Z",
    want: "2026-01-12T03:00:00Z",
  },
  {
    name: "the day is the zone's own: Monday begins on Sunday in UTC",
    of: { days: ["mon"], by: "00:30", timezone: "Asia/Tokyo" },
    after: "2026-01-10T00:00:00Z",
    want: "2026-01-11T15:30:00Z",
  },
  {
    name: "a time that the clock jumps over: when it jumps",
    of: { by: "02:30" },
    after: "2026-03-28T12:00:00Z",
    want: "2026-03-29T01:00:00Z",
  },
  {
    name: "the day after the jump",
    of: { by: "02:30" },
    after: "2026-03-29T01:00:00Z",
    want: "2026-03-30T00:30:00Z",
  },
  {
    name: "the jump's own first minute exists",
    of: { by: "03:00" },
    after: "2026-03-28T12:00:00Z",
    want: "2026-03-29T01:00:00Z",
  },
  {
    name: "a time that comes twice: the first",
    of: { by: "02:30" },
    after: "2026-10-24T12:00:00Z",
    want: "2026-10-25T00:30:00Z",
  },
  {
    name: "and not again an hour later",
    of: { by: "02:30" },
    after: "2026-10-25T00:30:00Z",
    want: "2026-10-26T01:30:00Z",
  },
  {
    name: "a day that a zone left out: when it jumped",
    of: { by: "12:00", timezone: "Pacific/Apia" },
    after: "2011-12-29T22:00:00Z",
    want: "2011-12-30T10:00:00Z",
  },
  {
    name: "an offset of 45 minutes, before 1970",
    of: { by: "12:00", timezone: "Asia/Kathmandu" },
    after: "1969-12-31T00:00:00Z",
    want: "1969-12-31T06:30:00Z",
  },
])("deadline: $name", ({ of, after, want }) => {
  const found = new Deadlines(deadline(of)).after(at(after));
  expect(new Date(found).toISOString()).toBe(new Date(at(want)).toISOString());
});

test.for(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])(
  "every deadline of a year is the first quarter of an hour at which the clock of %s reads it or later",
  (timezone) => {
    for (const by of ["02:15", "00:00"]) {
      const clock = new Intl.DateTimeFormat("sv", {
        timeZone: timezone,
        ...{ dateStyle: "short", timeStyle: "short" },
      });
      const [fromMs, toMs] = [at("2026-01-01T12:00:00Z"), at("2026-12-30T12:00:00Z")];
      const firsts = new Map<string, number>();
      for (let ms = fromMs - 36 * 3_600_000; ms < toMs; ms += 900_000) {
        const [day = "", time = ""] = clock.format(ms).split(" ");
        if (time >= by && !firsts.has(day)) firsts.set(day, ms);
      }
      const want = [...firsts.values()].filter((ms) => ms > fromMs);
      const deadlines = new Deadlines(deadline({ by, timezone }));
      const got: number[] = [];
      for (let ms = deadlines.after(fromMs); ms < toMs; ms = deadlines.after(ms)) got.push(ms);
      expect(got).toEqual(want);
    }
  },
);

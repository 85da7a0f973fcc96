// deadlines.ts — times of day by which something must have come: drawn, written, and found minute by minute.
//
// Holds: docs/correlation.md, "Time zones": a day's deadline is the first moment at which the zone's clock reads `by` or later.
// Why:   a zone's clock is only ever asked what it reads; which moment a reading is, is what the product has to work out.
import type { Chance } from "./chance.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

export type DrawnDeadline = {
  readonly by: string;
  readonly timezone: string;
  readonly days?: readonly string[];
  readonly eventsMs: number; // when events begin, so that some come before it and some after it
  readonly daysAfter: number; // in which nothing comes any more
};

/** Moments at which, or near which, a zone's clock is set. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  UTC: [],
  "Asia/Kathmandu": [],
  "Europe/Berlin": ["2026-03-29T01:00Z", "2026-10-25T00:30Z", "2026-10-25T01:30Z"],
  "America/New_York": ["2026-03-08T07:00Z", "2026-11-01T05:15Z", "2026-11-01T06:15Z"],
};
const COMMON = ["2026-01-15T12:00Z", "2026-07-03T22:40Z", "2026-12-31T23:59Z"];

export function drawDeadline(chance: Chance): DrawnDeadline {
  const timezone = chance.one(Object.keys(SETTINGS));
  const settings = SETTINGS[timezone] ?? [];
  const isSet = settings.length > 0 && chance.is(0.6);
  const nearMs = Date.parse(chance.one(isSet ? settings : COMMON));
  const afterMs = chance.one([0, 0, 0, 0, 0, 0, 1, 2, 15, 600]) * MINUTE_MS;
  const read = readingIn(timezone)(nearMs + afterMs);
  // In spring a time that the clock jumps over, in autumn one that comes twice.
  const byMs = isSet && chance.is(0.3) ? read - chance.int(1, 60) * MINUTE_MS : read;
  const days = chance.one([undefined, undefined, undefined, [dayOf(read)], chance.some(DAYS, 4)]);
  return {
    by: timeOf(byMs),
    timezone,
    ...(days && { days }),
    eventsMs: nearMs - chance.int(0, 15) * 1000 - chance.one([0, 0, 0, 1]) * DAY_MS,
    daysAfter: chance.one([0, 0, 1, 3, 9]),
  };
}

export const deadlineLine = ({ by, timezone, days }: DrawnDeadline): string =>
  `deadline: ${JSON.stringify({ by, timezone, days })}`;

/** After `fromMs`, up to `toMs`. A day at whose ends the clock is as far from UTC is read once: to read is slow. */
export function deadlinesBetween(
  { by, timezone, days = DAYS }: DrawnDeadline,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): number[] {
  const reading = readingIn(timezone);
  const byMinutes = minutesIn(by);
  const firsts = new Map<number, { readonly atMs: number; readonly read: number }>(); // by the zone's day
  const wholeDayMs = Math.floor(fromMs / DAY_MS) * DAY_MS - 2 * DAY_MS;
  for (let dayMs = wholeDayMs; dayMs <= toMs; dayMs += DAY_MS) {
    const aheadMs = reading(dayMs) - dayMs;
    const isSteady = reading(dayMs + DAY_MS) - (dayMs + DAY_MS) === aheadMs;
    for (let atMs = dayMs; atMs < dayMs + DAY_MS; atMs += MINUTE_MS) {
      const read = isSteady ? atMs + aheadMs : reading(atMs);
      const day = Math.floor(read / DAY_MS);
      if (minutesOf(read) >= byMinutes && !firsts.has(day)) firsts.set(day, { atMs, read });
    }
  }
  return [...firsts.values()]
    .filter(({ atMs, read }) => atMs > fromMs && atMs <= toMs && days.includes(dayOf(read)))
    .map(({ atMs }) => atMs);
}

/** What the zone's clock and calendar show, as if it were UTC. */
function readingIn(timezone: string): (atMs: number) => number {
  const style = { dateStyle: "short", timeStyle: "medium" } as const;
  const clock = new Intl.DateTimeFormat("sv", { timeZone: timezone, ...style });
  return (atMs) => Date.parse(`${clock.format(atMs).replace(" ", "T")}Z`);
}

const dayOf = (read: number): string => DAYS[new Date(read).getUTCDay()] ?? "";
const timeOf = (read: number): string => new Date(read).toISOString().slice(11, 16);
const minutesOf = (read: number): number => Math.floor((read % DAY_MS) / MINUTE_MS);

function minutesIn(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}

// deadline.ts — the moments at which a rule's time of day comes in its time zone.
//
// Holds: a day's deadline is the first moment at which the zone's clock reads that time or a later one: where the clock
//        jumps over it, the moment of the jump; where it comes twice, the first. It follows from the time given alone.
import { DAY_MS } from "../../core/event.ts";
import { type Deadline, WEEKDAYS } from "../../core/records.ts";

const DAYS_KEPT_MAX = 1000;
const BETWEEN_KEPT_MAX = 8;

export class Deadlines {
  readonly #by: number; // ms since midnight
  readonly #days: ReadonlySet<number>;
  readonly #clock: Intl.DateTimeFormat;
  readonly #known = new Map<number, number>(); // by local day
  #between: { fromMs: number; readonly toMs: number }[] = []; // asked lately: no deadline lies between; to read a zone's clock is slow

  constructor({ by, timezone, days }: Deadline) {
    const [hours = 0, minutes = 0] = by.split(":").map(Number);
    this.#by = (hours * 60 + minutes) * 60_000;
    this.#days = new Set(days.map((day) => WEEKDAYS.indexOf(day)));
    this.#clock = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      timeZone: timezone,
      hourCycle: "h23",
      ...{ year: "numeric", month: "numeric", day: "numeric", era: "short" },
      ...{ hour: "numeric", minute: "numeric", second: "numeric" },
    });
  }

  /** The first deadline that is later than `atMs`. */
  after(atMs: number): number {
    for (const { fromMs, toMs } of this.#between) if (fromMs <= atMs && atMs < toMs) return toMs;
    const toMs = this.#search(atMs);
    const known = this.#between.find((one) => one.toMs === toMs);
    if (known) known.fromMs = Math.min(known.fromMs, atMs);
    else this.#between = [{ fromMs: atMs, toMs }, ...this.#between.slice(0, BETWEEN_KEPT_MAX - 1)];
    return toMs;
  }

  #search(atMs: number): number {
    const today = Math.floor(this.#localMs(atMs) / DAY_MS);
    for (let day = today - 1; ; day++) {
      if (!this.#days.has(weekdayOf(day))) continue;
      const deadlineMs = this.#of(day);
      if (deadlineMs > atMs) return deadlineMs;
    }
  }

  #of(day: number): number {
    const known = this.#known.get(day);
    if (known !== undefined) return known;
    const deadlineMs = this.#firstAt(day * DAY_MS + this.#by);
    if (this.#known.size >= DAYS_KEPT_MAX) this.#known.clear();
    this.#known.set(day, deadlineMs);
    return deadlineMs;
  }

  /** The first moment at which the zone's clock reads `localMs` or later. */
  #firstAt(localMs: number): number {
    const before = this.#localMs(localMs - DAY_MS) - (localMs - DAY_MS);
    const after = this.#localMs(localMs + DAY_MS) - (localMs + DAY_MS);
    const exact = [localMs - before, localMs - after]
      .sort((a, b) => a - b)
      .find((ms) => this.#localMs(ms) === localMs);
    if (exact !== undefined) return exact;
    let low = localMs - Math.max(before, after) - 1;
    let high = localMs - Math.min(before, after);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#localMs(middle) >= localMs) high = middle;
      else low = middle;
    }
    return high;
  }

  /** What the zone's clock and calendar show, as if it were UTC. */
  #localMs(atMs: number): number {
    const read: Record<string, number> = {};
    for (const { type, value } of this.#clock.formatToParts(atMs)) read[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = read;
    return Date.UTC(year, month - 1, day, hour, minute, second) + (((atMs % 1000) + 1000) % 1000);
  }
}

/** 1970-01-01 was a Thursday. */
const weekdayOf = (day: number): number => (((day + 4) % 7) + 7) % 7;

// log-time.ts — reads the times that logs write, with or without zone and year.
//
// Holds: a time without a year takes the latest year that puts it no later than `latestMs`; a time without a zone is
//        taken in the given IANA zone, daylight saving included; what was taken so is named in `assumed`.
// Why:   Intl is slow, so a zone's offset is asked for once per quarter of an hour of log time.
import { plainTimeMs } from "../../core/event.ts";
import type { LineContext } from "./draft.ts";

export type LogTime = { readonly ms: number; readonly assumed: readonly string[] };

const TIME_MIN_MS = Date.parse("0000-01-01T00:00:00Z");
const TIME_MAX_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const NOTHING: readonly string[] = [];
const ZONE: readonly string[] = ["zone"];
const YEAR: readonly string[] = ["year"];
const YEAR_AND_ZONE: readonly string[] = ["year", "zone"];
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MONTHS: ReadonlyMap<string, number> = new Map(
  ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"].map(
    (name, index) => [name, index],
  ),
);

export const monthOf = (name: string): number | undefined => MONTHS.get(name);

export type WallClock = {
  readonly year?: number;
  readonly month: number; // 0 to 11
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly ms?: number;
  readonly offsetMs?: number; // local less UTC, where the log says it
};

/** Undefined where the parts are no date. */
export function resolveTime(wall: WallClock, context: LineContext): LogTime | undefined {
  const { month, day, hour, minute, second } = wall;
  if (day < 1 || day > (DAYS[month] ?? 0) || hour > 24 || minute > 59 || second > 60)
    return undefined;
  if (wall.year !== undefined) {
    if (day > daysOf(wall.year, month)) return undefined;
    const ms = toUtc(wall, wall.year, context.zone);
    return inRange(ms, wall.offsetMs === undefined ? ZONE : NOTHING);
  }
  const newest = new Date(context.latestMs).getUTCFullYear() + 1;
  for (let year = newest; year > newest - 10; year--) {
    if (day > daysOf(year, month)) continue;
    const ms = toUtc(wall, year, context.zone);
    if (ms <= context.latestMs)
      return inRange(ms, wall.offsetMs === undefined ? YEAR_AND_ZONE : YEAR);
  }
  return undefined;
}

/** Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size. */
export function epochTime(value: number): LogTime | undefined {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return undefined;
  const ms =
    size < 1e11 ? value * 1000 : size < 1e14 ? value : size < 1e17 ? value / 1e3 : value / 1e6;
  return inRange(Math.floor(ms), NOTHING);
}

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?/i;

/** An ISO 8601 time at the start of the text, and where it ends. */
export function isoTime(
  text: string,
  context: LineContext,
): (LogTime & { readonly end: number }) | undefined {
  const found = ISO.exec(text);
  if (found === null) return undefined;
  const [whole, year, month, day, hour, minute, second, fraction, zone] = found;
  const offsetMs = zone === undefined ? undefined : offsetOf(zone);
  const time = resolveTime(
    {
      year: Number(year),
      month: Number(month) - 1,
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second ?? 0),
      ms: fractionMs(fraction),
      ...(offsetMs === undefined ? {} : { offsetMs }),
    },
    context,
  );
  return time === undefined ? undefined : { ...time, end: whole.trimEnd().length };
}

/** Any form in which a JSON field may carry a time. */
export function anyTime(value: unknown, context: LineContext): LogTime | undefined {
  if (typeof value === "number") return epochTime(value);
  if (typeof value !== "string" || value.length > 64) return undefined;
  const plainMs = plainTimeMs(value);
  if (plainMs !== undefined) return inRange(plainMs, NOTHING);
  const text = value.trim();
  if (/^-?\d{1,20}(\.\d{1,9})?$/.test(text)) return epochTime(Number(text));
  const iso = isoTime(text, context);
  if (iso !== undefined) return { ms: iso.ms, assumed: iso.assumed };
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return isoTimeOnly(`${text}T00:00:00`, context);
  return clfTime(text, context);
}

const isoTimeOnly = (text: string, context: LineContext): LogTime | undefined => {
  const time = isoTime(text, context);
  return time === undefined ? undefined : { ms: time.ms, assumed: time.assumed };
};

const CLF = /^(\d{1,2})\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d)(?: ([+-]\d{4}))?$/;

/** The time of web access logs: `10/Oct/2000:13:55:36 -0700`. */
export function clfTime(text: string, context: LineContext): LogTime | undefined {
  const [, day, monthName, year, hour, minute, second, zone] = CLF.exec(text) ?? [];
  const month = MONTHS.get(monthName ?? "");
  if (month === undefined) return undefined;
  const offsetMs = zone === undefined ? undefined : offsetOf(zone);
  return resolveTime(
    {
      year: Number(year),
      month,
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second),
      ...(offsetMs === undefined ? {} : { offsetMs }),
    },
    context,
  );
}

export const fractionMs = (digits: string | undefined): number =>
  digits === undefined ? 0 : Math.floor(Number(`0.${digits}`) * 1000 + 1e-6);

function offsetOf(zone: string): number {
  const first = zone.charCodeAt(0);
  if (first !== 43 && first !== 45) return 0;
  const digits = zone.slice(1).replace(":", "");
  const ms = (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0)) * 60_000;
  return first === 45 ? -ms : ms;
}

const inRange = (ms: number, assumed: readonly string[]): LogTime | undefined =>
  ms >= TIME_MIN_MS && ms <= TIME_MAX_MS ? { ms, assumed } : undefined;

const daysOf = (year: number, month: number): number =>
  month === 1 && (year % 4 !== 0 || (year % 100 === 0 && year % 400 !== 0))
    ? 28
    : (DAYS[month] ?? 0);

function toUtc(wall: WallClock, year: number, zone: string): number {
  const { month, day, hour, minute, second } = wall;
  let local = Date.UTC(year, month, day, hour, minute, second, wall.ms ?? 0);
  if (year < 100) local = new Date(local).setUTCFullYear(year);
  if (wall.offsetMs !== undefined) return local - wall.offsetMs;
  if (zone === "UTC") return local;
  const first = offsetAt(zone, local);
  return local - offsetAt(zone, local - first);
}

const QUARTER_MS = 900_000;
const offsetsMax = 20_000;
type ZoneOffsets = {
  readonly format: Intl.DateTimeFormat;
  readonly byQuarter: Map<number, number>;
};
const zones = new Map<string, ZoneOffsets>();

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function offsetAt(zone: string, utcMs: number): number {
  let known = zones.get(zone);
  if (known === undefined) {
    known = { format: zoneFormat(zone), byQuarter: new Map() };
    zones.set(zone, known);
  }
  const quarter = Math.floor(utcMs / QUARTER_MS);
  let offset = known.byQuarter.get(quarter);
  if (offset === undefined) {
    if (known.byQuarter.size >= offsetsMax) known.byQuarter.clear();
    offset = askOffset(known.format, quarter * QUARTER_MS);
    known.byQuarter.set(quarter, offset);
  }
  return offset;
}

const zoneFormat = (zone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });

function askOffset(format: Intl.DateTimeFormat, utcMs: number): number {
  const parts: Record<string, string> = {};
  for (const part of format.formatToParts(utcMs)) parts[part.type] = part.value;
  const part = (name: string): number => Number(parts[name]);
  const year = parts.era === "BC" ? 1 - part("year") : part("year");
  let local = Date.UTC(
    year,
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  if (year < 100) local = new Date(local).setUTCFullYear(year);
  return local - utcMs;
}

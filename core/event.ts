// event.ts — the event as it travels and is kept: an ECS document with Wache's own few fields under `wache`.
//
// Holds: `event.id` names the event for ever (a re-sent line has the same one); `@timestamp` is the log's own
//        time in UTC with milliseconds; nothing downstream changes an event, it is read only.
import { hash } from "node:crypto";

declare const unit: unique symbol;
export type EventTimeMs = number & { readonly [unit]: "event" }; // when the log says it happened

/** Sigma's three words for where a log comes from. */
export type LogSource = {
  readonly product?: string;
  readonly category?: string;
  readonly service?: string;
};

export type EventOfWache = {
  readonly stream: string; // LIVE, or the name of an import
  readonly clockMs?: number; // live: the receipt; import: the stream's clock, absent until it is known
  readonly feeder?: string; // the collector that took it
  readonly source?: string; // the configured input or token that it came by
  readonly sources: readonly LogSource[]; // every log source that it belongs to
  readonly late?: boolean; // older than its clock less the allowed lateness: stored, not correlated
  readonly implausible?: boolean; // more than a day ahead of its clock, or before 1980: stored, not correlated
  readonly assumed?: readonly string[]; // what the log did not say and we took as likely: "year", "zone", "time"
  readonly truncatedBytes?: number; // how much of the line was cut off
  readonly page?: boolean; // an import's incidents page only when its sender asked for it
};

export type EcsEvent = {
  readonly "@timestamp": string;
  readonly message?: string;
  readonly event: { readonly id: string; readonly [field: string]: unknown };
  readonly wache: EventOfWache;
  readonly [field: string]: unknown;
};

export const LIVE = "live";
export const IMPLAUSIBLE_AHEAD_MS = 24 * 3600_000;
export const IMPLAUSIBLE_BEFORE_MS = Date.UTC(1980, 0, 1);

export const timeOf = (event: EcsEvent): EventTimeMs => {
  const text = event["@timestamp"];
  return (plainTimeMs(text) ?? Date.parse(text)) as EventTimeMs;
};

/** False where the time is that of another line, or of the receipt. */
export const saysTime = ({ wache }: Partial<Pick<EcsEvent, "wache">>): boolean =>
  !(Array.isArray(wache?.assumed) && wache.assumed.includes("time"));

const PLAIN_TIME = "0000-00-00T00:00:00.000Z"; // a digit at each 0
const DATE_MARKS: readonly number[] = [4, 7, 10];
const TIME_MARKS: readonly number[] = [13, 16, 19, 23];
const TIME_FROM = 11;

let lastText = ""; // one event's time is asked for by one stage after the other
let lastMs: number | undefined;

/** A time as events carry it, read without the costs of reading any form; undefined where it may be another one. */
export function plainTimeMs(text: string): number | undefined {
  if (text === lastText) return lastMs;
  lastText = text;
  lastMs = readPlainTime(text);
  return lastMs;
}

let lastDate = ""; // of a time as events carry it, with the T behind it
let lastDateMs = 0;

function readPlainTime(text: string): number | undefined {
  if (text.length !== PLAIN_TIME.length) return undefined;
  if (lastDate === "" || !text.startsWith(lastDate)) {
    const dateMs = readDate(text);
    if (dateMs === undefined) return undefined;
    lastDate = text.slice(0, TIME_FROM);
    lastDateMs = dateMs;
  }
  if (!hasMarks(text, TIME_MARKS)) return undefined;
  const hour = digitsAt(text, 11, 2);
  const minute = digitsAt(text, 14, 2);
  const second = digitsAt(text, 17, 2);
  const ms = digitsAt(text, 20, 3);
  if (!(hour <= 23 && minute <= 59 && second <= 59 && ms >= 0)) return undefined;
  return lastDateMs + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
}

function readDate(text: string): number | undefined {
  if (!hasMarks(text, DATE_MARKS)) return undefined;
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 2);
  const day = digitsAt(text, 8, 2);
  if (!(year >= 1000 && month >= 1 && month <= 12 && day >= 1)) return undefined;
  const dateMs = Date.UTC(year, month - 1, day);
  return new Date(dateMs).getUTCDate() === day ? dateMs : undefined; // the month has that day
}

function hasMarks(text: string, places: readonly number[]): boolean {
  for (const at of places) if (text.charCodeAt(at) !== PLAIN_TIME.charCodeAt(at)) return false;
  return true;
}

export const DAY_MS = 86_400_000;
let lastDay = Number.NaN;
let lastDayText = "";

/** A time as events carry it: what Date's toISOString gives, in a sixth of its time where many are of one day. */
export function isoOf(timeMs: number): string {
  const day = Math.floor(timeMs / DAY_MS);
  if (day !== lastDay || !Number.isInteger(timeMs)) {
    const text = new Date(timeMs).toISOString();
    if (text.length !== PLAIN_TIME.length) return text; // of a year before 0 or after 9999
    lastDay = day;
    lastDayText = text.slice(0, 11);
    return text;
  }
  const ms = timeMs - day * DAY_MS;
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const clock = `${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
  return `${lastDayText}${clock}:${twoDigits(seconds % 60)}.${String(ms % 1000).padStart(3, "0")}Z`;
}
const twoDigits = (number: number): string => (number < 10 ? `0${number}` : String(number));

/** So many digits as a number; not a number where one is none. */
function digitsAt(text: string, from: number, count: number): number {
  let number = 0;
  for (let at = from; at < from + count; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

/** A short name made from what identifies a thing: 20 bytes of SHA-256 in base64url, the same for the same parts. */
export function idOf(...parts: readonly (string | number)[]): string {
  let all = "";
  for (const part of parts) {
    const text = String(part);
    all += `${text.length}:${text}`;
  }
  // As text at once, which takes half the time. Its 27th letter has two bits of the 21st byte, which are left out.
  const text = hash("sha256", all, "base64url");
  return text.slice(0, 26) + BASE64URL.charAt(BASE64URL.indexOf(text.charAt(26)) & 0b111100);
}
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The value at a dotted path: `source.ip` as nested objects, as one dotted key, or any mix of the two. */
export function fieldOf(document: unknown, path: string): unknown {
  if (typeof document !== "object" || document === null) return undefined;
  const record = document as Record<string, unknown>;
  if (Object.hasOwn(record, path)) return record[path];
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
    const head = path.slice(0, dot);
    if (!Object.hasOwn(record, head)) continue;
    const below = record[head];
    const rest = path.slice(dot + 1);
    const value = Array.isArray(below)
      ? below.map((item) => fieldOf(item, rest)).flatMap((item) => (item === undefined ? [] : item))
      : fieldOf(below, rest);
    if (Array.isArray(value) && Array.isArray(below) && value.length === 0) continue;
    if (value !== undefined) return value;
  }
  return undefined;
}

type Judgement = { readonly late?: true; readonly implausible?: true };
const IMPLAUSIBLE: Judgement = { implausible: true };
const LATE: Judgement = { late: true };
const NOTHING_SPECIAL: Judgement = {};

/** Windows of event time must not count what came too late or cannot be: decided once, where the event is stamped. */
export function judgeTime(args: {
  readonly timeMs: number;
  readonly clockMs: number | undefined;
  readonly receiptMs: number;
  readonly latenessMs: number;
}): Judgement {
  const { timeMs, clockMs, receiptMs, latenessMs } = args;
  if (timeMs < IMPLAUSIBLE_BEFORE_MS) return IMPLAUSIBLE;
  if (timeMs > Math.max(clockMs ?? receiptMs, receiptMs) + IMPLAUSIBLE_AHEAD_MS) return IMPLAUSIBLE;
  return clockMs !== undefined && clockMs - timeMs > latenessMs ? LATE : NOTHING_SPECIAL;
}

/** The UTC day of a time, as index names carry it: `2026.11.23`. */
export const dayOf = (ms: number): string =>
  new Date(ms).toISOString().slice(0, 10).replaceAll("-", ".");

// stamp.ts — turns a line into records for the bus: parsed, named, judged by its time.
//
// In:    a line (or a JSON value), where it came from, its place, the clock that judges it.
// Out:   one record an event, or a dead letter with its reason; nothing for an empty line.
// Holds: the same line at the same place gives the same ids and, by the same clock, the same record.
import type { OutRecord } from "../core/bus/bus.ts";
import { messageOf } from "../core/errors.ts";
import {
  DAY_MS,
  type EcsEvent,
  type EventOfWache,
  idOf,
  isoOf,
  judgeTime,
  type LogSource,
} from "../core/event.ts";
import { isObject } from "../core/json.ts";
import type { LogSourceReader } from "../core/log-sources.ts";
import { type DeadLetter, type EventRecord, type LetterLine, TOPIC } from "../core/records.ts";
import type { Draft, LineContext, Refusal } from "./parsers/draft.ts";
import { depthRefusal, jsonEvent } from "./parsers/json-line.ts";
import { parseLine } from "./parsers/parsers.ts";

export type Line = {
  readonly text: string; // without its line end
  readonly value?: unknown; // where it came as JSON already
  readonly truncatedBytes?: number;
};

/** Where lines come from: constant for a source. */
export type Origin = {
  readonly feeder: string;
  readonly stream: string;
  readonly source: string; // configured input or token
  readonly zone: string;
  readonly latenessMs: number;
  readonly logSource?: LogSource;
  readonly sourcesOf?: LogSourceReader; // what mapping files say of an event, beside its parser
  readonly page?: boolean;
  readonly address?: string; // the sender's, where it stands in for a host
  readonly path?: string; // of the file
};

/** What is true at this line. */
export type Moment = {
  readonly receiptMs: number;
  readonly yearHintMs?: number; // the file's last change; else the receipt
  readonly timeMs?: number; // for a line that says none; else the receipt
  readonly shiftMs?: number;
  /** The event's name from the place of its line; `repeat` where the line stands for several. */
  readonly id: (repeat: number | undefined) => string;
  /** The clock that judges the event: the receipt, or the stream's. `read`: the log said the time. */
  readonly clock: (timeMs: number, read: boolean) => number | undefined;
};

export type Entry = { readonly record: OutRecord; readonly bytes: number };
export type Tally = { events: number; late: number; implausible: number; dead: number };
export const newTally = (): Tally => ({ events: 0, late: 0, implausible: 0, dead: 0 });

const OVERHEAD_BYTES = 2500; // an event's fields beside its text, in memory
const RAW_CHARS_MAX = 131_072; // of a dead letter
const LONG_CHARS = 60_000; // beyond it the record's real size is looked at
const RECORD_BYTES_MAX = 900_000; // Kafka takes a megabyte
const ESCAPED_BYTES_MAX = 6; // of one character, as JSON writes it

export function stampLine(
  line: Line,
  origin: Origin,
  moment: Moment,
  out: { readonly entries: Entry[]; readonly tally: Tally },
): void {
  if (isEmpty(line)) return;
  const context: LineContext = {
    zone: origin.zone,
    latestMs: (moment.yearHintMs ?? moment.receiptMs) + DAY_MS,
  };
  const draft = read(line, context);
  if ("refused" in draft) {
    out.entries.push(deadLetter(line, draft, origin, moment));
    out.tally.dead++;
    return;
  }
  const bytes = line.text.length * 2 + OVERHEAD_BYTES;
  for (let repeat = 0; repeat < draft.repeat; repeat++) {
    const event = stamp({ draft, line, origin, moment, repeat }, out.tally);
    out.entries.push({ record: recordOf(event, origin), bytes });
  }
}

/** It stands for no event; its place counts. */
export const isEmpty = (line: Line): boolean => line.value === undefined && isBlank(line.text);

/** Nothing but white space and NUL. */
export function isBlank(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 0 && (code < 9 || code > 13)) return false;
  }
  return true;
}

function read(line: Line, context: LineContext): Draft | Refusal {
  try {
    if (isObject(line.value)) return jsonEvent(line.value, context);
    return depthRefusal(line.value) ?? parseLine(line.text, context);
  } catch (error) {
    return { refused: { code: "parse.failed", reason: `the parser failed: ${messageOf(error)}` } };
  }
}

type Stamping = {
  readonly draft: Draft;
  readonly line: Line;
  readonly origin: Origin;
  readonly moment: Moment;
  readonly repeat: number;
};

function stamp({ draft, line, origin, moment, repeat }: Stamping, tally: Tally): EcsEvent {
  const { receiptMs } = moment;
  const said = draft.timeMs !== undefined;
  const timeMs = said ? (draft.timeMs ?? 0) + (moment.shiftMs ?? 0) : (moment.timeMs ?? receiptMs);
  const clockMs = moment.clock(timeMs, said);
  const judged = judgeTime({ timeMs, clockMs, receiptMs, latenessMs: origin.latenessMs });
  tally.events++;
  if (judged.late === true) tally.late++;
  if (judged.implausible === true) tally.implausible++;
  const assumed = said ? draft.assumed : ["time"];
  const wache: Growing<EventOfWache> = {
    stream: origin.stream,
    feeder: origin.feeder,
    source: origin.source,
    sources: draft.sources,
    ...judged,
  };
  if (clockMs !== undefined) wache.clockMs = clockMs;
  if (assumed.length > 0) wache.assumed = assumed;
  if (line.truncatedBytes !== undefined) wache.truncatedBytes = line.truncatedBytes;
  if (origin.page === true) wache.page = true;
  const isOne = draft.repeat === 1;
  const inner: Record<string, unknown> = isOne ? draft.event : { ...draft.event };
  if (draft.original !== undefined) inner.original = draft.original;
  inner.id =
    draft.clientId === undefined
      ? moment.id(isOne ? undefined : repeat)
      : idOf("client", origin.source, draft.clientId);
  // The draft's own objects become the event: copying them is what stamping would mostly do.
  const event: Record<string, unknown> = isOne ? draft.fields : { ...draft.fields };
  event["@timestamp"] = isoOf(timeMs);
  if (draft.message !== undefined) event.message = draft.message;
  event.event = inner;
  wache.sources = sourcesOf(draft.sources, origin, event);
  event.wache = wache;
  place(event, origin);
  const whole = event as EcsEvent;
  return line.text.length > LONG_CHARS ? fitted(whole) : whole;
}

type Growing<T> = { -readonly [name in keyof T]: T[name] };

/** Those that the parser found, the sender's own, and those that mappings add. */
function sourcesOf(
  found: readonly LogSource[],
  { logSource: own, sourcesOf: mapped }: Origin,
  event: Readonly<Record<string, unknown>>,
): readonly LogSource[] {
  const added = mapped?.(event) ?? [];
  const more = own === undefined || Object.keys(own).length === 0 ? added : [own, ...added];
  if (more.length === 0) return found;
  const sources = [...found];
  for (const one of more) if (!sources.some((known) => same(known, one))) sources.push(one);
  return sources;
}

const same = (a: LogSource, b: LogSource): boolean =>
  a.product === b.product && a.category === b.category && a.service === b.service;

/** The sender and the file, beside what the line itself says under `log`. */
function place(event: Record<string, unknown>, { address, path }: Origin): void {
  if (address === undefined && path === undefined) return;
  event.log = {
    ...(isObject(event.log) ? event.log : {}),
    ...(address === undefined ? {} : { source: { address } }),
    ...(path === undefined ? {} : { file: { path } }),
  };
}

/** Escapes can make a line six times as long: the copy goes first, then the message's end. */
function fitted(event: EcsEvent): EcsEvent {
  if (bytesOf(event) <= RECORD_BYTES_MAX) return event;
  const { original: _, ...rest } = event.event;
  const lean: EcsEvent = { ...event, event: { ...rest, id: event.event.id } };
  const bytes = bytesOf(lean);
  if (bytes <= RECORD_BYTES_MAX) return lean;
  const message = lean.message ?? "";
  const room = RECORD_BYTES_MAX - (bytes - bytesOf(message));
  if (room > ESCAPED_BYTES_MAX) return cut(lean, message, room);
  const { "@timestamp": time, wache } = lean;
  const bare: EcsEvent = { "@timestamp": time, event: { id: event.event.id }, wache };
  return cut(bare, JSON.stringify(lean), RECORD_BYTES_MAX / 2); // the fields themselves are too many
}

function cut(event: EcsEvent, text: string, room: number): EcsEvent {
  const message = text.slice(0, Math.floor(room / ESCAPED_BYTES_MAX));
  const lost = Buffer.byteLength(text) - Buffer.byteLength(message);
  const truncatedBytes = (event.wache.truncatedBytes ?? 0) + lost;
  return { ...event, message, wache: { ...event.wache, truncatedBytes } };
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

function recordOf(event: EcsEvent, origin: Origin): OutRecord {
  const value: EventRecord = { kind: "event", event };
  return { topic: TOPIC.events, key: keyOf(event, origin), value };
}

/** All of a host's events keep their order. */
function keyOf(event: EcsEvent, origin: Origin): string {
  const host = event.host;
  const name = isObject(host) ? host.name : event["host.name"];
  if (typeof name === "string" && name !== "") return name.slice(0, 255);
  return origin.address ?? origin.source;
}

function deadLetter(line: Line, { refused }: Refusal, origin: Origin, moment: Moment): Entry {
  const raw = line.text.slice(0, RAW_CHARS_MAX);
  const value: DeadLetter = {
    kind: "dead-letter",
    id: moment.id(undefined),
    source: origin.source,
    reason: refused.reason,
    code: refused.code,
    atMs: moment.receiptMs,
    raw,
    encoding: "utf8",
    line: letterLine({ ...line, truncatedBytes: lostBytes(line, raw) }, origin, moment),
  };
  const record: OutRecord = { topic: TOPIC.deadLetter, key: origin.source, value };
  return { record, bytes: line.text.length * 2 + OVERHEAD_BYTES };
}

const lostBytes = ({ text, truncatedBytes = 0 }: Line, raw: string): number =>
  truncatedBytes + Buffer.byteLength(text) - Buffer.byteLength(raw);

function letterLine({ truncatedBytes = 0 }: Line, origin: Origin, moment: Moment): LetterLine {
  const { stream, zone, logSource, address, path } = origin;
  const { yearHintMs, timeMs, shiftMs } = moment;
  return {
    ...{ stream, zone },
    ...(logSource !== undefined && { logSource }),
    ...(address !== undefined && { address }),
    ...(path !== undefined && { path }),
    ...(origin.page === true && { page: true as const }),
    ...(yearHintMs !== undefined && { yearHintMs }),
    ...(timeMs !== undefined && { timeMs }),
    ...(shiftMs !== undefined && { shiftMs }),
    ...(truncatedBytes > 0 && { truncatedBytes }),
  };
}

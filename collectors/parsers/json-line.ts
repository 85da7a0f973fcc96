// json-line.ts — events that arrive as JSON objects, ECS or flat: they keep their fields.
//
// Holds: what only Wache may say (`wache`, `event.id`) never comes from outside; nesting is bounded; a plain value
//        where ECS has an object (`host: "web1"`) moves to the field that ECS names for it.
import { isObject, type Json } from "../../core/json.ts";
import { saidSources } from "../../core/log-sources.ts";
import { CLIENT_ID, PLAIN_BELONGS } from "../../core/moved-fields.ts";
import type { Draft, LineContext, Refusal } from "./draft.ts";
import { evtxTime } from "./evtx.ts";
import { anyTime, type LogTime } from "./log-time.ts";
import { withWindowsFields } from "./windows-shippers.ts";

export const depthMax = 64;
/** Where logs say when it happened, the plainest first: a later one may be only what the event is about. */
const TIME_FIELDS = [
  ...["@timestamp", "timestamp", "time", "ts", "eventTime", "published", "UtcTime", "EventTime"],
  ...["TimeGenerated", "CreationTime", "activityDateTime", "createdDateTime"], // Microsoft's
  ...["eventTimestamp", "requestReceivedTimestamp", "query_timestamp", "_time"], // Azure's, Kubernetes', Route 53's, Splunk's
];
const IN_UTC: ReadonlySet<string> = new Set(["UtcTime", "CreationTime"]); // Sysmon's and Microsoft 365's, which write no zone

export function jsonLine(text: string, context: LineContext): Draft | Refusal | undefined {
  if (text.charCodeAt(0) !== 123) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // cut off or not JSON at all: kept as a plain line
  }
  return isObject(value) ? jsonEvent(value, context) : undefined;
}

/** Whatever the value is: an array, too, is kept as text only where it can be written. */
export function depthRefusal(value: unknown): Refusal | undefined {
  if (!deeper(value, depthMax)) return undefined;
  const reason = `JSON is nested more than ${depthMax} levels deep; send a flatter event`;
  return { refused: { code: "json.too-deep", reason } };
}

export function jsonEvent(value: Json, context: LineContext): Draft | Refusal {
  const whole = withWindowsFields(value); // a text may have become fields
  const refusal = depthRefusal(whole);
  if (refusal !== undefined) return refusal;
  const { "@timestamp": _time, message, event, wache: _ours, ...rest } = whole;
  const fields: Record<string, unknown> = rest;
  const own = isObject(event) ? event : event === undefined ? {} : { value: event };
  const { id, ...eventFields } = own as Json;
  const draft: Draft = {
    assumed: [],
    event: { ...eventFields },
    fields,
    sources: saidSources(value),
    repeat: 1,
  };
  const flatId = value["event.id"];
  for (const name of Object.keys(fields)) {
    if (name === "event.id" || name === "@timestamp" || name.startsWith("wache.")) {
      delete fields[name];
    }
  }
  nameClient(draft, id ?? flatId);
  if (message !== undefined && message !== null)
    draft.message = typeof message === "string" ? message : JSON.stringify(message);
  for (const [name, below] of PLAIN_BELONGS) {
    const plain = fields[name];
    if (typeof plain === "string" || typeof plain === "number")
      fields[name] = { [below]: String(plain) };
  }
  readTime(value, draft, context);
  return draft;
}

function nameClient(draft: Draft, id: unknown): void {
  if (typeof id !== "string" && typeof id !== "number") return;
  const name = String(id);
  if (name === "") return;
  draft.clientId = name;
  draft.event[CLIENT_ID] = name.slice(0, 512);
}

function readTime(value: Json, draft: Draft, context: LineContext): void {
  const time = jsonTime(value, context);
  if (time === undefined) return;
  draft.timeMs = time.ms;
  draft.assumed = time.assumed;
}

/** The time that an event says of itself, in whichever of the usual fields. */
export function jsonTime(value: Json, context: LineContext): LogTime | undefined {
  for (const name of TIME_FIELDS) {
    if (!Object.hasOwn(value, name)) continue;
    const time = IN_UTC.has(name) ? utcTime(value[name], context) : anyTime(value[name], context);
    if (time !== undefined) return time;
  }
  return anyTime(evtxTime(value), context);
}

/** Whatever zone the source has: nothing is assumed where none is said. */
function utcTime(value: unknown, context: LineContext): LogTime | undefined {
  const time = anyTime(value, { ...context, zone: "UTC" });
  return time && { ms: time.ms, assumed: time.assumed.filter((what) => what !== "zone") };
}

function deeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const child of Array.isArray(value) ? value : Object.values(value))
    if (deeper(child, levels - 1)) return true;
  return false;
}

// windows-shippers.ts — Windows events of shippers that put into a text or a number what the event log says in fields.
//
// In:    an event as plain JSON.
// Out:   the event with these fields as well, where rules look for them; one of another kind as it is.
// Why:   a mapping says where a field stands, not what has become of its value.
import { isObject, type Json } from "../../core/json.ts";
import { kept } from "../../core/kept.ts";
import { withNamedData } from "./evtx.ts";

export const withWindowsFields = (event: Json): Json =>
  withNamedData(withPayload(withChannel(withKeywords(event))));

/** EvtxECmd has the event's data as JSON in a text, and the ids of the process that wrote the event under a name of its data. */
function withPayload(event: Json): Json {
  if (typeof event.Payload !== "string" || event.EventId === undefined || event.Event !== undefined)
    return event;
  const data = objectIn(event.Payload);
  if (!isObject(data?.EventData) && !isObject(data?.UserData)) return event;
  const { Payload: _text, ProcessId: pid, ThreadId: thread, ...rest } = event;
  return {
    ...rest,
    ...(pid !== undefined && { ExecutionProcessID: pid }),
    ...(thread !== undefined && { ExecutionThreadID: thread }),
    Event: data,
  };
}

function objectIn(text: string): Json | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined; // cut off
  }
}

const SPLUNK = /^(Xml)?WinEventLog:/;

/** Splunk's `source` names the channel where nothing else does. */
function withChannel(event: Json): Json {
  const { source, Channel, LogName } = event;
  if (typeof source !== "string" || Channel !== undefined || LogName !== undefined) return event;
  return SPLUNK.test(source) ? { ...event, Channel: source.replace(SPLUNK, "") } : event;
}

const AUDIT: ReadonlyMap<unknown, string> = new Map([
  ["Audit Failure", "0x8010000000000000"],
  ["Audit Success", "0x8020000000000000"],
]);

/** Rules write keywords as the event log does, in hexadecimal; NXLog writes a signed number, Winlogbeat words. */
function withKeywords(event: Json): Json {
  const { Keywords: bits, winlog } = event;
  if (typeof bits === "number" && Number.isInteger(bits))
    return { ...event, Keywords: inHexadecimal(bits) };
  if (!isObject(winlog) || !Array.isArray(winlog.keywords)) return event;
  const words = winlog.keywords.slice(0, KEYWORDS_MAX);
  const said = words.flatMap((word) => AUDIT.get(word) ?? []);
  const isThere = said.every((one) => words.includes(one));
  if (isThere) return event;
  return { ...event, winlog: { ...winlog, keywords: [...winlog.keywords, ...said] } };
}

/** What most events say is made once: it costs as much as a quarter of parsing an event. */
const inHexadecimal = (bits: number): string =>
  kept(hexadecimals, bits, () => `0x${BigInt.asUintN(64, BigInt(bits)).toString(16)}`);
const hexadecimals = new Map<number, string>();

const KEYWORDS_MAX = 64; // looked at; Windows has as many bits

// leaves.ts — a document as searches see it: paths with plain values, and how those compare.
//
// Holds: `{"a":{"b":1}}`, `{"a.b":1}` and `{"a":[{"b":1}]}` are the same leaf; null is no value; what is beyond the
//        bounds is not searchable in any store, so that all of them answer alike.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { lowered } from "../letter-case.ts";

export type Scalar = string | number | boolean;
export const LEAVES_MAX = 5_000;
export const DEPTH_MAX = 100;
export const PATH_CHARS_MAX = 1_000;
export const VALUE_CHARS_MAX = 1_024; // field comparisons see this much of a value; words see all of it

/** Calls `visit` for each value, in the document's order. */
export function eachLeaf(document: unknown, visit: (path: string, value: Scalar) => void): void {
  let left = LEAVES_MAX;
  const walk = (value: unknown, path: string, depth: number): void => {
    if (left <= 0 || value === null || value === undefined) return;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      left--;
      visit(path, value);
      return;
    }
    if (typeof value !== "object" || depth >= DEPTH_MAX) return;
    if (Array.isArray(value)) {
      for (const item of value) walk(item, path, depth + 1);
      return;
    }
    const record = value as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(record)) {
      const below = path === "" ? key : `${path}.${key}`;
      if (below.length <= PATH_CHARS_MAX) walk(record[key], below, depth + 1);
    }
  };
  walk(document, "", 0);
}

/** Whether bare words look into the value: not into ids, times and Wache's own marks, which would only make noise. */
export const isText = (path: string): boolean =>
  path !== "@timestamp" && path !== "event.id" && !path.startsWith("wache.");

/** What two values are compared by, so that case does not matter. */
export function fold(value: Scalar): string {
  const text = String(value);
  const cut = text.length > VALUE_CHARS_MAX ? text.slice(0, VALUE_CHARS_MAX) : text;
  return foldText(cut);
}
/** The same of a text of which nothing is left out. */
export const foldText = (text: string): string => lowered(text).toWellFormed();

/** Something with an order of its own. Two of different kinds never compare. */
export type Ordered = { readonly kind: "number" | "time" | "address"; readonly key: string };

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const TIME = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** The number, time or address that a value is; its keys sort as texts. */
export function orderedOf(value: Scalar): Ordered | undefined {
  if (typeof value === "number") return { kind: "number", key: numberKey(value) };
  if (typeof value === "boolean" || value.length > 64) return undefined;
  const first = value.charCodeAt(0);
  // Nothing that is ordered begins with a letter beyond f.
  if (first > 102 || value === "") return undefined;
  if (NUMBER.test(value)) {
    const number = Number(value);
    return Number.isFinite(number) ? { kind: "number", key: numberKey(number) } : undefined;
  }
  if (TIME.test(value)) {
    const ms = timeMsOf(value);
    return ms === undefined ? undefined : { kind: "time", key: numberKey(ms) };
  }
  const address = addressOf(value);
  return address === undefined ? undefined : { kind: "address", key: hexOf(address) };
}

/** The sixteen bytes of an address; IPv4 as its IPv6 mapping, so that both forms are one. */
export function addressOf(text: string): readonly number[] | undefined {
  if (text.length > 45 || isIP(text) === 0) return undefined;
  const parsed = ipaddr.parse(text);
  const six = parsed instanceof ipaddr.IPv4 ? parsed.toIPv4MappedAddress() : parsed;
  return six.toByteArray();
}

/** The first and last address of a network, as keys; undefined where the text is no network. */
export function networkOf(
  cidr: string,
): { readonly from: string; readonly to: string } | undefined {
  const [text = "", bitsText = "", more] = cidr.split("/");
  const address = addressOf(text);
  if (address === undefined || more !== undefined || !/^\d{1,3}$/.test(bitsText)) return undefined;
  const isFour = isIP(text) === 4;
  const bits = Number(bitsText) + (isFour ? 96 : 0);
  if (bits > 128) return undefined;
  const from = address.map((byte, index) => byte & maskByte(bits, index));
  const to = address.map((byte, index) => byte | (255 - maskByte(bits, index)));
  return { from: hexOf(from), to: hexOf(to) };
}

const maskByte = (bits: number, index: number): number => {
  const here = Math.min(8, Math.max(0, bits - index * 8));
  return (0xff << (8 - here)) & 0xff;
};

const hexOf = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** A time without a zone is UTC. */
function timeMsOf(text: string): number | undefined {
  const day = text.slice(0, 10);
  const rest = text.slice(11).toUpperCase();
  const clock = rest === "" ? "00:00Z" : /(Z|[+-]\d\d:?\d\d)$/.test(rest) ? rest : `${rest}Z`;
  const zoned = clock.replace(/([+-]\d\d)(\d\d)$/, "$1:$2");
  const ms = Date.parse(`${day}T${zoned}`);
  return Number.isNaN(ms) ? undefined : ms;
}

const view = new DataView(new ArrayBuffer(8));
/** Sixteen hexadecimal digits that sort as the numbers do. */
export function numberKey(value: number): string {
  view.setFloat64(0, value === 0 ? 0 : value);
  const high = view.getUint32(0);
  const low = view.getUint32(4);
  const negative = high >>> 31 === 1;
  const h = negative ? ~high >>> 0 : (high | 0x80000000) >>> 0;
  const l = negative ? ~low >>> 0 : low;
  return h.toString(16).padStart(8, "0") + l.toString(16).padStart(8, "0");
}

/** Texts by code point, which is also the order of their UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const most = Math.min(a.length, b.length);
  for (let at = 0; at < most; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x === y) continue;
    const xPair = x >= 0xd800 && x <= 0xdfff;
    const yPair = y >= 0xd800 && y <= 0xdfff;
    return xPair === yPair ? x - y : xPair ? 1 : -1;
  }
  return a.length - b.length;
}

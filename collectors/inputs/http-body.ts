// http-body.ts — what a body of POST /ingest holds: a JSON value, JSON lines or plain lines, perhaps compressed.
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { messageOf } from "../../core/errors.ts";
import { isObject } from "../../core/json.ts";
import { depthMax } from "../parsers/json-line.ts";
import type { Line } from "../stamp.ts";
import { decode, lineOf } from "./text.ts";

export type Body =
  | { readonly kind: "lines"; readonly lines: readonly Line[] }
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly code: string;
      readonly message: string;
    };

const DECODERS = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
} as const;

/** Lines, or JSON values, of one body: each costs memory, however short it is. */
export const partsMax = 2_000_000;
const LINE_BYTES = 80; // in memory, beside its text
const VALUE_BYTES = 120;

/** What reading the body will take, before anything of it is read; a refusal where that is too much. */
export function weigh(bytes: Buffer, contentType: string | undefined): number | Body {
  const isJson = isJsonType(contentType);
  const { lines, values } = partsOf(bytes, isJson);
  if (Math.max(lines, values) > partsMax)
    return refused(413, "ingest.body-too-long", {
      message: `the body has more than ${partsMax} ${lines > partsMax ? "lines" : "JSON values"}; send less at once`,
    });
  return bytes.length + (isJson ? Math.max(lines, values) * VALUE_BYTES : lines * LINE_BYTES);
}

function partsOf(
  bytes: Buffer,
  isJson: boolean,
): { readonly lines: number; readonly values: number } {
  let lines = 1;
  let values = 0;
  let isQuoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 10) lines++;
    if (!isJson) continue;
    if (byte === 34) isQuoted = !isQuoted;
    else if (isQuoted) at += byte === 92 ? 1 : 0;
    else if (byte === 44 || byte === 91 || byte === 123) values++;
  }
  return { lines, values };
}

export async function unpacked(
  body: Buffer,
  encoding: string | undefined,
  bytesMax: number,
): Promise<Buffer | Body> {
  const name = (encoding ?? "identity").trim().toLowerCase();
  if (name === "identity" || name === "") return body;
  if (!Object.hasOwn(DECODERS, name))
    return refused(415, "ingest.encoding", {
      message: `Content-Encoding "${name.slice(0, 40)}" is not known; send one of ${Object.keys(DECODERS).join(", ")}, or none`,
    });
  try {
    return await DECODERS[name as keyof typeof DECODERS](body, { maxOutputLength: bytesMax });
  } catch (error) {
    const isLong = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    return isLong
      ? refused(413, "ingest.body-too-long", {
          message: `the body unpacks to more than ${bytesMax} bytes; send less at once, or raise collectors.http.bodyBytesMax`,
        })
      : refused(400, "ingest.encoding", {
          message: `the body is not ${name} as Content-Encoding says: ${messageOf(error)}`,
        });
  }
}

/** Each line, or each element of a JSON array, in its place; empty lines keep theirs. */
export function bodyOf(bytes: Buffer, contentType: string | undefined, lineBytesMax: number): Body {
  if (isJsonType(contentType)) return jsonBody(bytes, lineBytesMax);
  return { kind: "lines", lines: linesOf(bytes, lineBytesMax) };
}

export const isJsonType = (contentType: string | undefined): boolean =>
  (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() === "application/json";

function linesOf(bytes: Buffer, lineBytesMax: number): Line[] {
  const lines: Line[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(10, start);
    const end = found < 0 ? bytes.length : found;
    lines.push(lineOf(bytes.subarray(start, end), lineBytesMax));
    start = end + 1;
  }
  return lines;
}

function jsonBody(bytes: Buffer, lineBytesMax: number): Body {
  const text = decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return jsonLines(bytes, lineBytesMax, messageOf(error));
  }
  const values = Array.isArray(value) ? value : (listIn(value) ?? [value]);
  const areShort = bytes.length <= lineBytesMax;
  return { kind: "lines", lines: values.map((one) => jsonLineOf(one, areShort, lineBytesMax)) };
}

/** The events of an object that services write around a list of them, and nothing else. */
function listIn(value: unknown): readonly unknown[] | undefined {
  if (!isObject(value)) return undefined;
  const names = Object.keys(value);
  const only = names.length === 1 ? names[0] : undefined;
  const list =
    only === "Records" || only === "records" // CloudTrail's files; what Azure exports
      ? value[only]
      : value.kind === "EventList" // Kubernetes' webhook
        ? value.items
        : "@odata.context" in value // a page of Microsoft Graph
          ? value.value
          : undefined;
  return Array.isArray(list) && list.every(isObject) ? list : undefined;
}

/** Many senders call JSON lines JSON. */
function jsonLines(bytes: Buffer, lineBytesMax: number, fault: string): Body {
  const lines = linesOf(bytes, lineBytesMax);
  const first = lines.find((line) => line.text.trim() !== "")?.text ?? "";
  if (lines.length > 1 && isJson(first)) return { kind: "lines", lines };
  return refused(400, "ingest.json", {
    message: `the body is not JSON (${fault}); send a JSON object or array, or lines with Content-Type text/plain or application/x-ndjson`,
  });
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** An element that is too long for a line is treated as such a line is. */
function jsonLineOf(value: unknown, isShort: boolean, lineBytesMax: number): Line {
  if (typeof value === "string") return lineOf(Buffer.from(value), lineBytesMax);
  const text = textOf(value);
  if (isShort || text.length <= lineBytesMax / 4) return { text, value };
  const line = lineOf(Buffer.from(text), lineBytesMax);
  return line.truncatedBytes === undefined ? { text, value } : line;
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(shallow(value, depthMax)); // nested too deep to be written as it is
  }
}

/** What lies deeper than any event may is left out, and says so. */
function shallow(value: unknown, levels: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (levels === 0) return "(nested too deep)";
  if (Array.isArray(value)) return value.map((one) => shallow(one, levels - 1));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, shallow(one, levels - 1)]),
  );
}

const refused = (
  status: number,
  code: string,
  { message }: { readonly message: string },
): Body => ({ kind: "refused", status, code, message });

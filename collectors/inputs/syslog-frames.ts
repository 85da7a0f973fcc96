// syslog-frames.ts — cuts a TCP stream into syslog messages: octet counting or lines, told apart frame by frame.
//
// In:    bytes as they come, cut anywhere.
// Out:   messages; one that is longer than `bytesMax` is cut, and says by how much.
// Holds: keeps at most `bytesMax` bytes of a message, whatever length it claims.
import { lineOf } from "./text.ts";

export type Framed = { readonly text: string; readonly truncatedBytes?: number };

const COUNT_DIGITS_MAX = 9;

export class SyslogFramer {
  readonly #bytesMax: number;
  #kept: Buffer = Buffer.alloc(0);
  #leftOut = 0;
  #countedLeft: number | undefined; // bytes of a counted message that are still to come

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(chunk: Buffer): Framed[] {
    const out: Framed[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#countedLeft !== undefined) {
        rest = this.#counted(rest, this.#countedLeft, out);
        continue;
      }
      if (this.#leftOut === 0 && mayBeCount(this.#kept, rest)) {
        const joined = Buffer.concat([this.#kept, rest]);
        const count = countAt(joined);
        if (count === "more") {
          this.#kept = joined;
          return out;
        }
        if (count !== undefined) {
          this.#kept = Buffer.alloc(0);
          this.#countedLeft = count.bytes;
          rest = joined.subarray(count.end);
          continue;
        }
      }
      rest = this.#line(rest, out);
    }
    return out;
  }

  /** What a closed connection left behind. */
  finish(): Framed[] {
    const out: Framed[] = [];
    if (this.#kept.length > 0 || this.#leftOut > 0) this.#emit(out);
    this.#countedLeft = undefined;
    return out;
  }

  #counted(bytes: Buffer, left: number, out: Framed[]): Buffer {
    const part = bytes.subarray(0, left);
    this.#keep(part);
    this.#countedLeft = left - part.length;
    if (this.#countedLeft === 0) {
      this.#countedLeft = undefined;
      this.#emit(out);
    }
    return bytes.subarray(part.length);
  }

  #line(bytes: Buffer, out: Framed[]): Buffer {
    const end = bytes.indexOf(10);
    if (end < 0) {
      this.#keep(bytes);
      return Buffer.alloc(0);
    }
    this.#keep(bytes.subarray(0, end));
    this.#emit(out);
    return bytes.subarray(end + 1);
  }

  #keep(bytes: Buffer): void {
    const room = this.#bytesMax + 1 - this.#kept.length;
    const kept = bytes.subarray(0, Math.max(room, 0));
    this.#leftOut += bytes.length - kept.length;
    if (kept.length === 0) return;
    this.#kept = this.#kept.length === 0 ? Buffer.from(kept) : Buffer.concat([this.#kept, kept]);
  }

  #emit(out: Framed[]): void {
    const line = lineOf(this.#kept, this.#bytesMax, this.#leftOut);
    this.#kept = Buffer.alloc(0);
    this.#leftOut = 0;
    if (line.text !== "") out.push(line);
  }
}

const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 48 && byte <= 57;

/** Only at the beginning of a frame, which begins with what is kept. */
const mayBeCount = (kept: Buffer, rest: Buffer): boolean =>
  kept.length <= COUNT_DIGITS_MAX + 1 && isDigit(kept.length > 0 ? kept[0] : rest[0]);

/** `123 <`: a count is believed only in front of a priority, for lines may begin with numbers. */
function countAt(
  bytes: Buffer,
): { readonly bytes: number; readonly end: number } | "more" | undefined {
  if (bytes[0] === 48) return undefined;
  let end = 0;
  while (end < COUNT_DIGITS_MAX && isDigit(bytes[end])) end++;
  if (end === bytes.length) return "more";
  if (bytes[end] !== 32) return undefined;
  if (end + 1 === bytes.length) return "more";
  if (bytes[end + 1] !== 60) return undefined;
  return { bytes: Number(bytes.toString("latin1", 0, end)), end: end + 1 };
}

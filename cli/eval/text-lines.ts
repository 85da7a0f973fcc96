// text-lines.ts — the lines of a stream of bytes as text, at hardly more than the cost of reading them.
//
// In:    bytes in chunks of any size.
// Out:   each line without its newline, and its number from 0; after each chunk a pause, for whoever writes.
// Holds: a line has at most `bytesMax` bytes in memory; a longer one is told as undefined.
// Why:   bytes of plain ASCII become one string, of which lines are slices: a copy and a call a line are saved. A chunk
//        that is not all ASCII is halved until most of its parts are; one from which V8 would make a string of more than
//        128 KiB too, for those get new pages from the system each time, at the price of parsing what is in them.
import { isAscii } from "node:buffer";

const NEWLINE = 10;
const BLOCK_BYTES = 8 * 1024; // not cut any smaller
const TEXT_BYTES_MAX = 126 * 1024;
export const LINE_BYTES_MAX = 64 * 1024 * 1024;

export type TakeLine = (line: string | undefined, number: number) => void;

export async function eachLine(
  chunks: AsyncIterable<Uint8Array>,
  take: TakeLine,
  options: { readonly afterChunk?: () => Promise<void>; readonly bytesMax?: number } = {},
): Promise<void> {
  const { afterChunk, bytesMax = LINE_BYTES_MAX } = options;
  const rest = new Rest(bytesMax);
  let number = 0;
  const takeNext = (line: string | undefined): void => take(line, number++);
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const first = bytes.indexOf(NEWLINE);
    if (first < 0) {
      rest.add(bytes);
      continue;
    }
    const last = bytes.lastIndexOf(NEWLINE);
    const from = rest.isEmpty ? 0 : first + 1;
    if (from > 0) {
      rest.add(bytes.subarray(0, first));
      takeNext(rest.take());
    }
    takeLines(bytes.subarray(from, last + 1), bytesMax, takeNext);
    rest.add(bytes.subarray(last + 1));
    await afterChunk?.();
  }
  if (!rest.isEmpty) takeNext(rest.take());
  await afterChunk?.();
}

/** Bytes that end in a newline, or none. */
function takeLines(
  bytes: Buffer,
  bytesMax: number,
  take: (line: string | undefined) => void,
): void {
  if (bytes.length <= Math.min(bytesMax, TEXT_BYTES_MAX) && isAscii(bytes)) {
    const text = bytes.toString("latin1");
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      take(text.slice(from, end));
      from = end + 1;
    }
    return;
  }
  const middle = bytes.lastIndexOf(NEWLINE, bytes.length >> 1) + 1;
  if (bytes.length > BLOCK_BYTES && middle > 0 && middle < bytes.length) {
    takeLines(bytes.subarray(0, middle), bytesMax, take);
    takeLines(bytes.subarray(middle), bytesMax, take);
    return;
  }
  let from = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
    take(end - from > bytesMax ? undefined : bytes.toString("utf8", from, end));
    from = end + 1;
  }
}

/** The beginning of a line whose end has not come. */
class Rest {
  readonly #bytesMax: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  add(part: Buffer): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes > this.#bytesMax) this.#parts = [];
    else this.#parts.push(Buffer.from(part)); // a copy: the chunk may be used again
  }

  take(): string | undefined {
    const line =
      this.#bytes > this.#bytesMax
        ? undefined
        : Buffer.concat(this.#parts, this.#bytes).toString("utf8");
    this.#parts = [];
    this.#bytes = 0;
    return line;
  }
}

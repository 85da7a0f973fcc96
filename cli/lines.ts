// lines.ts — a file as batches of whole lines, in bounded memory.
//
// In:    bytes, plain or gzip.
// Out:   batches: lines as they are, newline ended, and the index of the first one.
// Holds: a batch has at most `linesMax` lines and, but for a single longer line, `bytesMax` bytes.
import { fstatSync, read } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { promisify } from "node:util";
import { createGunzip } from "node:zlib";

export type LineBatch = {
  readonly position: number;
  readonly lines: number;
  readonly body: Buffer;
};
export const BATCH_LINES_MAX = 500;
export const BATCH_BYTES_MAX = 1_000_000;
/** The rest of a longer line is left out; a collector cuts far earlier. */
const LINE_BYTES_MAX = 8 * 1024 * 1024;
const NEWLINE = 0x0a;

export async function* lineBatches(
  chunks: AsyncIterable<Uint8Array>,
  limits = { linesMax: BATCH_LINES_MAX, bytesMax: BATCH_BYTES_MAX },
): AsyncGenerator<LineBatch> {
  let position = 0;
  let lines: Buffer[] = [];
  let bytes = 0;
  const take = (): LineBatch => {
    const batch = { position, lines: lines.length, body: Buffer.concat(lines, bytes) };
    position += lines.length;
    lines = [];
    bytes = 0;
    return batch;
  };
  for await (const line of linesOf(chunks)) {
    if (lines.length > 0 && bytes + line.length > limits.bytesMax) yield take();
    lines.push(line);
    bytes += line.length;
    if (lines.length >= limits.linesMax) yield take();
  }
  if (lines.length > 0) yield take();
}

/** Each line with its newline; the last one gets one where it has none. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  const begin = (part: Buffer): void => {
    const room = LINE_BYTES_MAX - begunBytes;
    if (room > 0) begun.push(part.subarray(0, room));
    begunBytes += Math.min(part.length, Math.max(room, 0));
  };
  for await (const chunk of chunks) {
    const data = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let from = 0;
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, from)) {
      begin(data.subarray(from, end));
      yield Buffer.concat([...begun, LINE_END]);
      begun = [];
      begunBytes = 0;
      from = end + 1;
    }
    if (from < data.length) begin(Buffer.from(data.subarray(from)));
  }
  if (begunBytes > 0) yield Buffer.concat([...begun, LINE_END]);
}
const LINE_END = Buffer.from("\n");

/** A file's bytes, a named pipe's too; what is packed by gzip, known by its first bytes, is unpacked. A chunk holds until the next one is asked for. */
export async function openBytes(path: string): Promise<AsyncIterable<Uint8Array>> {
  const handle = await open(path);
  return unpacked(chunksOf(handle.fd, handle));
}

/** Standard input's bytes, as `openBytes` gives a file's. */
export async function inputBytes(): Promise<AsyncIterable<Uint8Array>> {
  const { stdin } = process;
  return unpacked(
    fstatSync(stdin.fd).isFile() ? chunksOf(stdin.fd) : stdin[Symbol.asyncIterator](),
  );
}

async function unpacked(chunks: AsyncIterableIterator<Buffer>): Promise<AsyncIterable<Uint8Array>> {
  let first: Buffer = NOTHING;
  while (first.length < 2) {
    const { value } = await chunks.next();
    if (value === undefined) break;
    first = value.length < 2 || first.length > 0 ? Buffer.concat([first, value]) : value;
  }
  const all = begun(first, chunks);
  if (first.length < 2 || first.readUInt16BE(0) !== GZIP) return all;
  const plain = createGunzip();
  pipeline(Readable.from(copiesOf(all)), plain, () => {}); // whoever reads is told of an error
  return plain;
}
const GZIP = 0x1f8b;
const NOTHING = Buffer.alloc(0);

async function* begun(first: Buffer, others: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  yield* others;
}

async function* copiesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

const CHUNK_BYTES = 240 * 1024; // two halves of it are texts as long as eachLine makes them
const readInto = promisify(read);

/** One buffer, again and again: a stream, which makes a new one each time, costs six times as much. */
async function* chunksOf(
  fd: number,
  handle?: { readonly close: () => Promise<void> },
): AsyncGenerator<Buffer, undefined> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  try {
    for (;;) {
      const { bytesRead } = await readInto(fd, buffer, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle?.close();
  }
}

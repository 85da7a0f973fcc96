// spool.ts — events on disk while the bus is away, in the order in which they came.
//
// In:    batches of records; each is on disk, flushed, when `append` says "kept".
// Out:   the same batches in the same order; a batch leaves the spool by `advance`, once the bus has it.
// Holds: survives kill -9 and loss of power: what was torn while it was written was not acknowledged, and is skipped.
//        After a crash a batch may be read again; its ids are the same.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Logger } from "pino";
import type { OutRecord } from "../core/bus/bus.ts";
import { messageOf } from "../core/errors.ts";

export type SpoolOptions = {
  readonly dir: string;
  readonly bytesMax: number;
  readonly segmentBytesMax: number;
  readonly log: Logger;
};
export type Kept = "kept" | "full" | "failed";

type Segment = { readonly number: number; bytes: number };
const HEADER_BYTES = 8;
const CURSOR = /^(\d{1,12}) (\d{1,15})\s*$/;

export class Spool {
  readonly #options: SpoolOptions;
  readonly #segments: Segment[]; // oldest first; the last may be written to
  #writing: FileHandle | undefined;
  #reading: { readonly number: number; readonly file: FileHandle } | undefined;
  #cursor: FileHandle | undefined;
  #offset: number; // in the first segment
  #nextNumber: number;
  #appending = false;

  constructor(options: SpoolOptions) {
    mkdirSync(options.dir, { recursive: true });
    this.#options = options;
    this.#segments = readdirSync(options.dir)
      .map((name) => /^(\d{12})\.spool$/.exec(name)?.[1])
      .filter((number) => number !== undefined)
      .sort()
      .map((number) => ({
        number: Number(number),
        bytes: statSync(this.#path(Number(number))).size,
      }));
    this.#nextNumber = (this.#segments.at(-1)?.number ?? 0) + 1;
    this.#offset = this.#readCursor();
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0) - this.#offset;
  }

  get isEmpty(): boolean {
    return this.bytes <= 0;
  }

  async append(records: readonly OutRecord[]): Promise<Kept> {
    const payload = Buffer.from(JSON.stringify(records));
    const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
    frame.writeUInt32LE(payload.length, 0);
    frame.writeUInt32LE(crc32(payload), 4);
    payload.copy(frame, HEADER_BYTES);
    if (this.bytes + frame.length > this.#options.bytesMax) return "full";
    this.#appending = true;
    try {
      const { file, segment } = await this.#writable();
      await file.write(frame, 0, frame.length, segment.bytes);
      await file.datasync();
      segment.bytes += frame.length;
      return "kept";
    } catch (error) {
      this.#options.log.error({ err: error }, `the spool cannot be written: ${messageOf(error)}`);
      await this.#closeWriting(); // what follows goes to a file of its own, behind the torn end
      return "failed";
    } finally {
      this.#appending = false;
    }
  }

  /** The oldest batch that is still in the spool. */
  async read(): Promise<
    { readonly records: readonly OutRecord[]; readonly bytes: number } | undefined
  > {
    for (;;) {
      const segment = this.#segments[0];
      if (segment === undefined) return undefined;
      const frame = this.#offset < segment.bytes ? await this.#frame(segment) : undefined;
      if (frame !== undefined) return frame;
      if (this.#isWrittenTo(segment)) return undefined;
      if (this.#offset < segment.bytes) this.#sayTorn(segment);
      await this.#removeFirst();
    }
  }

  /** The batch that `read` gave is on the bus. */
  async advance(bytes: number): Promise<void> {
    const segment = this.#segments[0];
    if (segment === undefined) return;
    this.#offset += bytes;
    await this.#writeCursor(segment.number);
    if (this.#offset >= segment.bytes && !this.#isWrittenTo(segment)) await this.#removeFirst();
  }

  async close(): Promise<void> {
    await this.#closeWriting();
    await this.#reading?.file.close();
    await this.#cursor?.close();
    this.#reading = undefined;
    this.#cursor = undefined;
  }

  /** Right now: its size is not yet what it will be. */
  #isWrittenTo(segment: Segment): boolean {
    return this.#appending && segment === this.#segments.at(-1);
  }

  async #frame(
    segment: Segment,
  ): Promise<{ readonly records: readonly OutRecord[]; readonly bytes: number } | undefined> {
    const left = segment.bytes - this.#offset;
    const file = await this.#readable(segment.number);
    const header = Buffer.alloc(HEADER_BYTES);
    if (left < HEADER_BYTES) return undefined;
    await file.read(header, 0, HEADER_BYTES, this.#offset);
    const length = header.readUInt32LE(0);
    if (length === 0 || length > left - HEADER_BYTES) return undefined;
    const payload = Buffer.allocUnsafe(length);
    const { bytesRead } = await file.read(payload, 0, length, this.#offset + HEADER_BYTES);
    if (bytesRead !== length || crc32(payload) !== header.readUInt32LE(4)) return undefined;
    return {
      records: JSON.parse(payload.toString()) as OutRecord[],
      bytes: HEADER_BYTES + length,
    };
  }

  #sayTorn(segment: Segment): void {
    this.#options.log.warn(
      { file: this.#path(segment.number), offset: this.#offset, bytes: segment.bytes },
      "the end of a spool file was torn by a crash; what it held was never acknowledged",
    );
  }

  async #writable(): Promise<{ readonly file: FileHandle; readonly segment: Segment }> {
    const last = this.#segments.at(-1);
    if (this.#writing !== undefined && last !== undefined) {
      if (last.bytes < this.#options.segmentBytesMax) return { file: this.#writing, segment: last };
      await this.#closeWriting();
    }
    const segment = { number: this.#nextNumber++, bytes: 0 };
    const file = await open(this.#path(segment.number), "wx", 0o600);
    this.#writing = file;
    this.#segments.push(segment);
    const folder = await open(this.#options.dir, "r");
    await folder.sync().finally(() => folder.close());
    return { file, segment };
  }

  async #closeWriting(): Promise<void> {
    const file = this.#writing;
    this.#writing = undefined;
    await file?.close().catch(() => undefined);
  }

  async #readable(number: number): Promise<FileHandle> {
    if (this.#reading?.number === number) return this.#reading.file;
    await this.#reading?.file.close();
    const file = await open(this.#path(number), "r");
    this.#reading = { number, file };
    return file;
  }

  async #removeFirst(): Promise<void> {
    const segment = this.#segments.shift();
    if (segment === undefined) return;
    if (this.#segments.length === 0) await this.#closeWriting();
    if (this.#reading?.number === segment.number) {
      await this.#reading.file.close();
      this.#reading = undefined;
    }
    this.#offset = 0;
    rmSync(this.#path(segment.number), { force: true });
  }

  #path(number: number): string {
    return join(this.#options.dir, `${String(number).padStart(12, "0")}.spool`);
  }

  #readCursor(): number {
    const path = join(this.#options.dir, "cursor");
    const found = existsSync(path) ? CURSOR.exec(readFileSync(path, "latin1")) : null;
    const first = this.#segments[0];
    if (found === null || first === undefined || Number(found[1]) !== first.number) return 0;
    const offset = Number(found[2]);
    return offset <= first.bytes ? offset : 0;
  }

  async #writeCursor(number: number): Promise<void> {
    const path = join(this.#options.dir, "cursor");
    this.#cursor ??= await open(path, existsSync(path) ? "r+" : "w", 0o600);
    await this.#cursor.write(`${number} ${this.#offset}`.padEnd(40), 0);
  }
}

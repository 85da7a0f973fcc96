// file-tail.ts — one file that is followed: what was read, under which generation, and what is new.
//
// In:    a file that grows, is cut to nothing, renamed or deleted under us.
// Out:   its complete lines, each at its place; the last line waits for its end.
// Holds: a generation names the content: it is new when the file shrank or its first line changed, and it is durable
//        before its first line leaves; the offset is durable after the lines up to it are.
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { CollectorDb, FileCheckpoint } from "../collector-db.ts";
import { LineSplitter, type PlacedLine } from "./line-splitter.ts";

export type TailedLines = {
  readonly path: string;
  readonly generation: string;
  readonly changedMs: number; // the file's last change
  readonly lines: readonly PlacedLine[];
};

export type TailParts = {
  readonly db: CollectorDb;
  readonly now: () => number;
  readonly random: () => string;
  readonly lineBytesMax: number;
  /** Resolves when the lines are durable. */
  readonly send: (lines: TailedLines) => Promise<void>;
};

const HEAD_BYTES = 1024;
const CHUNK_BYTES = 512 * 1024;
const TURN_BYTES_MAX = 16 * 1024 * 1024; // then the other files have their turn
const QUIET_POLLS = 10; // a file that is gone and has not grown for as long is done

export class FileTail {
  readonly inode: string;
  path: string;
  #isGone = false; // its path names another file by now, or none
  #quietPolls = 0;
  readonly #parts: TailParts;
  readonly #file: FileHandle;
  #generation = "";
  #headHash = "";
  #splitter: LineSplitter;
  #readTo = 0;
  #seen = ""; // size and last change at the last look

  private constructor(args: {
    readonly parts: TailParts;
    readonly file: FileHandle;
    readonly inode: string;
    readonly path: string;
  }) {
    this.#parts = args.parts;
    this.#file = args.file;
    this.inode = args.inode;
    this.path = args.path;
    this.#splitter = new LineSplitter(args.parts.lineBytesMax, 0);
  }

  static async open(args: {
    readonly parts: TailParts;
    readonly path: string;
    readonly checkpoint: (inode: string) => FileCheckpoint | undefined;
    readonly fromEnd: boolean;
  }): Promise<FileTail> {
    const file = await open(args.path, "r");
    try {
      const stat = await file.stat({ bigint: true });
      const inode = `${stat.dev}:${stat.ino}`;
      const tail = new FileTail({ parts: args.parts, file, inode, path: args.path });
      const known = args.checkpoint(inode);
      const head = await tail.#head();
      const size = Number(stat.size);
      if (known !== undefined && size >= known.offset && sameHead(known, head)) tail.#resume(known);
      else if (args.fromEnd && known === undefined && head !== "") {
        tail.#begin(head, await tail.#lastLineStart(size));
      }
      return tail;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  set isGone(gone: boolean) {
    if (gone !== this.#isGone) this.#quietPolls = 0;
    this.#isGone = gone;
  }

  /** Nothing more will come of it. */
  get isDone(): boolean {
    return this.#isGone && this.#quietPolls > QUIET_POLLS;
  }

  /** Reads what is new, a bounded share of it; says whether there is more. */
  async read(): Promise<boolean> {
    const stat = await this.#file.stat();
    const seen = `${stat.size} ${stat.mtimeMs}`;
    if (seen === this.#seen) {
      this.#quietPolls++;
      if (this.isDone) await this.#finish(stat.mtimeMs);
      return false;
    }
    this.#quietPolls = 0;
    if (!(await this.#isReadable(stat.size))) {
      this.#seen = seen;
      return false;
    }
    for (let taken = 0; this.#readTo < stat.size; ) {
      if (taken >= TURN_BYTES_MAX) return true;
      const bytes = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, stat.size - this.#readTo));
      const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, this.#readTo);
      if (bytesRead === 0) break;
      taken += bytesRead;
      this.#readTo += bytesRead;
      await this.#send(this.#splitter.add(bytes.subarray(0, bytesRead)), stat.mtimeMs);
    }
    this.#seen = seen;
    return false;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Whether there is a generation to read, after a look at the file's size and first line. */
  async #isReadable(size: number): Promise<boolean> {
    const head = await this.#head();
    if (this.#generation !== "" && size >= this.#readTo && head === this.#headHash) return true;
    if (head === "") {
      if (size === 0) this.#generation = "";
      return false;
    }
    this.#begin(head, 0);
    return true;
  }

  #resume(known: FileCheckpoint): void {
    this.#generation = known.generation;
    this.#headHash = known.headHash;
    this.#startAt(known.offset);
    if (known.path !== this.path) this.#save();
  }

  #begin(headHash: string, offset: number): void {
    const before = this.#generation;
    this.#generation = this.#parts.random();
    this.#headHash = headHash;
    this.#startAt(offset);
    try {
      this.#save();
    } catch (error) {
      this.#generation = before; // a name that is not on disk must not be used
      this.#headHash = "";
      throw error;
    }
  }

  #startAt(offset: number): void {
    this.#splitter = new LineSplitter(this.#parts.lineBytesMax, offset);
    this.#readTo = offset;
    this.#seen = "";
  }

  async #send(lines: readonly PlacedLine[], changedMs: number): Promise<void> {
    if (lines.length === 0) return;
    await this.#parts.send({ path: this.path, generation: this.#generation, changedMs, lines });
    this.#save();
  }

  /** The last line of a file that is gone never gets its end. */
  async #finish(changedMs: number): Promise<void> {
    if (this.#generation === "") {
      const head = await this.#head(true);
      if (head === "") return;
      this.#begin(head, 0);
      const bytes = Buffer.alloc(HEAD_BYTES);
      const { bytesRead } = await this.#file.read(bytes, 0, HEAD_BYTES, 0);
      this.#readTo = bytesRead;
      await this.#send(this.#splitter.add(bytes.subarray(0, bytesRead)), changedMs);
    }
    const last = this.#splitter.finish();
    if (last !== undefined) await this.#send([last], changedMs);
  }

  #save(): void {
    this.#parts.db.saveFile({
      inode: this.inode,
      path: this.path,
      generation: this.#generation,
      offset: this.#splitter.offset,
      headHash: this.#headHash,
      seenMs: this.#parts.now(),
    });
  }

  /** The hash of the first line, "" while it is not whole. */
  async #head(evenPartial = false): Promise<string> {
    const bytes = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await this.#file.read(bytes, 0, HEAD_BYTES, 0);
    const end = bytes.subarray(0, bytesRead).indexOf(10);
    if (bytesRead === 0 || (end < 0 && bytesRead < HEAD_BYTES && !evenPartial)) return "";
    const line = bytes.subarray(0, end < 0 ? bytesRead : end);
    return createHash("sha256").update(line).digest("base64url");
  }

  async #lastLineStart(size: number): Promise<number> {
    const from = Math.max(0, size - CHUNK_BYTES);
    const bytes = Buffer.alloc(size - from);
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, from);
    const end = bytes.subarray(0, bytesRead).lastIndexOf(10);
    return end < 0 ? size : from + end + 1;
  }
}

const sameHead = (known: FileCheckpoint, head: string): boolean => known.headHash === head;

// line-splitter.ts — cuts a run of bytes into lines, with the place of each; what has no line end yet waits.
//
// Holds: keeps no more than `bytesMax` of a line, however long it is; the rest is counted.
import { lineOf } from "./text.ts";

export type PlacedLine = {
  readonly text: string;
  readonly truncatedBytes?: number;
  readonly offset: number; // of its first byte
};

export class LineSplitter {
  readonly #bytesMax: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #leftOut = 0; // bytes of the line under way that are not kept
  #offset: number; // of the line under way

  constructor(bytesMax: number, offset: number) {
    this.#bytesMax = bytesMax;
    this.#offset = offset;
  }

  /** Where the first byte that no line has yet stands. */
  get offset(): number {
    return this.#offset;
  }

  get isPartial(): boolean {
    return this.#heldBytes > 0 || this.#leftOut > 0;
  }

  add(bytes: Buffer): PlacedLine[] {
    const lines: PlacedLine[] = [];
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      this.#hold(bytes.subarray(start, end));
      lines.push(this.#line(1));
      start = end + 1;
    }
    if (start < bytes.length) this.#hold(Buffer.from(bytes.subarray(start)));
    return lines;
  }

  /** The line under way, although its end never came. */
  finish(): PlacedLine | undefined {
    return this.isPartial ? this.#line(0) : undefined;
  }

  #hold(bytes: Buffer): void {
    const room = this.#bytesMax + 1 - this.#heldBytes; // one more, for a CR
    const kept = bytes.length > room ? bytes.subarray(0, Math.max(room, 0)) : bytes;
    this.#leftOut += bytes.length - kept.length;
    if (kept.length === 0) return;
    this.#held.push(kept);
    this.#heldBytes += kept.length;
  }

  #line(endBytes: number): PlacedLine {
    const bytes = this.#held.length === 1 ? this.#held[0] : Buffer.concat(this.#held);
    const line = lineOf(bytes ?? Buffer.alloc(0), this.#bytesMax, this.#leftOut);
    const offset = this.#offset;
    this.#offset += this.#heldBytes + this.#leftOut + endBytes;
    this.#held = [];
    this.#heldBytes = 0;
    this.#leftOut = 0;
    return { ...line, offset };
  }
}

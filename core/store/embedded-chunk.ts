// embedded-chunk.ts — a chunk: some dozens of events as one compressed row with one row of search terms.
//
// Why: a row and an index entry per event cost ten times as much as a share of a chunk does, in time and on disk.
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type EcsEvent, timeOf } from "../event.ts";
import { addTerms } from "./narrow.ts";

export const CHUNK_EVENTS_MAX = 64;
export const CHUNK_CHARS_MAX = 1_048_576; // one event alone may be longer

export type Chunk = {
  readonly lines: string[];
  readonly ids: Set<string>;
  readonly terms: Set<string>;
  readonly seen: Set<string>;
  minMs: number;
  maxMs: number;
  chars: number;
};

export const newChunk = (): Chunk => ({
  lines: [],
  ids: new Set(),
  terms: new Set(),
  seen: new Set(),
  minMs: Number.POSITIVE_INFINITY,
  maxMs: Number.NEGATIVE_INFINITY,
  chars: 0,
});

export const isFull = (chunk: Chunk): boolean =>
  chunk.lines.length >= CHUNK_EVENTS_MAX || chunk.chars >= CHUNK_CHARS_MAX;

export function addToChunk(chunk: Chunk, event: EcsEvent, line: string): void {
  const timeMs = timeOf(event);
  chunk.lines.push(line);
  chunk.ids.add(event.event.id);
  chunk.minMs = Math.min(chunk.minMs, timeMs);
  chunk.maxMs = Math.max(chunk.maxMs, timeMs);
  chunk.chars += line.length;
  addTerms(event, chunk.terms, chunk.seen);
}

const QUICK = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
export const packLines = (lines: readonly string[]): Uint8Array =>
  zstdCompressSync(lines.join("\n"), QUICK);
export const unpackLines = (body: Uint8Array): string[] =>
  zstdDecompressSync(body).toString().split("\n");

/** A key for an event's id: 53 bits, the same whatever the letters' case. Another `attempt` gives another key. */
export function keyOfId(id: string, attempt: number): number {
  const text = id.toLowerCase();
  let a = 0xdeadbeef ^ attempt;
  let b = 0x41c6ce57 ^ attempt;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (b & 0x1fffff) + (a >>> 0);
}

// streams.ts — imports: each is a stream with its own clock, positions and end.
//
// In:    batches of lines, each at its place in the stream.
// Out:   events that carry the stream's clock once it is known; ticks when it moved; at the end a last one.
// Holds: a batch that comes again, after a crash anywhere, gives the same ids and clocks, for both follow from the
//        state before it; a stream that has ended takes no more. One batch of a stream at a time.
import { createHash } from "node:crypto";
import type { Tick } from "../core/records.ts";
import type { CollectorDb, StreamRow } from "./collector-db.ts";
import type { Outbox, Receipts } from "./outbox.ts";
import {
  type Entry,
  isEmpty,
  type Line,
  newTally,
  type Origin,
  stampLine,
  type Tally,
} from "./stamp.ts";
import { StreamClock } from "./stream-clock.ts";
import { momentAt } from "./stream-moment.ts";

export type StreamBatch = {
  readonly origin: Origin; // names the stream
  readonly lines: readonly Line[]; // empty ones too: they count as places
  readonly position?: number; // of the first line; else where the stream stands
  readonly batchKey: string; // the sender's key, or the hash of the body
  readonly end: boolean;
  readonly shiftMs?: number;
  readonly yearHintMs?: number;
};

export type StreamAnswer =
  | {
      readonly kind: "taken";
      readonly tally: Tally;
      readonly lines: number; // that were new
      readonly position: number;
      readonly duplicate: boolean;
    }
  | { readonly kind: "gap"; readonly position: number }
  | { readonly kind: "foreign"; readonly source: string };

const CHUNK_ENTRIES_MAX = 1_000;
export const STREAM_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export class Streams {
  readonly #db: CollectorDb;
  readonly #outbox: Outbox;
  readonly #receipts: Pick<Receipts, "now">;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(parts: {
    readonly db: CollectorDb;
    readonly outbox: Outbox;
    readonly receipts: Pick<Receipts, "now">;
  }) {
    this.#db = parts.db;
    this.#outbox = parts.outbox;
    this.#receipts = parts.receipts;
  }

  find(name: string): StreamRow | undefined {
    return this.#db.stream(name);
  }

  take(batch: StreamBatch): Promise<StreamAnswer> {
    const name = batch.origin.stream;
    const before = this.#turns.get(name) ?? Promise.resolve();
    const turn = before.then(
      () => this.#take(batch),
      () => this.#take(batch),
    );
    this.#turns.set(name, turn);
    const leave = (): void => {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    };
    turn.then(leave, leave);
    return turn;
  }

  async #take(batch: StreamBatch): Promise<StreamAnswer> {
    const { origin, lines } = batch;
    const row = this.#db.stream(origin.stream) ?? this.#fresh(batch);
    if (row.source !== origin.source) return { kind: "foreign", source: row.source };
    const again = batch.position === undefined && row.lastBatch === batch.batchKey;
    if (row.ended || (again && !batch.end)) return nothingNew(row);
    const base = batch.position ?? row.position;
    if (base > row.position) return { kind: "gap", position: row.position };
    const known = again ? lines.length : Math.min(row.position - base, lines.length);
    const receiptMs =
      row.pendingPosition === row.position && row.pendingReceiptMs !== undefined
        ? row.pendingReceiptMs
        : this.#receipts.now();
    this.#db.saveStream({
      ...row,
      pendingPosition: row.position,
      pendingReceiptMs: receiptMs,
    });
    const tally = newTally();
    const after = await this.#produce({
      batch,
      row,
      lines: lines.slice(known),
      receiptMs,
      tally,
    });
    this.#db.saveStream(after);
    return {
      kind: "taken",
      tally,
      lines: lines.length - known,
      position: after.position,
      duplicate: known > 0 && known === lines.length,
    };
  }

  async #produce(work: Work): Promise<StreamRow> {
    const { batch, row, lines } = work;
    const { stream, feeder } = batch.origin;
    const clock = new StreamClock(row.times, row.clockMs);
    const progress: Progress = { index: 0, lastTimeMs: row.lastTimeMs, tickedMs: row.clockMs };
    const durable: Promise<void>[] = [];
    while (progress.index < lines.length) {
      await this.#outbox.room();
      durable.push(
        this.#outbox.submit(() => {
          const entries = chunkOf(work, clock, progress);
          const atMs = clock.nowMs;
          if (atMs === undefined || atMs === progress.tickedMs) return entries;
          progress.tickedMs = atMs;
          return [...entries, ...this.#outbox.ticks({ kind: "tick", stream, feeder, atMs })];
        }),
      );
    }
    if (batch.end) {
      const tick: Tick = { kind: "tick", stream, feeder, atMs: clock.endMs ?? 0, end: true };
      durable.push(this.#outbox.submit(() => this.#outbox.ticks(tick)));
    }
    await Promise.all(durable);
    return {
      ...row,
      position: row.position + lines.length,
      ended: batch.end,
      clockMs: clock.nowMs,
      lastTimeMs: progress.lastTimeMs,
      times: batch.end ? new Float64Array() : clock.times(),
      lastBatch: batch.batchKey,
      pendingPosition: undefined,
      pendingReceiptMs: undefined,
    };
  }

  #fresh({ origin, yearHintMs }: StreamBatch): StreamRow {
    return {
      name: origin.stream,
      source: origin.source,
      position: 0,
      ended: false,
      openedMs: this.#receipts.now(),
      yearHintMs,
      clockMs: undefined,
      lastTimeMs: undefined,
      times: new Float64Array(),
      lastBatch: undefined,
      pendingPosition: undefined,
      pendingReceiptMs: undefined,
    };
  }
}

export const hashOf = (body: Uint8Array): string =>
  createHash("sha256").update(body).digest("base64url");

type Work = {
  readonly batch: StreamBatch;
  readonly row: StreamRow;
  readonly lines: readonly Line[]; // the first is at the row's position
  readonly receiptMs: number;
  readonly tally: Tally;
};
type Progress = { index: number; lastTimeMs: number | undefined; tickedMs: number | undefined };

const nothingNew = (row: StreamRow): StreamAnswer => ({
  kind: "taken",
  tally: newTally(),
  lines: 0,
  position: row.position,
  duplicate: true,
});

function chunkOf(work: Work, clock: StreamClock, progress: Progress): Entry[] {
  const { batch, row, lines, receiptMs, tally } = work;
  const { name, openedMs, yearHintMs } = row;
  const stream = { name, openedMs, yearHintMs, receiptMs, shiftMs: batch.shiftMs };
  const entries: Entry[] = [];
  while (progress.index < lines.length && entries.length < CHUNK_ENTRIES_MAX) {
    const line = lines[progress.index];
    const place = row.position + progress.index;
    progress.index++;
    if (line === undefined || isEmpty(line)) continue;
    const soFar = { ...stream, lastTimeMs: progress.lastTimeMs };
    const moment = momentAt(place, soFar, (timeMs, read) => {
      progress.lastTimeMs = timeMs;
      return read ? clock.add(timeMs) : clock.nowMs;
    });
    stampLine(line, batch.origin, moment, { entries, tally });
  }
  return entries;
}

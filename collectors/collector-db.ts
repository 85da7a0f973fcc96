// collector-db.ts — what a collector must know after a restart: where each file and each stream was.
//
// Holds: a write survives the death of the process at once, and that of the machine but for the last moments; what is
//        lost then is only sent or read again, under the same ids.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onDisk } from "../core/disk-fault.ts";

export type FileCheckpoint = {
  readonly inode: string; // device and inode
  readonly path: string; // as it was last seen
  readonly generation: string; // names the content; new on truncation or when the first line changed
  readonly offset: number;
  readonly headHash: string; // of the first line
  readonly seenMs: number;
};

export type StreamRow = {
  readonly name: string;
  readonly source: string;
  readonly position: number; // lines taken
  readonly ended: boolean;
  readonly openedMs: number; // wall time
  readonly yearHintMs: number | undefined;
  readonly clockMs: number | undefined;
  readonly lastTimeMs: number | undefined;
  readonly times: Float64Array; // the newest event times, oldest first
  readonly lastBatch: string | undefined; // its key or the hash of its body
  readonly pendingPosition: number | undefined; // a batch that was begun here …
  readonly pendingReceiptMs: number | undefined; // … was received then
};

export type CollectorDb = {
  readonly stream: (name: string) => StreamRow | undefined;
  readonly saveStream: (row: StreamRow) => void;
  readonly file: (inode: string) => FileCheckpoint | undefined;
  readonly files: () => FileCheckpoint[];
  readonly saveFile: (file: FileCheckpoint) => void;
  readonly removeFile: (inode: string) => void;
  /** The time of the last tick of the live stream; undefined where none was told. */
  readonly told: () => number | undefined;
  readonly saveTold: (atMs: number) => void;
  /** From when on the stages know this collector; undefined where they do not. */
  readonly knownFrom: () => number | undefined;
  readonly saveKnownFrom: (knownFromMs: number | undefined) => void;
  readonly close: () => void;
};

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS stream (
    name TEXT PRIMARY KEY, source TEXT NOT NULL, position INTEGER NOT NULL, ended INTEGER NOT NULL,
    opened_ms REAL NOT NULL, year_hint_ms REAL, clock_ms REAL, last_time_ms REAL, times BLOB,
    last_batch TEXT, pending_position INTEGER, pending_receipt_ms REAL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS file (
    inode TEXT PRIMARY KEY, path TEXT NOT NULL, generation TEXT NOT NULL, offset INTEGER NOT NULL,
    head_hash TEXT NOT NULL, seen_ms REAL NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS told (one INTEGER PRIMARY KEY CHECK (one = 1), at_ms REAL NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS known (one INTEGER PRIMARY KEY CHECK (one = 1), from_ms REAL) STRICT;
`;

export function openCollectorDb(dataDir: string): CollectorDb {
  const path = join(dataDir, "collector.db");
  return onDisk(path, () => openAt(path));
}

function openAt(path: string): CollectorDb {
  const db = new DatabaseSync(path);
  db.exec(SCHEMA);
  const one = db.prepare("SELECT * FROM stream WHERE name = ?");
  const put = db.prepare(
    "INSERT OR REPLACE INTO stream VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const allFiles = db.prepare("SELECT * FROM file ORDER BY seen_ms, inode");
  const oneFile = db.prepare("SELECT * FROM file WHERE inode = ?");
  const putFile = db.prepare("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?)");
  const told = db.prepare("SELECT at_ms FROM told");
  const putTold = db.prepare("INSERT OR REPLACE INTO told VALUES (1, ?)");
  const known = db.prepare("SELECT from_ms FROM known");
  const putKnown = db.prepare("INSERT OR REPLACE INTO known VALUES (1, ?)");
  const dropFile = db.prepare("DELETE FROM file WHERE inode = ?");
  return {
    stream: (name) => {
      const row = one.get(name);
      return row === undefined ? undefined : streamOf(row);
    },
    saveStream: (row) => {
      const times = new Uint8Array(row.times.buffer, row.times.byteOffset, row.times.byteLength);
      put.run(
        row.name,
        row.source,
        row.position,
        row.ended ? 1 : 0,
        row.openedMs,
        row.yearHintMs ?? null,
        row.clockMs ?? null,
        row.lastTimeMs ?? null,
        times,
        row.lastBatch ?? null,
        row.pendingPosition ?? null,
        row.pendingReceiptMs ?? null,
      );
    },
    file: (inode) => {
      const row = oneFile.get(inode);
      return row === undefined ? undefined : fileOf(row);
    },
    files: () => allFiles.all().map(fileOf),
    saveFile: (file) => {
      putFile.run(file.inode, file.path, file.generation, file.offset, file.headHash, file.seenMs);
    },
    removeFile: (inode) => {
      dropFile.run(inode);
    },
    told: () => numberOf(told.get()?.at_ms),
    saveTold: (atMs) => {
      putTold.run(atMs);
    },
    knownFrom: () => numberOf(known.get()?.from_ms),
    saveKnownFrom: (fromMs) => {
      putKnown.run(fromMs ?? null);
    },
    close: () => db.close(),
  };
}

type Row = Readonly<Record<string, unknown>>;
const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" ? value : undefined;

function streamOf(row: Row): StreamRow {
  const bytes = row.times instanceof Uint8Array ? row.times : new Uint8Array();
  return {
    name: String(row.name),
    source: String(row.source),
    position: Number(row.position),
    ended: row.ended === 1,
    openedMs: Number(row.opened_ms),
    yearHintMs: numberOf(row.year_hint_ms),
    clockMs: numberOf(row.clock_ms),
    lastTimeMs: numberOf(row.last_time_ms),
    times: new Float64Array(bytes.slice().buffer),
    lastBatch: typeof row.last_batch === "string" ? row.last_batch : undefined,
    pendingPosition: numberOf(row.pending_position),
    pendingReceiptMs: numberOf(row.pending_receipt_ms),
  };
}

const fileOf = (row: Row): FileCheckpoint => ({
  inode: String(row.inode),
  path: String(row.path),
  generation: String(row.generation),
  offset: Number(row.offset),
  headHash: String(row.head_hash),
  seenMs: Number(row.seen_ms),
});

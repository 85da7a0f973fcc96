// embedded-file.ts — one SQLite file of events: its tables, and the few files that are open at a time.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { onDisk } from "../disk-fault.ts";

// FULL, not NORMAL: the bus lets go of a record once `putEvents` resolved, so a commit must outlive a power cut.
// One sync for some thousands of events costs nothing that can be measured.
export const PRAGMAS = `
  PRAGMA page_size = 8192;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 10000;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA temp_store = MEMORY;`;

// detail=none: the index names chunks, phrases are verified in the events, so positions would be dead weight.
// The terms come ready made from tokens.ts; `ascii` only has to cut them at spaces.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS ids (key INTEGER PRIMARY KEY, chunk INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS bodies (chunk INTEGER PRIMARY KEY, body BLOB NOT NULL);
  CREATE VIRTUAL TABLE IF NOT EXISTS terms
    USING fts5(words, content='', detail=none, columnsize=0, tokenize='ascii');
  CREATE TABLE IF NOT EXISTS chunks (
    chunk INTEGER PRIMARY KEY, minMs INTEGER NOT NULL, maxMs INTEGER NOT NULL, events INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS chunks_by_max ON chunks (maxMs, chunk);
  CREATE INDEX IF NOT EXISTS chunks_by_min ON chunks (minMs, chunk);
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);`;

export type EventFile = {
  readonly name: string;
  /** The statement of this text, prepared once. */
  readonly run: (sql: string) => StatementSync;
  readonly exec: (sql: string) => void;
  readonly close: () => void;
  nextChunk: number; // writer only
};

const pathOf = (folder: string, name: string): string => join(folder, `${name}.db`);

/** The names of all event files, in no order. */
export const eventFileNames = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith("events-") && name.endsWith(".db"))
    .map((name) => name.slice(0, -3));

export function removeEventFile(folder: string, name: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(pathOf(folder, name) + suffix, { force: true });
}

export function openDatabase(path: string, cacheKib: number): DatabaseSync {
  return onDisk(path, () => {
    const database = new DatabaseSync(path);
    database.exec(`${PRAGMAS} PRAGMA cache_size = -${cacheKib};`);
    return database;
  });
}

function openEventFile(
  folder: string,
  name: string,
  mode: "write" | "read",
): EventFile | undefined {
  const path = pathOf(folder, name);
  if (mode === "read" && !existsSync(path)) return undefined;
  const database = openDatabase(path, mode === "write" ? 32_768 : 8_192);
  try {
    if (mode === "write") database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    else {
      const found = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'facts'").get();
      if (found === undefined) {
        database.close();
        return undefined;
      }
      database.exec("PRAGMA query_only = 1");
    }
    const statements = new Map<string, StatementSync>();
    const run = (sql: string): StatementSync => {
      const known = statements.get(sql);
      if (known !== undefined) return known;
      const made = database.prepare(sql);
      statements.set(sql, made);
      return made;
    };
    const last = run("SELECT max(chunk) AS chunk FROM chunks").get();
    return {
      name,
      run,
      exec: (sql) => database.exec(sql),
      close: () => database.close(),
      nextChunk: Number(last?.["chunk"] ?? 0) + 1,
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

export const OPEN_FILES_MAX = 16;

export type EventFiles = {
  /** The file, opened when it is not; undefined when a reader asks for one that is not there. */
  readonly get: (name: string) => EventFile | undefined;
  readonly forget: (name: string) => void;
  readonly closeAll: () => void;
};

/** Keeps the files used last open, so that any number of days costs a few handles. */
export function eventFiles(folder: string, mode: "write" | "read"): EventFiles {
  const open = new Map<string, EventFile>();
  const forget = (name: string): void => {
    const file = open.get(name);
    open.delete(name);
    file?.close();
  };
  return {
    get: (name) => {
      const known = open.get(name);
      const file = known ?? openEventFile(folder, name, mode);
      if (file === undefined) return undefined;
      open.delete(name);
      open.set(name, file);
      const [oldest] = open.keys();
      if (open.size > OPEN_FILES_MAX && oldest !== undefined) forget(oldest);
      return file;
    },
    forget,
    closeAll: () => {
      for (const name of [...open.keys()]) forget(name);
    },
  };
}

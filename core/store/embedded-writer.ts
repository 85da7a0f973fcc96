// embedded-writer.ts — takes events into their files, in a worker of its own, so that no search ever holds up keep.
//
// In:    events as lines of JSON.
// Out:   chunks with their terms, in one transaction for each file.
// Holds: an id that is there already is left as it is; what is given back as done has been synced to disk.
import type { EcsEvent } from "../event.ts";
import {
  addToChunk,
  type Chunk,
  isFull,
  keyOfId,
  newChunk,
  packLines,
  unpackLines,
} from "./embedded-chunk.ts";
import { type EventFile, eventFileNames, eventFiles, removeEventFile } from "./embedded-file.ts";
import { indexNameOf } from "./indices.ts";

type Line = { readonly event: EcsEvent; readonly line: string };
const KNOWN_CHUNKS_MAX = 64; // ids of chunks that repeated events were looked up in
const ATTEMPTS_MAX = 64;

export type EventWriter = {
  readonly put: (lines: string) => void;
  /** The names of the files that were last written before then. */
  readonly expired: (beforeMs: number) => string[];
  readonly remove: (name: string, beforeMs: number) => boolean;
  readonly close: () => void;
};

export function eventWriter(folder: string): EventWriter {
  const files = eventFiles(folder, "write");
  const known = new Map<string, ReadonlySet<string>>();
  const fileOf = (name: string): EventFile => {
    const file = files.get(name);
    if (file === undefined) throw new Error(`${name}: a writer's file is always there`);
    return file;
  };
  const lastWriteMs = (name: string): number =>
    Number(
      fileOf(name).run("SELECT value FROM facts WHERE name = 'lastWriteMs'").get()?.["value"] ?? 0,
    );
  return {
    put: (text) => {
      const groups = Map.groupBy(
        text.split("\n").map((line): Line => ({ event: JSON.parse(line) as EcsEvent, line })),
        ({ event }) => indexNameOf(event),
      );
      for (const [name, lines] of groups) putInto(fileOf(name), lines, known);
    },
    expired: (beforeMs) =>
      eventFileNames(folder).filter((name) => {
        // A handle is not kept: looking at every day must not push out the files in use.
        const expired = lastWriteMs(name) < beforeMs;
        if (expired) files.forget(name);
        return expired;
      }),
    remove: (name, beforeMs) => {
      if (lastWriteMs(name) >= beforeMs) return false;
      files.forget(name);
      known.clear();
      removeEventFile(folder, name);
      return true;
    },
    close: files.closeAll,
  };
}

function putInto(
  file: EventFile,
  lines: readonly Line[],
  known: Map<string, ReadonlySet<string>>,
): void {
  file.exec("BEGIN IMMEDIATE");
  const firstChunk = file.nextChunk;
  try {
    const pending = new Map<number, Chunk>();
    let chunk = newChunk();
    for (const { event, line } of lines) {
      const isNew = claimId(file, event.event.id, {
        chunk: file.nextChunk,
        has: (number, id) => {
          if (number === file.nextChunk) return chunk.ids.has(id);
          return (pending.get(number)?.ids ?? idsOf(file, number, known)).has(id);
        },
      });
      if (!isNew) continue;
      addToChunk(chunk, event, line);
      if (!isFull(chunk)) continue;
      writeChunk(file, chunk);
      pending.set(file.nextChunk++, chunk);
      chunk = newChunk();
    }
    if (chunk.lines.length > 0) {
      writeChunk(file, chunk);
      file.nextChunk++;
    }
    file.run("INSERT OR REPLACE INTO facts VALUES ('lastWriteMs', ?)").run(Date.now());
    file.exec("COMMIT");
  } catch (error) {
    file.nextChunk = firstChunk;
    file.exec("ROLLBACK");
    throw error;
  }
}

/** Notes that the id is in this chunk; false when it is in the file already. */
function claimId(
  file: EventFile,
  id: string,
  at: { readonly chunk: number; readonly has: (chunk: number, id: string) => boolean },
): boolean {
  const insert = file.run("INSERT INTO ids VALUES (?, ?) ON CONFLICT DO NOTHING");
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const key = keyOfId(id, attempt);
    if (Number(insert.run(key, at.chunk).changes) === 1) return true;
    const there = file.run("SELECT chunk FROM ids WHERE key = ?").get(key);
    if (at.has(Number(there?.["chunk"]), id)) return false;
  }
  throw new Error(`${ATTEMPTS_MAX} other event ids have the keys of one`);
}

function idsOf(
  file: EventFile,
  chunk: number,
  known: Map<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  const name = `${file.name} ${chunk}`;
  const there = known.get(name);
  if (there !== undefined) return there;
  const row = file.run("SELECT body FROM bodies WHERE chunk = ?").get(chunk);
  const body = row?.["body"];
  const ids = new Set(
    body instanceof Uint8Array
      ? unpackLines(body).map((line) => (JSON.parse(line) as EcsEvent).event.id)
      : [],
  );
  known.set(name, ids);
  const [oldest] = known.keys();
  if (known.size > KNOWN_CHUNKS_MAX && oldest !== undefined) known.delete(oldest);
  return ids;
}

function writeChunk(file: EventFile, chunk: Chunk): void {
  const number = file.nextChunk;
  file.run("INSERT INTO bodies VALUES (?, ?)").run(number, packLines(chunk.lines));
  file
    .run("INSERT INTO chunks VALUES (?, ?, ?, ?)")
    .run(number, chunk.minMs, chunk.maxMs, chunk.lines.length);
  file
    .run("INSERT INTO terms (rowid, words) VALUES (?, ?)")
    .run(number, [...chunk.terms].join(" "));
}

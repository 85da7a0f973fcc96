// embedded-search.ts — finds events by walking chunks in the order of their times until no later one can be better.
//
// Holds: a page is exactly the next events in the order asked for. A search that reads too much stops early and gives
//        the cursor to go on by, so a page may be short, even empty, while there is a cursor.
import type { EcsEvent } from "../event.ts";
import { timeOf } from "../event.ts";
import { cursorOf, type Position, pageLimit, positionOf } from "./cursor.ts";
import { keyOfId, unpackLines } from "./embedded-chunk.ts";
import { type EventFile, type EventFiles, eventFileNames } from "./embedded-file.ts";
import { importPrefixOf, spanOf } from "./indices.ts";
import { compareText } from "./leaves.ts";
import { ftsOf, narrow, requiredWords } from "./narrow.ts";
import type { Query } from "./query.ts";
import { matcher } from "./query-match.ts";
import type { EventSearch } from "./store.ts";

export const SCAN_EVENTS_MAX = 400_000; // that one page reads before it gives what it has
const HEADS_MAX = 2_048; // chunks listed at a time
const BREATHE_CHUNKS = 16; // after so many, other searches get a turn

type Head = {
  readonly chunk: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly events: number;
};
export type Found = { readonly timeMs: number; readonly id: string; readonly line: string };
export type FoundPage = { readonly lines: readonly string[]; readonly cursor?: string };

type Scan = {
  readonly query: Query;
  readonly fromMs: number;
  readonly toMs: number;
  readonly newest: boolean;
};

export async function searchFiles(
  folder: string,
  files: EventFiles,
  search: EventSearch,
): Promise<FoundPage> {
  const newest = search.order !== "oldest";
  const after = search.cursor === undefined ? undefined : positionOf(search.cursor);
  const edge = after?.key ?? undefined;
  const scan: Scan = {
    query: search.query,
    fromMs: Math.max(search.fromMs ?? -Infinity, newest ? -Infinity : (edge ?? -Infinity)),
    toMs: Math.min(search.toMs ?? Infinity, newest ? (edge ?? Infinity) : Infinity),
    newest,
  };
  const limit = pageLimit(search.limit);
  const best = bestOf(limit, newest);
  const test = lineTest(scan, after);
  let scanned = 0;
  let chunks = 0;
  const startMs = newest ? scan.toMs : scan.fromMs;
  for (const { file, head } of headsOf(folder, files, scan)) {
    const boundMs = newest ? head.maxMs : head.minMs;
    if (best.isSettled(boundMs)) break;
    if (scanned >= SCAN_EVENTS_MAX && (newest ? boundMs < startMs : boundMs > startMs))
      return best.pageBefore(boundMs);
    scanned += head.events;
    for (const line of linesOf(files, file, head.chunk)) {
      const found = test(line);
      if (found !== undefined) best.add(found);
    }
    if (++chunks % BREATHE_CHUNKS === 0) await new Promise(setImmediate);
  }
  return best.page();
}

export async function countFiles(folder: string, files: EventFiles, query: Query): Promise<number> {
  const scan: Scan = { query, fromMs: -Infinity, toMs: Infinity, newest: true };
  const test = lineTest(scan, undefined);
  let count = 0;
  let chunks = 0;
  if (query.kind === "all") {
    for (const name of eventFileNames(folder)) {
      const row = files.get(name)?.run("SELECT sum(events) AS n FROM chunks").get();
      count += Number(row?.["n"] ?? 0);
    }
    return count;
  }
  for (const { file, head } of headsOf(folder, files, scan)) {
    for (const line of linesOf(files, file, head.chunk)) if (test(line) !== undefined) count++;
    if (++chunks % BREATHE_CHUNKS === 0) await new Promise(setImmediate);
  }
  return count;
}

/** The events of these ids, in the order asked for; those that are not there are left out. */
export function linesByIds(folder: string, files: EventFiles, ids: readonly string[]): string[] {
  const found = new Map<string, string>();
  const missing = new Set(ids);
  for (const name of eventFileNames(folder).sort().reverse()) {
    if (missing.size === 0) break;
    const file = files.get(name);
    if (file === undefined) continue;
    const chunks = new Set([...missing].flatMap((id) => chunksOfId(file, id)));
    for (const chunk of chunks) {
      for (const line of linesOf(files, name, chunk)) {
        const { id } = (JSON.parse(line) as EcsEvent).event;
        if (missing.delete(id)) found.set(id, line);
      }
    }
  }
  return ids.flatMap((id) => found.get(id) ?? []);
}

function chunksOfId(file: EventFile, id: string): number[] {
  const chunks: number[] = [];
  for (let attempt = 0; ; attempt++) {
    const row = file.run("SELECT chunk FROM ids WHERE key = ?").get(keyOfId(id, attempt));
    if (row === undefined) return chunks;
    chunks.push(Number(row["chunk"]));
  }
}

function linesOf(files: EventFiles, name: string, chunk: number): string[] {
  const body = files.get(name)?.run("SELECT body FROM bodies WHERE chunk = ?").get(chunk)?.["body"];
  return body instanceof Uint8Array ? unpackLines(body) : [];
}

function lineTest(scan: Scan, after: Position | undefined): (line: string) => Found | undefined {
  const isMatch = matcher(scan.query);
  const words = [...new Set(requiredWords(scan.query))];
  return (line) => {
    if (words.length > 0 && !line.includes("\\u")) {
      const lower = line.toLowerCase();
      if (!words.every((word) => lower.includes(word))) return undefined;
    }
    const event = JSON.parse(line) as EcsEvent;
    const timeMs = timeOf(event);
    if (timeMs < scan.fromMs || timeMs > scan.toMs) return undefined;
    const { id } = event.event;
    if (after !== undefined && timeMs === after.key && compareText(id, after.id) <= 0)
      return undefined;
    return isMatch(event) ? { timeMs, id, line } : undefined;
  };
}

/** Chunks of all files that may hold an answer, in the order of the best time that each may have. */
function* headsOf(
  folder: string,
  files: EventFiles,
  scan: Scan,
): Generator<{ readonly file: string; readonly head: Head }> {
  const sources = sourcesOf(folder, files, scan);
  const bound = (head: Head): number => (scan.newest ? -head.maxMs : head.minMs);
  type Open = { readonly file: string; readonly rest: Iterator<Head, undefined>; head: Head };
  const open: Open[] = [];
  for (;;) {
    open.sort((a, b) => bound(a.head) - bound(b.head));
    const [first] = open;
    const [next] = sources;
    if (next !== undefined && (first === undefined || next.bound <= bound(first.head))) {
      sources.shift();
      const rest = headsOfFile(files, next.name, scan);
      const head = rest.next();
      if (head.done !== true) open.push({ file: next.name, rest, head: head.value });
      continue;
    }
    if (first === undefined) return;
    yield { file: first.file, head: first.head };
    const head = first.rest.next();
    if (head.done === true) open.shift();
    else first.head = head.value;
  }
}

/** The files that may hold an answer, best first. */
function sourcesOf(
  folder: string,
  files: EventFiles,
  scan: Scan,
): { readonly name: string; readonly bound: number }[] {
  const prefix = importOf(scan.query);
  return eventFileNames(folder)
    .filter((name) => prefix === undefined || name.startsWith(prefix))
    .flatMap((name) => {
      const span = spanOf(name) ?? spanOfFile(files, name);
      if (span === undefined || span.toMs < scan.fromMs || span.fromMs > scan.toMs) return [];
      return [{ name, bound: scan.newest ? -span.toMs : span.fromMs }];
    })
    .sort((a, b) => a.bound - b.bound || compareText(a.name, b.name));
}

function spanOfFile(
  files: EventFiles,
  name: string,
): { readonly fromMs: number; readonly toMs: number } | undefined {
  const file = files.get(name);
  const min = file?.run("SELECT min(minMs) AS ms FROM chunks").get()?.["ms"];
  const max = file?.run("SELECT max(maxMs) AS ms FROM chunks").get()?.["ms"];
  return typeof min === "number" && typeof max === "number"
    ? { fromMs: min, toMs: max }
    : undefined;
}

/** A search of one import needs only its file. */
function importOf(query: Query): string | undefined {
  const parts = query.kind === "and" ? query.parts : [query];
  for (const part of parts) {
    if (part.kind !== "value" || part.field !== "wache.stream") continue;
    return part.text.toLowerCase() === "live" ? undefined : importPrefixOf(part.text);
  }
  return undefined;
}

function* headsOfFile(files: EventFiles, name: string, scan: Scan): Generator<Head, undefined> {
  const terms = narrow(scan.query);
  const match = terms && ftsOf(terms);
  const edge = scan.newest ? "maxMs" : "minMs";
  const [order, beyond] = scan.newest ? ["DESC", "<"] : ["ASC", ">"];
  const sql = `SELECT chunk, minMs, maxMs, events FROM chunks
    WHERE maxMs >= ? AND minMs <= ? AND (${edge}, chunk) ${beyond} (?, ?)
    ${match === undefined ? "" : "AND chunk IN (SELECT rowid FROM terms WHERE terms MATCH ?)"}
    ORDER BY ${edge} ${order}, chunk ${order} LIMIT ${HEADS_MAX}`;
  const most = Number.MAX_SAFE_INTEGER;
  const finite = (ms: number): number => Math.max(-most, Math.min(most, ms));
  let last = scan.newest ? { ms: most, chunk: most } : { ms: -most, chunk: -1 };
  for (;;) {
    const file = files.get(name);
    if (file === undefined) return undefined;
    const statement = file.run(sql);
    const bounds = [finite(scan.fromMs), finite(scan.toMs), last.ms, last.chunk];
    const heads = statement.all(...bounds, ...(match === undefined ? [] : [match])) as Head[];
    yield* heads;
    const end = heads.at(-1);
    if (end === undefined || heads.length < HEADS_MAX) return undefined;
    last = { ms: end[edge], chunk: end.chunk };
  }
}

/** Keeps the best `limit` of what is added, and one more to know that there is one. */
function bestOf(limit: number, newest: boolean) {
  let kept: Found[] = [];
  let sorted = true;
  const sort = (): void => {
    if (sorted) return;
    kept.sort(
      (a, b) => (newest ? b.timeMs - a.timeMs : a.timeMs - b.timeMs) || compareText(a.id, b.id),
    );
    kept = kept.slice(0, limit + 1);
    sorted = true;
  };
  const isBefore = (timeMs: number, boundMs: number): boolean =>
    newest ? timeMs > boundMs : timeMs < boundMs;
  return {
    add: (found: Found): void => {
      kept.push(found);
      sorted = false;
      if (kept.length > 4 * limit + 1_000) sort();
    },
    /** Whether nothing at or beyond the bound can enter the page. */
    isSettled: (boundMs: number): boolean => {
      if (kept.length <= limit) return false;
      sort();
      const worst = kept[limit];
      return worst !== undefined && isBefore(worst.timeMs, boundMs);
    },
    page: (): FoundPage => {
      sort();
      const items = kept.slice(0, limit);
      const end = items.at(-1);
      const lines = items.map(({ line }) => line);
      return kept.length <= limit || end === undefined
        ? { lines }
        : { lines, cursor: cursorOf({ key: end.timeMs, id: end.id }) };
    },
    /** What is certain when everything from the bound on is still unread. */
    pageBefore: (boundMs: number): FoundPage => {
      sort();
      const certain = kept.filter(({ timeMs }) => isBefore(timeMs, boundMs)).slice(0, limit);
      return {
        lines: certain.map(({ line }) => line),
        cursor: cursorOf({ key: boundMs, id: "" }),
      };
    },
  };
}

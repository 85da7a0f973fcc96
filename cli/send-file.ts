// send-file.ts — sends one file: as a stream of its own, or as lines that happen now.
//
// In:    a file of lines, plain or gzip.
// Out:   batches posted in order; what was sent before is not sent again.
// Holds: the stream is named by the file's content, so that the same file is the same stream wherever it is sent from.
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { parseLine } from "../collectors/parsers/parsers.ts";
import { UserError } from "../core/errors.ts";
import { DAY_MS } from "../core/event.ts";
import type { Clock } from "../core/service.ts";
import { type Answer, type Ingest, wordsOf } from "./ingest.ts";
import { type LineBatch, lineBatches, openBytes } from "./lines.ts";

export type SendOptions = {
  readonly source?: string | undefined;
  readonly page: boolean;
  readonly now: boolean;
  readonly zone: string;
  readonly path?: string; // as the events name their file, where that is not the one that is read
  readonly changedMs?: number; // when the lines were written, where the file's last change does not say it
};
export type Sent = {
  readonly lines: number; // of the file
  readonly sent: number; // lines posted by this call
  readonly skipped: number; // lines that were there already
  readonly events: number;
  readonly late: number; // events that came later than the lateness: kept, not correlated
  readonly refused: number; // lines that went to the dead letter
  readonly wasComplete: boolean;
  readonly stream?: string;
};
export type SendContext = {
  readonly ingest: Ingest;
  readonly clock: Clock;
  readonly onProgress: (done: number, all: number) => void;
};

export async function sendFile(
  path: string,
  options: SendOptions,
  context: SendContext,
): Promise<Sent> {
  const about = await survey(path, options);
  return options.now
    ? await sendNow(path, about, { options, context })
    : await sendStream(path, about, { options, context });
}

type Survey = {
  readonly name: string; // 24 hex of the content's hash
  readonly lines: number;
  readonly changedMs: number;
  readonly lastTimeMs: number | undefined; // of the last line that says one
};

/** Reads the file once: its name comes from all of its content. */
async function survey(path: string, { zone, changedMs: told }: SendOptions): Promise<Survey> {
  const changedMs = told ?? Math.floor((await stat(path)).mtimeMs);
  const hash = createHash("sha256");
  let lines = 0;
  let last: LineBatch | undefined;
  for await (const batch of batchesOf(path, (chunk) => hash.update(chunk))) {
    lines += batch.lines;
    last = batch;
  }
  return {
    name: hash.digest("hex").slice(0, 24),
    lines,
    changedMs,
    lastTimeMs: last === undefined ? undefined : lastTimeOf(last, { zone, changedMs }),
  };
}

async function* batchesOf(
  path: string,
  onChunk: (chunk: Uint8Array) => void = () => {},
): AsyncGenerator<LineBatch> {
  const bytes = await openBytes(path);
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      onChunk(chunk);
      yield chunk;
    }
  };
  yield* lineBatches(chunks());
}

function lastTimeOf(
  batch: LineBatch,
  about: { readonly zone: string; readonly changedMs: number },
): number | undefined {
  const context = { zone: about.zone, latestMs: about.changedMs + DAY_MS };
  const lines = batch.body.toString("utf8").split("\n");
  for (const line of lines.toReversed()) {
    if (line.trim() === "") continue;
    const draft = parseLine(line, context);
    if ("timeMs" in draft && draft.timeMs !== undefined) return draft.timeMs;
  }
  return undefined;
}

type How = { readonly options: SendOptions; readonly context: SendContext };

async function sendStream(path: string, about: Survey, how: How): Promise<Sent> {
  const { ingest, onProgress } = how.context;
  const stream = `import-${about.name}`;
  const before = await ingest.get(`/ingest/streams/${stream}`);
  if (before.status !== 200 && before.status !== 404) throw refused(path, before);
  const begin = Number(before.body.position ?? 0);
  const wasComplete = before.body.ended === true;
  const tally = newTally();
  if (wasComplete)
    return { ...tally, lines: about.lines, skipped: about.lines, wasComplete, stream };
  const query = queryOf(path, about, how.options);
  query.set("stream", stream);
  let skipped = 0;
  for await (const batch of batchesOf(path)) {
    const rest = withoutFirst(batch, begin - batch.position);
    skipped += batch.lines - (rest?.lines ?? 0);
    if (rest === undefined) continue;
    query.set("position", String(rest.position));
    add(tally, rest, accepted(path, await ingest.post(`/ingest?${query}`, rest.body)));
    onProgress(rest.position + rest.lines, about.lines);
  }
  query.set("position", String(about.lines));
  query.set("end", "true");
  accepted(path, await ingest.post(`/ingest?${query}`, Buffer.alloc(0)));
  return { ...tally, lines: about.lines, skipped, wasComplete, stream };
}

async function sendNow(path: string, about: Survey, how: How): Promise<Sent> {
  const { ingest, clock, onProgress } = how.context;
  const query = queryOf(path, about, how.options);
  if (about.lastTimeMs !== undefined)
    query.set("shift_ms", String(Math.floor(clock.now() - about.lastTimeMs)));
  const run = `send-${about.name}-${clock.now()}`;
  const tally = newTally();
  for await (const batch of batchesOf(path)) {
    const headers = { "idempotency-key": `${run}-${batch.position}` };
    add(tally, batch, accepted(path, await ingest.post(`/ingest?${query}`, batch.body, headers)));
    onProgress(batch.position + batch.lines, about.lines);
  }
  return { ...tally, lines: about.lines, skipped: 0, wasComplete: false };
}

function queryOf(path: string, about: Survey, options: SendOptions): URLSearchParams {
  return new URLSearchParams({
    path: options.path ?? resolve(path),
    ...(options.source === undefined ? {} : { source: options.source }),
    ...(options.page ? { page: "true" } : {}),
    year_hint_ms: String(about.changedMs),
  });
}

/** The batch from its line `count` on. */
function withoutFirst(batch: LineBatch, count: number): LineBatch | undefined {
  if (count <= 0) return batch;
  if (count >= batch.lines) return undefined;
  let from = 0;
  for (let line = 0; line < count; line++) from = batch.body.indexOf(0x0a, from) + 1;
  return {
    position: batch.position + count,
    lines: batch.lines - count,
    body: batch.body.subarray(from),
  };
}

type Tally = { sent: number; events: number; late: number; refused: number };
const newTally = (): Tally => ({ sent: 0, events: 0, late: 0, refused: 0 });

function add(tally: Tally, batch: LineBatch, body: Answer["body"]): void {
  tally.sent += batch.lines;
  tally.events += Number(body.events ?? 0);
  tally.late += Number(body.late ?? 0);
  tally.refused += Number(body.dead_letters ?? 0);
}

function accepted(path: string, answer: Answer): Answer["body"] {
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw refused(path, answer);
}

const refused = (path: string, answer: Answer): UserError =>
  new UserError(
    "cli.send-refused",
    `${path} was refused with HTTP ${answer.status}: ${wordsOf(answer.body) || "no reason was given"}`,
  );

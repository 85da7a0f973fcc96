// ingest.ts — posts batches of lines to a process's /ingest, and waits where it is busy or away for a while.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UserError } from "../core/errors.ts";
import { readRunFile } from "../core/run-files.ts";
import type { Clock } from "../core/service.ts";
import { EXIT } from "./verb.ts";

export type Destination = { readonly url: string; readonly token: string };
/** Looked up at each try: a restarted process may have another port. */
export type FindDestination = () => Destination | undefined;

export type Ingest = {
  readonly get: (path: string) => Promise<Answer>;
  readonly post: (
    path: string,
    body: Buffer,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
};
export type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

const PATIENCE_MS = 120_000;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_MS_MAX = 5_000;
const REQUEST_TIMEOUT_MS = 60_000;

export function createIngest(options: {
  readonly find: FindDestination;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Told when a try failed and another follows; the same reason once. */
  readonly onWait: (reason: string) => void;
}): Ingest {
  let told = "";
  const onWait = (reason: string): void => {
    if (reason !== told) options.onWait(reason);
    told = reason;
  };
  const call = (path: string, request: RequestInit) =>
    persistent({ ...options, onWait }, path, request);
  return {
    get: (path) => call(path, {}),
    post: (path, body, headers = {}) =>
      call(path, {
        method: "POST",
        body: new Uint8Array(body),
        headers: { "content-type": "text/plain", ...headers },
      }),
  };
}

type Options = Parameters<typeof createIngest>[0];

async function persistent(options: Options, path: string, request: RequestInit): Promise<Answer> {
  const { clock } = options;
  const untilMs = clock.now() + PATIENCE_MS;
  for (let waitMs = BACKOFF_FIRST_MS; ; waitMs = Math.min(waitMs * 2, BACKOFF_MS_MAX)) {
    const tried = await attempt(options, path, request);
    if (tried.kind === "answer") return tried.answer;
    const delayMs = tried.retryAfterMs ?? waitMs;
    if (clock.now() + delayMs > untilMs) throw unreachable(tried.reason);
    options.onWait(tried.reason);
    await clock.sleep(delayMs);
  }
}

type Tried =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "wait"; readonly reason: string; readonly retryAfterMs?: number };

async function attempt(options: Options, path: string, request: RequestInit): Promise<Tried> {
  const destination = options.find();
  if (destination === undefined)
    return { kind: "wait", reason: "no Wache runs with this data folder" };
  let response: Response;
  let text: string;
  try {
    response = await options.fetch(destination.url + path, {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${destination.token}` },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    text = await response.text();
  } catch (error) {
    return { kind: "wait", reason: `${destination.url} does not answer: ${causeOf(error)}` };
  }
  const body = parsed(text);
  const { status } = response;
  if (status === 429 || status === 502 || status === 503 || status === 504) {
    const retryAfterS = Number(response.headers.get("retry-after") ?? Number.NaN);
    const reason = `${destination.url} asks to wait: ${wordsOf(body) || status}`;
    return Number.isFinite(retryAfterS)
      ? { kind: "wait", reason, retryAfterMs: Math.min(retryAfterS * 1000, BACKOFF_MS_MAX) }
      : { kind: "wait", reason };
  }
  if (status === 401 || status === 403) throw refusedToken(destination.url, wordsOf(body));
  return { kind: "answer", answer: { status, body } };
}

const causeOf = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The words of a refusal. */
export function wordsOf(body: Readonly<Record<string, unknown>>): string {
  const { error } = body;
  return typeof error === "object" && error !== null && "message" in error
    ? String(error.message)
    : "";
}

const unreachable = (reason: string): UserError =>
  new UserError(
    "cli.unreachable",
    `${reason}; waited ${PATIENCE_MS / 1000} s. Start it with wache run, or name another with --data or --to`,
    { exitCode: EXIT.unreachable },
  );

const refusedToken = (url: string, words: string): UserError =>
  new UserError(
    "cli.token-refused",
    `${url} refuses the token${words === "" ? "" : `: ${words}`}; give one of collectors.http.sources with --token, or run on the machine of the data folder`,
  );

/** The process that runs with this data folder, and the token that lies there. */
export const destinationOf =
  (dataDir: string): FindDestination =>
  () => {
    const token = tokenIn(dataDir);
    if (token === undefined) throw neverStarted(dataDir);
    const run = readRunFile(dataDir);
    return run === undefined ? undefined : { url: run.address, token };
  };

function tokenIn(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, "ingest.token"), "utf8").trim();
  } catch {
    return undefined;
  }
}

const neverStarted = (dataDir: string): UserError =>
  new UserError(
    "cli.not-started",
    `no Wache has run with the data folder ${dataDir}: start it with wache run, or name another with --data or --to`,
    { exitCode: EXIT.unreachable },
  );

// local.ts — talks to the process that runs with a data folder, by the socket in it; or opens the store or the bus itself.
import { existsSync } from "node:fs";
import { request } from "node:http";
import type { Bus } from "../core/bus/bus.ts";
import { openBus } from "../core/bus/open.ts";
import { systemClock } from "../core/clock.ts";
import type { Config } from "../core/config-schema.ts";
import { messageOf, UserError } from "../core/errors.ts";
import { makeDataDir, takeLock } from "../core/lock.ts";
import { createLog } from "../core/log.ts";
import { readRunFile, socketPathOf } from "../core/run-files.ts";
import { openStore } from "../core/store/open.ts";
import type { Store } from "../core/store/store.ts";
import { topicSpecs } from "../core/topics.ts";
import { wordsOf } from "./ingest.ts";
import { EXIT } from "./verb.ts";

export type LocalCall = {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
};
export type LocalAnswer = {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
};

const TIMEOUT_MS = 60_000;
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

/** Undefined where no process runs with this data folder. */
export async function askLocal(dataDir: string, call: LocalCall): Promise<LocalAnswer | undefined> {
  try {
    return await exchange(readRunFile(dataDir)?.socket ?? socketPathOf(dataDir), call);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ECONNREFUSED") return undefined;
    throw unreachable(dataDir, error);
  }
}

/** As askLocal, but only a good answer comes back. */
export async function askLocalOk(
  dataDir: string,
  call: LocalCall,
): Promise<LocalAnswer["body"] | undefined> {
  const answer = await askLocal(dataDir, call);
  return answer && okBodyOf(answer);
}

export function okBodyOf({ status, body }: LocalAnswer): LocalAnswer["body"] {
  if (status >= 200 && status < 300) return body;
  throw new UserError("cli.refused", wordsOf(body) || `refused with HTTP ${status}`);
}

const unreachable = (dataDir: string, cause: unknown): UserError =>
  new UserError(
    "cli.unreachable",
    `the process that runs with ${dataDir} does not answer: ${messageOf(cause)}; look at its log, or restart it`,
    { cause, exitCode: EXIT.unreachable },
  );

/** The process was there a moment ago. */
export const nothingRuns = (dataDir: string): never => {
  throw unreachable(dataDir, new Error("it ended meanwhile"));
};

function exchange(socketPath: string, call: LocalCall): Promise<LocalAnswer> {
  const { method = "GET", path, body } = call;
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((done, failed) => {
    const headers = text === undefined ? {} : { "content-type": "application/json" };
    const ask = request({ socketPath, path, method, headers, timeout: TIMEOUT_MS }, (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) ask.destroy(new Error("the answer is too long"));
        else chunks.push(chunk);
      });
      answer.on("error", failed);
      answer.on("end", () =>
        done({
          status: answer.statusCode ?? 0,
          body: parsed(Buffer.concat(chunks).toString("utf8")),
        }),
      );
    });
    ask.on("timeout", () => ask.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)));
    ask.on("error", failed);
    ask.end(text);
  });
}

function parsed(text: string): LocalAnswer["body"] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as LocalAnswer["body"]) : {};
  } catch {
    return {};
  }
}

/** As withStore, with the bus; its topics are there. */
export const withBus = <T>(config: Config, use: (bus: Bus) => Promise<T>): Promise<T> =>
  alone({ data: config.data, kind: config.bus.kind }, async (log) => {
    const bus = await openBus(config, config.data, log);
    return closing(bus, async () => {
      await bus.check();
      await bus.ensureTopics(topicSpecs(config));
      return use(bus);
    });
  });

/** For the time of `use` this process is the one that has the data folder. One that is not there is refused, unless told. */
export const withStore = <T>(
  config: Config,
  use: (store: Store) => Promise<T>,
  { makesFolder = false }: { readonly makesFolder?: boolean } = {},
): Promise<T> =>
  alone({ data: config.data, kind: config.store.kind, makesFolder }, async (log) => {
    const store = await openStore(config, config.data, log);
    return closing(store, async () => {
      await store.open();
      return use(store);
    });
  });

/** With the lock of the data folder, where what is opened lies there. */
async function alone<T>(
  of: { readonly data: string; readonly kind: string; readonly makesFolder?: boolean },
  use: (log: ReturnType<typeof createLog>) => Promise<T>,
): Promise<T> {
  const log = createLog({ level: "warn", pretty: process.stderr.isTTY === true });
  const { data, kind, makesFolder = false } = of;
  if (kind !== "embedded") return use(log);
  if (makesFolder) makeDataDir(data);
  else if (!existsSync(data))
    throw new UserError(
      "data.missing",
      `there is no data folder ${data}: name the one that wache run keeps its data in, with --data or the key data`,
    );
  const lock = takeLock(data);
  try {
    return await use(log);
  } finally {
    lock.release();
  }
}

async function closing<T>(
  opened: { readonly close: () => Promise<void> },
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use();
  } finally {
    await opened.close();
  }
}

export const nowMs = (): number => systemClock.now();

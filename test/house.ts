// house.ts — real Wache processes for tests: started, killed, started again, and asked over their local sockets.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const WACHE = join(import.meta.dirname, "..", "cli", "wache.mjs");
const HEAP = ["--max-semi-space-size=8", "--initial-old-space-size=208"]; // as npm start has it
const READY_MS_MAX = 60_000;

export type HouseProcess = {
  readonly name: string;
  readonly data: string;
  start(): Promise<void>;
  kill9(): Promise<void>;
  /** SIGSTOP: to the others it is silent, for itself no time passes until `thaw`. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<number | null>;
};
export type House = {
  readonly dir: string;
  readonly config: string;
  process(verb: string, name?: string, nodeArgs?: readonly string[]): HouseProcess;
  dispose(): Promise<void>;
};

/** A folder of its own with one configuration, in which any number of processes run. */
export function openHouse(config: Readonly<Record<string, unknown>>): House {
  const dir = mkdtempSync(join(tmpdir(), "wache-house-"));
  const file = join(dir, "wache.yaml");
  writeFileSync(file, JSON.stringify(config));
  const processes: HouseProcess[] = [];
  return {
    dir,
    config: file,
    process: (verb, name = verb, nodeArgs = []) => {
      const made = houseProcess({ verb, name, file, data: join(dir, name), nodeArgs });
      processes.push(made);
      return made;
    },
    dispose: async () => {
      await Promise.all(processes.map((one) => one.kill9()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function houseProcess(about: {
  readonly verb: string;
  readonly name: string;
  readonly file: string;
  readonly data: string;
  readonly nodeArgs: readonly string[];
}): HouseProcess {
  const { verb, name, file, data, nodeArgs } = about;
  let child: ChildProcess | undefined;
  let exited: Promise<number | null> = Promise.resolve(null);
  const send = (signal: NodeJS.Signals): void => {
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, signal);
  };
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    send(signal);
    return exited;
  };
  return {
    name,
    data,
    start: async () => {
      mkdirSync(data, { recursive: true });
      const ours = [verb, "--config", file, "--data", data, "--port", "0", "--json"];
      const args = [...HEAP, ...nodeArgs, WACHE, ...ours];
      const started = spawn(process.execPath, args, {
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      });
      child = started;
      exited = new Promise((resolve) => started.once("exit", (code) => resolve(code)));
      await readyLine(started, name);
    },
    kill9: async () => {
      await end("SIGKILL");
    },
    freeze: () => send("SIGSTOP"),
    thaw: () => send("SIGCONT"),
    stop: () => end("SIGTERM"),
  };
}

function readyLine(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const patience = setTimeout(
      () => reject(new Error(`${name} is not ready in time:\n${said}`)),
      READY_MS_MAX,
    );
    const done = (error?: Error) => {
      clearTimeout(patience);
      if (error) reject(error);
      else resolve();
    };
    if (child.stdout)
      createInterface({ input: child.stdout }).on(
        "line",
        (line) => line.includes('"ready":true') && done(),
      );
    child.stderr?.on("data", (chunk: Buffer) => {
      said = (said + String(chunk)).slice(-4000);
    });
    child.once("exit", (code) => done(new Error(`${name} ended with ${code}:\n${said}`)));
  });
}

type Ended = { readonly code: number | null; readonly out: string; readonly error: string };
export type Verb = {
  readonly ended: Promise<Ended>;
  isEnded(): boolean;
  signal(signal: NodeJS.Signals): void;
};

/** Starts a verb that ends by itself. */
export function startVerb(...args: readonly string[]): Verb {
  const child = spawn(process.execPath, [WACHE, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let out = "";
  let error = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += String(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    error += String(chunk);
  });
  const isEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, out, error }))),
    isEnded,
    signal: (signal) => {
      if (child.pid !== undefined && !isEnded()) process.kill(-child.pid, signal);
    },
  };
}

/** Runs a verb to its end. */
export const wache = (...args: readonly string[]): Promise<Ended> => startVerb(...args).ended;

/** Asks a process over the socket in its data folder, as the machine's own administrator. */
export function ask(
  data: string,
  path: string,
  body?: unknown,
  more: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>> {
  const { socket } = JSON.parse(readFileSync(join(data, "run.json"), "utf8")) as {
    readonly socket: string;
  };
  return new Promise((resolve, reject) => {
    const headers = { ...more, ...(body !== undefined && { "content-type": "application/json" }) };
    const sent = request(
      { socketPath: socket, path, method: body === undefined ? "GET" : "POST", headers },
      (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => {
          text += String(chunk);
        });
        answer.on("end", () => {
          if ((answer.statusCode ?? 500) < 300)
            resolve(JSON.parse(text) as Record<string, unknown>);
          else reject(new Error(`${path}: ${answer.statusCode} ${text}`));
        });
      },
    );
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

export async function everything<T>(data: string, path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor = "";
  do {
    const join = path.includes("?") ? "&" : "?";
    const page = await ask(
      data,
      `${path}${join}limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    items.push(...(page["items"] as T[]));
    cursor = typeof page["cursor"] === "string" ? page["cursor"] : "";
  } while (cursor);
  return items;
}

/** How many lines of the file the process has taken. */
export async function streamPosition(data: string, file: string): Promise<number> {
  const name = `import-${createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 24)}`;
  const token = readFileSync(join(data, "ingest.token"), "utf8").trim();
  const found = await ask(data, `/ingest/streams/${name}`, undefined, {
    authorization: `Bearer ${token}`,
  });
  return Number(found["position"]);
}

/** Asks again until the answer is wanted, and then gives it; the last one when the patience ends. */
export async function until<T>(
  get: () => Promise<T>,
  wanted: (found: T) => boolean,
  patienceMs = 60_000,
  everyMs = 200,
): Promise<T> {
  const endMs = Date.now() + patienceMs;
  for (;;) {
    const found = await get().catch((error: unknown) => error as T);
    if (Date.now() > endMs) return found;
    if (!(found instanceof Error) && wanted(found)) return found;
    await sleep(everyMs);
  }
}

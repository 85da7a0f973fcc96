import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Bus } from "./bus/bus.ts";
import { systemClock } from "./clock.ts";
import { loadConfig } from "./config.ts";
import type { Config } from "./config-schema.ts";
import { UserError } from "./errors.ts";
import { isLocal } from "./http.ts";
import { takeLock } from "./lock.ts";
import { createLog } from "./log.ts";
import { type Ready, runServices } from "./run.ts";
import { readRunFile, socketPathOf } from "./run-files.ts";
import type { Clock, Service } from "./service.ts";
import type { Store } from "./store/store.ts";

let folder = "";
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wache-run-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

const configWith = (text: object = {}): Config =>
  loadConfig({ cwd: folder, env: {}, overrides: { api: { port: 0 }, ...text } });
const nothing = async (): Promise<void> => {};
const fakeBus = (over: Partial<Bus> = {}): Bus =>
  ({ kind: "embedded", check: nothing, ensureTopics: nothing, close: nothing, ...over }) as Bus;
const fakeStore = (over: Partial<Store> = {}): Store =>
  ({ kind: "embedded", open: nothing, close: nothing, ...over }) as Store;

type Started = {
  readonly ready: Ready;
  readonly stop: () => Promise<number>;
  readonly said: string[];
};
/** Runs the services until ready; `said` is what happened, in order. */
async function started(
  services: readonly Service[],
  options: {
    config?: Config;
    bus?: () => Bus;
    store?: () => Store;
    clock?: Clock;
    said?: string[];
  } = {},
): Promise<Started> {
  const stopping = new AbortController();
  const said = options.said ?? [];
  let running: Promise<number> = Promise.resolve(0);
  const ready = await new Promise<Ready>((done, failed) => {
    running = runServices(services, options.config ?? configWith(), {
      openBus: async () => (options.bus ?? fakeBus)(),
      openStore: async () => (options.store ?? fakeStore)(),
      log: createLog({ level: "warn", write: (line) => void said.push(line) }),
      onReady: done,
      signal: stopping.signal,
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    });
    running.catch(failed);
  });
  const stop = (): Promise<number> => {
    stopping.abort();
    return running;
  };
  return { ready, stop, said };
}

const service = (name: string, said: string[]): Service => ({
  name,
  start: async () => {
    said.push(`start ${name}`);
    return { stop: async () => void said.push(`stop ${name}`) };
  },
});

test("services start in order and stop in reverse, before the store and the bus", async () => {
  const said: string[] = [];
  const running = await started([service("a", said), service("b", said)], {
    said,
    bus: () => fakeBus({ close: async () => void said.push("close bus") }),
    store: () => fakeStore({ close: async () => void said.push("close store") }),
  });
  expect(await running.stop()).toBe(0);
  expect(said).toEqual(["start a", "start b", "stop b", "stop a", "close store", "close bus"]);
});

test("a running process answers by TCP and by its socket, and tells the two apart", async () => {
  const routes: Service = {
    name: "routes",
    start: async ({ http }) => {
      http.get("/who", async (request) => ({ local: isLocal(request) }));
      http.get("/broken", async () => {
        throw new Error("the inside");
      });
      return { stop: nothing };
    },
  };
  const running = await started([routes, service("other", [])]);
  const { address, dataDir } = running.ready;
  const byTcp = async (path: string) => {
    const response = await fetch(address + path);
    return { status: response.status, body: await response.text() };
  };
  expect(await byTcp("/who")).toEqual({ status: 200, body: '{"local":false}' });
  expect(await bySocket(socketPathOf(dataDir), "/who")).toBe('{"local":true}');
  expect(await byTcp("/healthz")).toEqual({ status: 200, body: '{"alive":true}' });
  expect(JSON.parse((await byTcp("/readyz")).body)).toMatchObject({
    ready: true,
    parts: { process: { ok: true } },
  });
  expect((await byTcp("/metrics")).body).toContain("wache_build_info{");
  expect(await byTcp("/broken")).toEqual({
    status: 500,
    body: '{"error":{"code":"http.internal","message":"an internal error; the log says more"}}',
  });
  expect(await byTcp("/none?x=1")).toEqual({
    status: 404,
    body: '{"error":{"code":"http.not-found","message":"there is no GET /none"}}',
  });
  expect(readRunFile(dataDir)).toMatchObject({ pid: process.pid, address });
  await running.stop();
  expect(readRunFile(dataDir)).toBeUndefined();
  expect(existsSync(socketPathOf(dataDir))).toBe(false);
});

test("closed health and metrics answer the local socket only", async () => {
  const config = configWith({ api: { port: 0, openHealth: false, openMetrics: false } });
  const running = await started([service("a", []), service("b", [])], { config });
  for (const path of ["/healthz", "/readyz", "/metrics"])
    expect((await fetch(running.ready.address + path)).status).toBe(401);
  expect(await bySocket(socketPathOf(running.ready.dataDir), "/healthz")).toBe('{"alive":true}');
  await running.stop();
});

test("while Kafka is away the process lives, is not ready, and says what it waits for", async () => {
  const config = configWith({ bus: { kind: "kafka", kafka: { brokers: ["127.0.0.1:1"] } } });
  const port = await freePort();
  const seen: unknown[] = [];
  let tries = 0;
  const bus = fakeBus({
    check: async () => {
      tries += 1;
      if (tries < 3) throw new Error("connection refused");
    },
  });
  const clock: Clock = {
    ...systemClock,
    sleep: async () => {
      const answers = ["/healthz", "/readyz", "/api/x"].map((path) =>
        fetch(`http://127.0.0.1:${port}${path}`),
      );
      for (const answer of answers) seen.push([(await answer).status, await (await answer).json()]);
    },
  };
  const running = await started([service("detect", [])], {
    config: { ...config, api: { ...config.api, port } },
    bus: () => bus,
    clock: {
      ...clock,
      sleep: (ms, signal) => (tries < 3 ? clock.sleep(ms) : systemClock.sleep(ms, signal)),
    },
  });
  const round = [
    [200, { alive: true }],
    [503, { ready: false, parts: { process: { ok: false, text: "waiting for Kafka" } } }],
    [
      503,
      {
        error: {
          code: "http.starting",
          message: "Wache is starting; /readyz says what it waits for",
        },
      },
    ],
  ];
  expect(seen).toEqual([...round, ...round]);
  expect(running.said.map((line) => JSON.parse(line).msg)).toEqual([
    "waiting for Kafka: connection refused; trying again every 3 s",
    "waiting for Kafka: connection refused; trying again every 3 s",
  ]);
  expect(await running.stop()).toBe(0);
});

test("with OpenSearch away services start, and what needs the store waits for it", async () => {
  const config = configWith({ store: { kind: "opensearch" } });
  const said: string[] = [];
  let isAway = true;
  const store = (): Store =>
    fakeStore({
      kind: "opensearch",
      open: async () => {
        if (isAway) throw new Error("no route");
      },
      getDocument: async () => ({ id: "x", revision: 1, body: {} }),
    });
  const found = Promise.withResolvers<string>();
  const reader: Service = {
    name: "reader",
    start: async ({ store: given }) => {
      given
        .getDocument("accounts", "x")
        .then((document) => found.resolve(document?.id ?? ""), found.reject);
      said.push("started");
      isAway = false;
      return { stop: nothing };
    },
  };
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 1), signal),
  };
  const stopping = new AbortController();
  const running = runServices([reader, service("other", said)], config, {
    openBus: async () => fakeBus(),
    openStore: async () => store(),
    log: createLog({ level: "error", write: (line) => void said.push(line) }),
    onReady: () => said.push("ready"),
    signal: stopping.signal,
    clock,
  });
  expect(await found.promise).toBe("x");
  stopping.abort();
  await running;
  expect(said.slice(0, 2)).toEqual(["started", "start other"]);
});

test("a failing start undoes what was done and is thrown", async () => {
  const said: string[] = [];
  const broken: Service = {
    name: "broken",
    start: async () => {
      throw new UserError("x.y", "no");
    },
  };
  await expect(started([service("a", said), broken])).rejects.toThrow("no");
  expect(said).toEqual(["start a", "stop a"]);
  takeLock(join(folder, "wache-data")).release();
});

test("a start says when the process before was killed, and nothing where it stopped", async () => {
  const both = [service("a", []), service("b", [])];
  const first = await started(both);
  const { dataDir } = first.ready;
  await first.stop();
  const second = await started(both);
  await second.stop();
  writeFileSync(join(dataDir, "wache.pid"), "4711\n");
  const third = await started(both);
  await third.stop();
  const warned = [first, second, third].map(({ said }) =>
    said.filter((line) => line.includes("did not stop by itself")),
  );
  expect(warned).toEqual([[], [], [expect.stringContaining("4711")]]);
});

test("a service alone on the embedded bus is refused", async () => {
  await expect(started([service("detect", [])])).rejects.toThrow(
    "wache detect alone needs Kafka: set bus.kind to kafka, or use wache run",
  );
});

test("a stop that hangs ends at the deadline with exit code 1", async () => {
  const hangs = Promise.withResolvers<void>();
  const hanging: Service = {
    name: "hanging",
    start: async () => ({
      stop: () => {
        hangs.resolve();
        return new Promise(() => {});
      },
    }),
  };
  const running = await started([hanging, service("a", [])], {
    clock: { ...systemClock, sleep: () => hangs.promise },
  });
  expect(await running.stop()).toBe(1);
  expect(running.said.map((line) => JSON.parse(line).msg)).toEqual([
    "not stopped after 20 s: hanging did not finish",
  ]);
});

test("a port in use is named", async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
  const { port } = other.address() as AddressInfo;
  const start = started([service("a", []), service("b", [])], {
    config: configWith({ api: { port } }),
  });
  const error = await start.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  other.close();
  expect(error).toMatchObject({ code: "http.port-in-use", exitCode: 3 });
  expect((error as Error).message).toContain(
    `port ${port} on 127.0.0.1 is in use by another program: `,
  );
});

test("the lock is held against another process, names its pid, and is gone after kill -9", async () => {
  // It is held as long as the process can reach it: here by a global name, in a run by what undoes it.
  const holder = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      "-e",
      `import(${JSON.stringify(join(import.meta.dirname, "lock.ts"))}).then((m) => { globalThis.held = m.takeLock(${JSON.stringify(folder)}); console.log("held"); setInterval(() => {}, 1000); })`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.push(holder);
  await new Promise((done) => holder.stdout?.once("data", done));
  expect(() => takeLock(folder)).toThrow(
    `the data folder ${folder} is in use by another wache process (pid ${holder.pid}); stop it, or give this one a folder of its own with --data`,
  );
  holder.kill("SIGKILL");
  await new Promise((done) => holder.once("exit", done));
  const lock = takeLock(folder);
  expect(readFileSync(join(folder, "wache.pid"), "utf8")).toBe(`${process.pid}\n`);
  expect(lock.killedPid).toBe(String(holder.pid));
  lock.release();
  const next = takeLock(folder);
  expect(next.killedPid).toBeUndefined();
  next.release();
});

function bySocket(socketPath: string, path: string): Promise<string> {
  return new Promise((done, failed) => {
    get({ socketPath, path }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => done(body));
    }).on("error", failed);
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((done) => server.close(() => done()));
  return port;
}

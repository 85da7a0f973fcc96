// api-under-test.ts — the API on a real bus and store in a folder of its own, with a clock that tests turn by hand.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LightMyRequestResponse } from "fastify";
import type { Bus } from "../core/bus/bus.ts";
import { openBus } from "../core/bus/open.ts";
import { randomId, systemClock } from "../core/clock.ts";
import { loadConfig } from "../core/config.ts";
import { createHttp, type HttpServer } from "../core/http.ts";
import { createLog } from "../core/log.ts";
import { createMetrics } from "../core/metrics.ts";
import { socketPathOf } from "../core/run-files.ts";
import type { Clock, ServiceContext, StatusBoard } from "../core/service.ts";
import { createStatus } from "../core/status.ts";
import { openStore } from "../core/store/open.ts";
import type { Store } from "../core/store/store.ts";
import { topicSpecs } from "../core/topics.ts";
import { apiService } from "./api.ts";

export const START_MS = Date.UTC(2026, 10, 23, 3, 0, 0);
export const ADMIN = { name: "ada", password: "a long enough password" } as const;

export type ApiUnderTest = {
  readonly store: Store;
  readonly bus: Bus;
  readonly status: StatusBoard;
  readonly http: HttpServer;
  readonly socketPath: string;
  readonly logged: string[];
  readonly advance: (ms: number) => void;
  readonly now: () => number;
  readonly call: (call: Call) => Promise<Answer>;
  readonly setupToken: () => string;
  /** The first admin's session cookie. */
  readonly signUp: () => Promise<string>;
  /** Another process over the same store. */
  readonly again: () => Promise<ApiUnderTest>;
  readonly hangUp: () => void;
  readonly close: () => Promise<void>;
};
export type Call = {
  readonly method?: "GET" | "POST" | "DELETE" | "PUT";
  readonly url: string;
  readonly body?: unknown;
  readonly cookie?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
};
export type Answer = {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any;
  readonly raw: LightMyRequestResponse;
};

type Shared = { readonly dir: string; readonly bus: Bus; readonly store: Store };

export async function startApi(
  api: Readonly<Record<string, unknown>> = {},
  options: { readonly shared?: Shared; readonly clock?: Clock } = {},
): Promise<ApiUnderTest> {
  const { shared } = options;
  const dir = shared?.dir ?? mkdtempSync(join(tmpdir(), "wache-api-"));
  const config = loadConfig({
    cwd: dir,
    env: {},
    overrides: { data: dir, api: { port: 0, ...api }, correlator: { shippedRules: false } },
  });
  mkdirSync(dir, { recursive: true });
  const logged: string[] = [];
  const log = createLog({ level: "trace", write: (line) => logged.push(line) });
  const own = shared ?? (await openOwn(dir, config, log));
  const time =
    options.clock === undefined ? turnedClock() : { clock: options.clock, advance: () => {} };
  const status = createStatus();
  const metrics = createMetrics({ version: "test" });
  const socketPath = socketPathOf(join(dir, randomId()));
  const http = createHttp({
    config: config.api,
    socketPath,
    status,
    metrics,
    log,
    clock: systemClock,
  });
  const context: ServiceContext = {
    config,
    dataDir: dir,
    rulesDirs: [{ path: join(dir, "rules"), lenient: false }],
    ...own,
    http: http.app,
    log,
    metrics,
    clock: time.clock,
    random: randomId,
    status,
  };
  const service = await apiService.start(context);
  await http.app.ready();
  const call = caller(http);
  const setupToken = () => setupTokenOf(status);
  return {
    store: own.store,
    bus: own.bus,
    status,
    http,
    socketPath,
    logged,
    advance: time.advance,
    now: time.clock.now,
    call,
    setupToken,
    signUp: async () => {
      const body = { token: setupToken(), ...ADMIN };
      return cookieOf(await call({ method: "POST", url: "/api/setup", body }));
    },
    again: () => startApi(api, { ...options, shared: own }),
    hangUp: () => service.hangUp?.(),
    close: async () => {
      await service.stop();
      await http.close(1000);
      if (shared !== undefined) return;
      await own.bus.close();
      await own.store.close();
      rmSync(dir, { recursive: true });
    },
  };
}

const setupTokenOf = (status: StatusBoard): string =>
  (status.all().setup?.data as { path: string } | undefined)?.path.split("#")[1] ?? "";

async function openOwn(
  dir: string,
  config: ServiceContext["config"],
  log: ServiceContext["log"],
): Promise<Shared> {
  const bus = await openBus(config, dir, log);
  await bus.ensureTopics(topicSpecs(config));
  const store = await openStore(config, dir, log);
  await store.open();
  return { dir, bus, store };
}

/** Sleeping turns the clock on, so that nobody waits. */
function turnedClock(): { readonly clock: Clock; readonly advance: (ms: number) => void } {
  let nowMs = START_MS;
  const timers = new Set<{ atMs: number; readonly everyMs?: number; readonly run: () => void }>();
  const advance = (ms: number) => {
    nowMs += ms;
    for (const timer of [...timers]) {
      if (timer.atMs > nowMs) continue;
      if (timer.everyMs === undefined) timers.delete(timer);
      else timer.atMs = nowMs + timer.everyMs;
      timer.run();
    }
  };
  const add = (ms: number, run: () => void, everyMs?: number) => {
    const timer = { atMs: nowMs + ms, run, ...(everyMs === undefined ? {} : { everyMs }) };
    timers.add(timer);
    return () => {
      timers.delete(timer);
    };
  };
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    after: (ms, run) => add(ms, run),
    every: (ms, run) => add(ms, run, ms),
    sleep: async (ms) => {
      advance(ms);
      await new Promise((done) => setImmediate(done));
    },
  };
  return { clock, advance };
}

const caller =
  (http: HttpServer) =>
  async ({ method = "GET", url, body, cookie, token, headers = {} }: Call): Promise<Answer> => {
    const raw = await http.app.inject({
      method,
      url,
      headers: {
        host: "wache.test",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(cookie === undefined ? {} : { cookie, origin: "http://wache.test" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    return { status: raw.statusCode, body: parsed(raw.body), raw };
  };

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export const cookieOf = (answer: Answer): string =>
  String([answer.raw.headers["set-cookie"]].flat()[0] ?? "").split(";")[0] ?? "";

// run.ts — the life of a process: an ordered start, work until a signal, a graceful stop in reverse.
//
// In:    services in the order of their start, and the configuration.
// Out:   an exit code: 0 after a graceful stop, 1 when its deadline passed, 70 after a mistake of our own.
// Holds: the data folder is locked before anything in it is touched; HTTP answers /healthz from then on, and /readyz
//        says what is waited for; a process that met an error it does not know ends rather than living on half dead.
import { join } from "node:path";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Bus } from "./bus/bus.ts";
import { randomId, systemClock } from "./clock.ts";
import type { Config } from "./config-schema.ts";
import { diskFault } from "./disk-fault.ts";
import { messageOf, UserError } from "./errors.ts";
import { createHttp, type HttpServer } from "./http.ts";
import { makeDataDir, takeLock } from "./lock.ts";
import { createMetrics } from "./metrics.ts";
import { packageRoot, packageVersion } from "./package-root.ts";
import { removeRunFile, socketPathOf, writeRunFile } from "./run-files.ts";
import type {
  Clock,
  PartState,
  Service,
  ServiceContext,
  StartedService,
  StatusBoard,
} from "./service.ts";
import { createStatus } from "./status.ts";
import { storeOnceOpen } from "./store/once-open.ts";
import type { Store } from "./store/store.ts";
import { topicSpecs } from "./topics.ts";

export type Openers = {
  readonly openBus: (config: Config, dataDir: string, log: Logger) => Promise<Bus>;
  readonly openStore: (config: Config, dataDir: string, log: Logger) => Promise<Store>;
};
export type RunOptions = Openers & {
  readonly log: Logger;
  /** Told once everything works. */
  readonly onReady: (ready: Ready) => void;
  /** Told whenever a part says how it is. */
  readonly onStatus?: (part: string, state: PartState) => void;
  /** Ends the run as SIGTERM does. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
};
export type Ready = {
  readonly address: string;
  readonly dataDir: string;
  readonly status: StatusBoard;
};

const STOP_DEADLINE_MS = 20_000;
const HTTP_DRAIN_MS = 3_000;
const RETRY_MS = 3_000;

/** Things to undo, newest first. */
type Undo = { readonly what: string; readonly run: () => Promise<void> | void };

export async function runServices(
  services: readonly Service[],
  config: Config,
  options: RunOptions,
): Promise<number> {
  refuseLoneService(services, config);
  const clock = options.clock ?? systemClock;
  const undo: Undo[] = [];
  const stopping = new AbortController();
  const status = createStatus(options.onStatus);
  const onAbort = (): void => {
    status.set("process", { ok: false, text: "stopping: finishing what is under way" });
    stopping.abort();
  };
  options.signal.addEventListener("abort", onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  let failure: { readonly error: unknown } | undefined;
  try {
    const run: Run = { services, config, options, clock, status, undo, stopping: stopping.signal };
    const ready = await start(run);
    if (ready !== undefined) {
      options.onReady(ready);
      await aborted(stopping.signal);
    }
  } catch (error) {
    // What a stop interrupts is no failure.
    if (!stopping.signal.aborted) failure = { error };
  }
  options.signal.removeEventListener("abort", onAbort);
  const clean = await stopAll(undo, options.log, clock);
  if (failure !== undefined) throw diskFault(failure.error, config.data) ?? failure.error;
  return clean ? 0 : 1;
}

type Run = {
  readonly services: readonly Service[];
  readonly config: Config;
  readonly options: RunOptions;
  readonly clock: Clock;
  readonly status: StatusBoard;
  readonly undo: Undo[];
  readonly stopping: AbortSignal;
};

/** Undefined where a signal came first. */
async function start(run: Run): Promise<Ready | undefined> {
  const { config, options, status, undo } = run;
  const dataDir = config.data;
  say(run, "starting");
  makeDataDir(dataDir);
  const lock = takeLock(dataDir);
  undo.push({ what: "lock", run: () => lock.release() });
  if (lock.killedPid !== undefined)
    options.log.warn(
      { pid: lock.killedPid },
      "the process that ran here before did not stop by itself: it was killed, or the machine went down; what it acknowledged is kept, and what it had not finished is done again",
    );
  const metrics = createMetrics({ version: packageVersion() });
  const http = createHttp({
    config: config.api,
    socketPath: socketPathOf(dataDir),
    status,
    metrics,
    log: options.log,
    clock: run.clock,
  });
  await http.listen();
  undo.push({ what: "http", run: () => http.close(HTTP_DRAIN_MS) });
  const bus = await reached(run, BUS_NAME[config.bus.kind], () => openBusAndTopics(run));
  if (bus === undefined) return undefined;
  const store = await openStore(run);
  const context = contextOf(run, { http, bus, store, metrics });
  const running: StartedService[] = [];
  for (const service of run.services) {
    if (run.stopping.aborted) return undefined;
    say(run, `starting: ${service.name}`);
    const started = await service.start(context);
    running.push(started);
    undo.push({ what: service.name, run: () => started.stop() });
  }
  await http.open();
  // Requests must not come in while what answers them is being stopped.
  undo.push({
    what: "http requests",
    run: () => {
      for (const service of running) service.hangUp?.();
      return http.close(HTTP_DRAIN_MS);
    },
  });
  writeRunFile(dataDir, {
    pid: process.pid,
    address: http.address(),
    socket: socketPathOf(dataDir),
    services: run.services.map((service) => service.name),
    version: packageVersion(),
  });
  undo.push({ what: "run file", run: () => removeRunFile(dataDir) });
  if (run.stopping.aborted) return undefined;
  status.set("process", { ok: true, text: "works" });
  return { address: http.address(), dataDir, status };
}

const BUS_NAME = { embedded: "the embedded bus", kafka: "Kafka" } as const;
const STORE_NAME = { embedded: "the embedded store", opensearch: "OpenSearch" } as const;

const say = (run: Run, text: string): void => run.status.set("process", { ok: false, text });

function contextOf(
  run: Run,
  parts: {
    readonly http: HttpServer;
    readonly bus: Bus;
    readonly store: Store;
    readonly metrics: Registry;
  },
): ServiceContext {
  const { config, options } = run;
  const shipped = { path: join(packageRoot(), "rules"), lenient: false };
  return {
    config,
    dataDir: config.data,
    rulesDirs: [...(config.correlator.shippedRules ? [shipped] : []), ...config.correlator.rules],
    bus: parts.bus,
    store: parts.store,
    http: parts.http.app,
    log: options.log,
    metrics: parts.metrics,
    clock: run.clock,
    random: randomId,
    status: run.status,
  };
}

async function openBusAndTopics(run: Run): Promise<Bus> {
  const bus = await run.options.openBus(run.config, run.config.data, run.options.log);
  try {
    await bus.check();
    await bus.ensureTopics(topicSpecs(run.config));
  } catch (error) {
    await bus.close().catch(() => undefined);
    throw error;
  }
  run.undo.push({ what: "bus", run: () => bus.close() });
  return bus;
}

/** OpenSearch may be away at the start: pages need the bus only, so whoever needs the store waits, and nobody else. */
async function openStore(run: Run): Promise<Store> {
  const { config, options } = run;
  const store = await options.openStore(config, config.data, options.log);
  if (config.store.kind === "embedded") {
    await store.open();
    run.undo.push({ what: "store", run: () => store.close() });
    return store;
  }
  const opened = reached(run, STORE_NAME[config.store.kind], async () => {
    await store.open();
    run.status.set("store", { ok: true, text: "reached" });
    return true as const;
  });
  run.undo.push({ what: "store", run: () => store.close() });
  return storeOnceOpen(store, opened);
}

/** Tries until it works; undefined when the process is asked to stop before. Only what is far away can come back. */
async function reached<T>(
  run: Run,
  name: string,
  attempt: () => Promise<T>,
): Promise<T | undefined> {
  const part = name === STORE_NAME.opensearch ? "store" : "process";
  const isRemote = name === STORE_NAME.opensearch || name === BUS_NAME.kafka;
  while (!run.stopping.aborted) {
    run.status.set(part, { ok: false, text: `waiting for ${name}` });
    try {
      return await attempt();
    } catch (error) {
      if (!isRemote) throw error;
      run.options.log.warn(
        `waiting for ${name}: ${messageOf(error)}; trying again every ${RETRY_MS / 1000} s`,
      );
      await run.clock.sleep(RETRY_MS, run.stopping);
    }
  }
  return undefined;
}

function refuseLoneService(services: readonly Service[], config: Config): void {
  const [only] = services;
  if (services.length !== 1 || only === undefined || config.bus.kind !== "embedded") return;
  throw new UserError(
    "run.needs-kafka",
    `wache ${only.name} alone needs Kafka: set bus.kind to kafka, or use wache run`,
    { exitCode: 2 },
  );
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });

/** False where the deadline passed first. */
async function stopAll(undo: readonly Undo[], log: Logger, clock: Clock): Promise<boolean> {
  const late = new AbortController();
  let under = "";
  const work = (async () => {
    for (const step of undo.toReversed()) {
      under = step.what;
      try {
        await step.run();
      } catch (error) {
        log.error({ err: error }, `stopping ${step.what} failed`);
      }
    }
    late.abort();
    return true;
  })();
  const deadline = clock.sleep(STOP_DEADLINE_MS, late.signal).then(() => false);
  const clean = await Promise.race([work, deadline]);
  if (!clean) log.error(`not stopped after ${STOP_DEADLINE_MS / 1000} s: ${under} did not finish`);
  return clean;
}

// worker.ts — a simulated worker: the real stages, wired as their services wire them, over the memory bus and store.
import { Registry } from "prom-client";
import { Value } from "typebox/value";
import { startIncidents, startRoute } from "../../alerting/alert.ts";
import type { Route } from "../../alerting/routing/routes.ts";
import { type Config, configSchema } from "../../core/config-schema.ts";
import { createLog } from "../../core/log.ts";
import { TOPIC } from "../../core/records.ts";
import type { ServiceContext } from "../../core/service.ts";
import { startKeep } from "../../core/store/keep.ts";
import { correlateService } from "../../correlator/correlate.ts";
import { startDetection } from "../../correlator/detect.ts";
import type { ActiveRules } from "../../correlator/detection.ts";
import type { DrawnBounds } from "./bounds.ts";
import type { MemoryBus } from "./memory-bus.ts";
import type { MemoryStore } from "./memory-store.ts";
import { Process } from "./process.ts";
import type { World } from "./world.ts";

const DOWN_MS_MAX = 8000;
const START_AGAIN_MS = 1000;
const silent = createLog({ level: "silent" });

export const ROLES = ["detect", "correlate", "alert"] as const;
export type Role = (typeof ROLES)[number];
export const ROUTES: readonly Route[] = [{ minLevel: "medium", channels: ["team"] }];

export type Settings = {
  readonly latenessMs: number;
  readonly evidenceMax: number;
  readonly snapshotS: number;
  readonly bounds: DrawnBounds;
};
export type House = {
  readonly world: World;
  readonly bus: MemoryBus;
  readonly store: MemoryStore;
  readonly settings: Settings;
  readonly rules: (worker: string) => () => ActiveRules; // one edition or another of the same rules
  readonly gaveUp: Set<string>; // names of rules that were said to have reached a bound
};

export class Worker {
  readonly #house: House;
  readonly name: string;
  readonly #roles: readonly Role[];
  #process: Process | undefined;
  #stop: (() => Promise<void>) | undefined;
  #lives = 0;

  constructor(house: House, name: string, roles: readonly Role[]) {
    this.#house = house;
    this.name = name;
    this.#roles = roles;
  }

  get isAlive(): boolean {
    return this.#process?.isAlive === true;
  }

  start(): void {
    if (this.isAlive) return;
    const { world } = this.#house;
    const process = new Process(world, this.name);
    this.#process = process;
    this.#stop = undefined;
    this.#lives += 1;
    process.atEnd(() => {
      const ms = world.isRough ? world.chance.int(0, DOWN_MS_MAX) : START_AGAIN_MS;
      world.scheduler.after(ms, () => this.start());
    });
    this.#open(process).then(
      (stop) => {
        this.#stop = stop;
      },
      () => process.end(), // a start that is refused ends the process
    );
  }

  /** As by SIGTERM: what is under way ends, then the process. */
  stop(): void {
    const process = this.#process;
    const stop = this.#stop;
    if (!process?.isAlive || stop === undefined) return;
    this.#stop = undefined;
    stop().then(
      () => process.end(),
      () => process.end(),
    );
  }

  async #open(process: Process): Promise<() => Promise<void>> {
    const context = this.#context(process);
    const steps: { readonly stop: () => Promise<void> }[] = [];
    for (const role of this.#roles)
      steps.push(...(await START[role](context, this.#house, this.name)));
    return async () => {
      for (const step of steps.reverse()) await step.stop();
    };
  }

  #context(process: Process): ServiceContext {
    const { bus, store, settings, gaveUp } = this.#house;
    let drawn = 0;
    return {
      config: configOf(settings),
      bus: bus.connect(process),
      store: store.connect(process),
      log: silent,
      metrics: new Registry(),
      clock: process.clock,
      random: () => `${this.name}-${this.#lives}-${++drawn}`,
      status: { set: (part, { data }) => notePart(gaveUp, part, data), all: () => ({}) },
      dataDir: "",
      rulesDirs: [],
      http: { get: () => {}, post: () => {} } as unknown as ServiceContext["http"], // nobody asks here
    };
  }
}

const START: Readonly<
  Record<
    Role,
    (
      context: ServiceContext,
      house: House,
      worker: string,
    ) => Promise<readonly { stop: () => Promise<void> }[]>
  >
> = {
  detect: async (context, { rules }, worker) => [await startDetection(context, rules(worker))],
  correlate: async (context) => [await correlateService.start(context)],
  alert: async (context) => [
    await startKeep(context, {
      ...{ group: "keep-incidents", topic: TOPIC.incidents, into: "incidents" },
    }),
    await startIncidents(context, ROUTES),
    await startRoute(context),
  ],
};

/** What an operator is told of windows that reached a bound. */
function notePart(gaveUp: Set<string>, part: string, data: unknown): void {
  if (part !== "windows") return;
  for (const rule of (data as { readonly rules: readonly string[] }).rules) gaveUp.add(rule);
}

function configOf({ latenessMs, evidenceMax, snapshotS, bounds }: Settings): Config {
  const snapshot = `${snapshotS}s`;
  return {
    ...DEFAULTS,
    time: { ...DEFAULTS.time, lateness: `${latenessMs}ms` },
    correlator: { ...DEFAULTS.correlator, ...bounds, evidenceMax, snapshot },
    alerting: { ...DEFAULTS.alerting, snapshot },
  };
}

const DEFAULTS = Value.Default(configSchema, {}) as Config;

// service.ts — what a service is given and what it gives back: services start in order and stop in reverse.
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Bus } from "./bus/bus.ts";
import type { Config } from "./config-schema.ts";
import type { Store } from "./store/store.ts";

export type Clock = {
  /** Wall time, ms since 1970. */
  readonly now: () => number;
  /** Goes on evenly whatever the wall clock does, ms; the difference of two is what counts. */
  readonly monotonicMs: () => number;
  /** Runs after `ms`; the result cancels it. Never keeps the process alive. */
  readonly after: (ms: number, run: () => void) => () => void;
  readonly every: (ms: number, run: () => void) => () => void;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
};

export type ServiceContext = {
  readonly config: Config;
  readonly dataDir: string; // absolute
  readonly rulesDirs: readonly { readonly path: string; readonly lenient: boolean }[];
  readonly bus: Bus;
  readonly store: Store;
  readonly http: FastifyInstance; // routes are added before it listens
  readonly log: Logger;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly random: () => string; // 128 random bits, base64url
  readonly status: StatusBoard;
};

/** How a part is, in words. */
export type PartState = {
  readonly ok: boolean; // false: somebody should look, and /readyz says 503
  readonly ready?: true; // it does its work although it is not ok: /readyz stays at 200
  readonly text: string;
  readonly data?: unknown;
};

/** What /readyz and the status page show. */
export type StatusBoard = {
  readonly set: (part: string, state: PartState) => void;
  readonly all: () => Readonly<Record<string, PartState>>;
};

export type StartedService = {
  readonly stop: () => Promise<void>;
  /** Ends answers that never end by themselves; called before HTTP waits for its requests. */
  readonly hangUp?: () => void;
};

export type Service = {
  readonly name: string;
  /** Resolves when it works; what it gives back drains and stops it. */
  readonly start: (context: ServiceContext) => Promise<StartedService>;
};

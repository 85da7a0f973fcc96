// kafka-client.ts — kafkajs as Wache wants it: its log in ours, its names under one prefix, its idle poll gone.
//
// Holds: every topic and consumer group of an installation starts with its prefix, so that several can share a Kafka.
import { createRequire } from "node:module";
import net from "node:net";
import tls from "node:tls";
import {
  type ISocketFactory,
  Kafka,
  type KafkaConfig,
  type LogEntry,
  logLevel,
  type RetryOptions,
} from "kafkajs";
import type { Logger } from "pino";
import { messageOf, UserError } from "../errors.ts";
import type { TopicName } from "../records.ts";
import type { Clock } from "../service.ts";

export type KafkaOptions = {
  readonly brokers: readonly string[]; // host:port
  readonly clientId: string;
  readonly prefix?: string; // of every topic and group; "wache" unless told
  readonly replicationFactor: number; // of topics that are created
  readonly ssl: boolean;
  readonly saslUsername?: string;
  readonly saslPassword?: string;
};
export type KafkaDeps = { readonly log: Logger; readonly clock: Clock };
export type KafkaNames = {
  readonly topic: (name: TopicName) => string;
  readonly group: (name: string) => string;
};

const CONNECT_MS_MAX = 3000;
const REQUEST_MS_MAX = 30_000;
const KEEP_ALIVE_MS = 60_000;
const ERRORS_EVERY_MS = 10_000;

/** Where Kafka is meant to be there: short tries, so that whoever waits hears about it. */
export const TRIES_FEW: RetryOptions = retries(2);
/** Where an outage is to be sat out: what follows is our own loop. */
export const TRIES_MANY: RetryOptions = retries(8);

function retries(count: number): RetryOptions {
  return { retries: count, initialRetryTime: 100, maxRetryTime: 1000, factor: 0.2, multiplier: 2 };
}

export function kafkaClient(options: KafkaOptions, deps: KafkaDeps, retry: RetryOptions): Kafka {
  tameRequestQueue();
  const { saslUsername: username, saslPassword: password } = options;
  const config: KafkaConfig = {
    brokers: [...options.brokers],
    clientId: options.clientId,
    ssl: options.ssl,
    connectionTimeout: CONNECT_MS_MAX,
    requestTimeout: REQUEST_MS_MAX,
    retry,
    socketFactory,
    logLevel: logLevel.WARN,
    logCreator: () => quietLog(deps),
  };
  if (username === undefined || password === undefined) return new Kafka(config);
  return new Kafka({ ...config, sasl: { mechanism: "scram-sha-512", username, password } });
}

/** As kafkajs makes them, but small requests go out at once, and a socket that is left while it connects warns of nothing. */
const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const name = net.isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl
    ? tls.connect({ host, port, ...name, ...ssl }, onConnect)
    : net.connect({ host, port }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.setNoDelay(true);
  socket.setMaxListeners(0);
  return socket;
};

export function kafkaNames(options: KafkaOptions): KafkaNames {
  const prefix = options.prefix ?? "wache";
  return {
    topic: (name) => `${prefix}${name.slice(name.indexOf("."))}`,
    group: (name) => `${prefix}.${name}`,
  };
}

export const unreachable = (brokers: readonly string[], cause: unknown): UserError =>
  new UserError(
    "bus.unreachable",
    `bus.kafka.brokers: no use of Kafka at ${brokers.join(", ") || "(no broker is named)"}: ` +
      `${messageOf(cause)}; check that it runs, that it can be reached from here, and bus.kafka's ssl and sasl settings`,
    { cause },
  );

/** The innermost protocol error's type (`MESSAGE_TOO_LARGE`), "" where there is none. */
export function kafkaErrorType(error: unknown): string {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 10; depth++) {
    if ("type" in inner && typeof inner.type === "string") return inner.type;
    inner = "originalError" in inner ? (inner.originalError ?? inner.cause) : inner.cause;
  }
  return "";
}

/** Resolves when `work` does or after `ms`, whichever is first; a failure of `work` is told to `failed`. */
export async function bounded(
  work: Promise<unknown>,
  limit: { readonly ms: number; readonly clock: Clock; readonly failed: (error: unknown) => void },
): Promise<void> {
  const done = new AbortController();
  const settled = work.catch(limit.failed).finally(() => done.abort());
  await Promise.race([settled, limit.clock.sleep(limit.ms, done.signal)]);
}

/** kafkajs calls much an error that it mends by itself, brokers' answers above all: one line of the rest in ten seconds is a warning. */
function quietLog({ log, clock }: KafkaDeps) {
  let quietUntilMs = 0;
  return ({ namespace, level, log: entry }: LogEntry): void => {
    const { message, error } = entry;
    const nowMs = clock.now();
    const mended = level !== logLevel.ERROR || message.startsWith("Response ");
    const loud = !mended && nowMs >= quietUntilMs;
    if (loud) quietUntilMs = nowMs + ERRORS_EVERY_MS;
    log[loud ? "warn" : "debug"]({ from: namespace, error: error ?? "" }, `kafka: ${message}`);
  };
}

type RequestQueue = {
  scheduleCheckPendingRequests(this: { readonly pending: readonly unknown[] }): void;
};
const tamed = new WeakSet<RequestQueue>();

/**
 * kafkajs 2.2.4 looks for pending requests by a timer that starts itself again although nothing is pending: a poll of
 * 1 ms a connection, and on newer Node a TimeoutNegativeWarning (tulios/kafkajs#1751). Here it runs while something is pending.
 */
function tameRequestQueue(): void {
  const queue: { prototype: RequestQueue } = createRequire(import.meta.url)(
    "kafkajs/src/network/requestQueue/index.js",
  );
  const { prototype } = queue;
  if (tamed.has(prototype)) return;
  tamed.add(prototype);
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0) schedule.call(this);
  };
}

// http.ts — the HTTP server of a process: it answers from the first moment, and stops without cutting anyone off.
//
// In:    requests by TCP, and by the socket in the data folder, which only this machine's owner of the folder can open.
// Out:   /healthz, /readyz and /metrics at once; everything else once the services have added their routes.
// Holds: an error's answer is `{error: {code, message}}`, never a stack.
// Why:   two listeners of our own before Fastify: Fastify takes no routes once it listens, and services need the bus first.
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { dirname } from "node:path";
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Config } from "./config-schema.ts";
import { messageOf, UserError } from "./errors.ts";
import { IN_USE_EXIT_CODE } from "./lock.ts";
import type { Clock, StatusBoard } from "./service.ts";
import { readiness } from "./status.ts";

export type HttpServer = {
  readonly app: FastifyInstance;
  /** Opens the port and the socket; health, readiness and metrics answer from now on. */
  readonly listen: () => Promise<void>;
  /** From now on the services' routes answer. */
  readonly open: () => Promise<void>;
  /** http://host:port as it is, also where the port was 0. */
  readonly address: () => string;
  readonly close: (deadlineMs: number) => Promise<void>;
};
export type HttpOptions = {
  readonly config: Config["api"];
  readonly socketPath: string;
  readonly status: StatusBoard;
  readonly metrics: Registry;
  readonly log: Logger;
  readonly clock: Clock;
};

const BODY_BYTES_MAX = 1024 * 1024; // a route may allow itself more
const HEADERS_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 300_000;
const KEEP_ALIVE_MS = 72_000;
const IDLE_SWEEP_MS = 50; // while closing: a connection falls idle when its last answer is out

const localSockets = new WeakSet<Socket>();
/** Whether the request came by the socket in the data folder: it is then as trusted as reading that folder. */
export const isLocal = (request: FastifyRequest): boolean => localSockets.has(request.raw.socket);

const admitted = new WeakSet<IncomingMessage>();
/** Whoever checked a request's credentials lets it see what is closed to strangers: health and metrics. */
export const admit = (request: FastifyRequest): void => {
  admitted.add(request.raw);
};

export function createHttp(options: HttpOptions): HttpServer {
  const app = createApp(options);
  const early: RequestListener = (request, response) => {
    void answerEarly(options, request, response);
  };
  let current = early;
  const servers = [0, 1].map(() =>
    createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
      (request, response) => current(request, response),
    ),
  ) as [Server, Server];
  const [tcp, local] = servers;
  local.on("connection", (socket) => localSockets.add(socket));
  return {
    app,
    listen: async () => {
      await listenTcp(tcp, options.config);
      await listenLocal(local, options.socketPath);
    },
    open: async () => {
      await app.ready();
      current = (request, response) => app.routing(request, response);
    },
    address: () => addressOf(tcp, options.config.host),
    close: async (deadlineMs) => {
      await Promise.all(servers.map((server) => closeServer(server, options.clock, deadlineMs)));
      rmSync(options.socketPath, { force: true });
      await app.close();
    },
  };
}

function createApp(options: HttpOptions): FastifyInstance {
  const app = Fastify({
    loggerInstance: options.log.child({}, { level: "silent" }),
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
    return503OnClosing: false,
    // What is wrong before a route is known, such as a path that can't be decoded.
    frameworkErrors: (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) =>
      void reply.code(error.statusCode ?? 400).send(failure("http.bad-request", error.message)),
  }) as unknown as FastifyInstance;
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? (error instanceof UserError ? 400 : 500);
    if (status >= 500)
      options.log.error({ err: error, path: request.routeOptions.url }, "a request failed");
    const message =
      status >= 500 && !(error instanceof UserError)
        ? "an internal error; the log says more"
        : error.message;
    return reply.code(status).send(failure(codeOf(error, status), message));
  });
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send(
        failure("http.not-found", `there is no ${request.method} ${request.url.split("?")[0]}`),
      ),
  );
  for (const path of OPERATIONAL_PATHS)
    app.get(
      path,
      { schema: { hide: true } as object, config: { operational: true } as object },
      async (request, reply) => {
        const answer = await operational(
          options,
          path,
          isLocal(request) || admitted.has(request.raw),
        );
        return reply.code(answer.status).type(answer.type).send(answer.body);
      },
    );
  return app;
}

const codeOf = (error: FastifyError, status: number): string => {
  if (error instanceof UserError) return error.code;
  if (status >= 500) return "http.internal";
  return error.code?.startsWith("FST_") === true || error.validation !== undefined
    ? "http.bad-request"
    : (error.code ?? "http.bad-request");
};

const failure = (code: string, message: string) => ({ error: { code, message } });

const OPERATIONAL_PATHS = ["/healthz", "/readyz", "/metrics"] as const;
type Answer = { readonly status: number; readonly type: string; readonly body: string };
const JSON_TYPE = "application/json; charset=utf-8";

async function operational(options: HttpOptions, path: string, trusted: boolean): Promise<Answer> {
  const { config, status, metrics } = options;
  const open = path === "/metrics" ? config.openMetrics : config.openHealth;
  if (!open && !trusted)
    return json(
      401,
      failure(
        "http.closed",
        `${path} is not open here: send an API token, ask by the socket in the data folder, or set ${path === "/metrics" ? "api.openMetrics" : "api.openHealth"} to true`,
      ),
    );
  if (path === "/healthz") return json(200, { alive: true });
  if (path === "/metrics")
    return { status: 200, type: metrics.contentType, body: await metrics.metrics() };
  const state = readiness(status);
  return json(state.ready ? 200 : 503, state);
}

const json = (status: number, body: unknown): Answer => ({
  status,
  type: JSON_TYPE,
  body: JSON.stringify(body),
});

/** Before the services are there. */
async function answerEarly(
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  const answer = OPERATIONAL_PATHS.some((known) => known === path)
    ? await operational(options, path, localSockets.has(request.socket))
    : json(503, failure("http.starting", "Wache is starting; /readyz says what it waits for"));
  request.resume();
  response.writeHead(answer.status, {
    "content-type": answer.type,
    ...(answer.status === 503 ? { "retry-after": "1" } : {}),
  });
  response.end(answer.body);
}

async function listenTcp(server: Server, config: Config["api"]): Promise<void> {
  try {
    await listening(server, () => server.listen(config.port, config.host));
  } catch (error) {
    throw listenFault(error, config);
  }
}

function listenFault(cause: unknown, config: Config["api"]): unknown {
  const at = `port ${config.port} on ${config.host}`;
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "EADDRINUSE")
    return new UserError(
      "http.port-in-use",
      `${at} is in use by another program: stop it, or choose another with --port (0 picks a free one) or api.port`,
      { cause, exitCode: IN_USE_EXIT_CODE },
    );
  return new UserError(
    "http.listen",
    `can't listen on ${at}: ${messageOf(cause)}; set api.host to an address of this machine and api.port to a port that this user may open`,
    { cause, exitCode: IN_USE_EXIT_CODE },
  );
}

/** A socket file that is there is a dead process's: the data folder's lock is ours. */
async function listenLocal(server: Server, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  await listening(server, () => server.listen(path));
  chmodSync(path, 0o600);
}

function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((done, failed) => {
    server.once("error", failed);
    server.once("listening", () => {
      server.off("error", failed);
      done();
    });
    start();
  });
}

function addressOf(server: Server, host: string): string {
  const address = server.address() as AddressInfo | null;
  const shownHost = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${shownHost.includes(":") ? `[${shownHost}]` : shownHost}:${address?.port ?? 0}`;
}

/** Takes no more connections, lets requests under way finish, and ends what is left at the deadline. */
async function closeServer(server: Server, clock: Clock, deadlineMs: number): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((done) => {
    const cancel = clock.after(deadlineMs, () => server.closeAllConnections());
    const stopSweeping = clock.every(IDLE_SWEEP_MS, () => server.closeIdleConnections());
    server.close(() => {
      cancel();
      stopSweeping();
      done();
    });
  });
}

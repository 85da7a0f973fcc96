// api.ts — REST and the page: reads come from the store, what a person asks for goes onto the bus.
//
// In:    HTTP requests, on the process's one server, beside the collectors' routes.
// Out:   answers from the store; commands in the casework topic.
// Holds: under /api nothing is served to a stranger but the routes that say `open` (sign-in, setup).
import cookie from "@fastify/cookie";
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import { admit, isLocal } from "../core/http.ts";
import { packageVersion } from "../core/package-root.ts";
import type { Service, ServiceContext } from "../core/service.ts";
import { type Authenticator, createAuthenticator } from "./auth/authenticate.ts";
import { createPasswords } from "./auth/passwords.ts";
import { purgeSessions } from "./auth/sessions.ts";
import { openSetup } from "./auth/setup.ts";
import { createSignIn } from "./auth/sign-in.ts";
import { createErrorAnswer, notFound } from "./errors.ts";
import { addSecurityHeaders } from "./headers.ts";
import { watchLag } from "./lag.ts";
import { LiveHub } from "./live.ts";
import { describeApi } from "./openapi.ts";
import { impatientBus, impatientStore } from "./patience.ts";
import { accountRoutes } from "./routes/accounts.ts";
import type { ApiContext } from "./routes/api-context.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { eventRoutes } from "./routes/events.ts";
import { findingRoutes } from "./routes/findings.ts";
import { incidentRoutes } from "./routes/incidents.ts";
import { liveRoutes } from "./routes/live.ts";
import { statusRoutes } from "./routes/status.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { compileValidator } from "./validation.ts";
import { serveWeb, webDir } from "./web-files.ts";

export const apiService: Service = {
  name: "api",
  start: async (service) => {
    const passwords = createPasswords();
    const store = impatientStore(service.store, service.clock);
    const live = new LiveHub({ ...service, store });
    const context: ApiContext = {
      ...service,
      store,
      bus: impatientBus(service.bus, service.clock),
      passwords,
      live,
      signIn: createSignIn(store, passwords),
    };
    const stopping = new AbortController();
    const announced = announceSetup(service, stopping.signal);
    // OpenSearch may be away for long, and pages must go out meanwhile: only what is at hand is waited for.
    if (service.store.kind === "embedded") await announced;
    const authenticator = createAuthenticator({
      store,
      now: service.clock.now,
      isMachine: isLocal,
      publicUrl: service.config.api.publicUrl,
    });
    openOperational(service.http, authenticator);
    await service.http.register(async (scope) => addScope(scope, context, authenticator));
    const stopWatching = watchLag({ ...service, bus: context.bus });
    const stopPurging = service.clock.every(purgeEveryMs, () => {
      purgeSessions(store, service.clock.now()).catch((error: unknown) =>
        service.log.warn({ err: error }, "sessions that ended are not cleared: the store fails"),
      );
    });
    return {
      hangUp: () => live.close(),
      stop: async () => {
        live.close();
        stopPurging();
        stopWatching();
        stopping.abort();
        await announced;
      },
    };
  },
};

const retryMs = 3000;
const purgeEveryMs = 3_600_000;

/** Tries until the store answers. */
async function announceSetup(service: ServiceContext, stopping: AbortSignal): Promise<void> {
  const { store, clock, status, log } = service;
  while (!stopping.aborted) {
    try {
      const token = await openSetup(store, clock.now());
      if (token === undefined) return;
      // The words are shown to anyone who asks /readyz, so the way in is in the data only.
      return status.set("setup", {
        ok: true,
        text: "nobody can sign in so far; open the setup link that was printed at the start",
        data: { path: `/setup#${token}` },
      });
    } catch (error) {
      log.warn({ err: error }, "no setup link so far: the store does not answer");
      await clock.sleep(retryMs, stopping);
    }
  }
}

/** Health and metrics that are closed to strangers are open to an API token: Prometheus can send one. */
function openOperational(http: FastifyInstance, authenticator: Authenticator): void {
  http.addHook("onRequest", async (request) => {
    const { config } = request.routeOptions;
    if (!("operational" in config) || request.headers.authorization === undefined) return;
    if ((await authenticator.authenticate(request)) !== undefined) admit(request);
  });
}

async function addScope(
  scope: FastifyInstance,
  context: ApiContext,
  authenticator: Authenticator,
): Promise<void> {
  const { config, clock, log } = context;
  const { publicUrl } = config.api;
  const about = { version: packageVersion(), startedMs: clock.now() };
  scope.setErrorHandler(createErrorAnswer(log));
  scope.setValidatorCompiler(compileValidator);
  scope.setSerializerCompiler(() => (data) => JSON.stringify(data));
  addSecurityHeaders(scope, publicUrl?.startsWith("https:") ?? false);
  await scope.register(cookie);
  await describeApi(scope, about.version);
  await serveWeb(scope, webDir());
  const routes: FastifyPluginAsync = (api) => addRoutes(api, { context, authenticator, about });
  await scope.register(routes, { prefix: "/api" });
}

async function addRoutes(
  api: FastifyInstance,
  parts: {
    readonly context: ApiContext;
    readonly authenticator: Authenticator;
    readonly about: { readonly version: string; readonly startedMs: number };
  },
): Promise<void> {
  const { context, authenticator, about } = parts;
  api.decorateRequest("account", undefined);
  api.addHook("onRequest", authenticator.admit);
  api.setNotFoundHandler(() => {
    throw notFound("such route; GET /api/openapi.json lists them");
  });
  const groups = [
    accountRoutes,
    deadLetterRoutes,
    eventRoutes,
    findingRoutes,
    incidentRoutes,
    liveRoutes(authenticator),
    statusRoutes(about),
    tokenRoutes,
  ];
  for (const addGroup of groups) addGroup(api, context);
  api.get("/openapi.json", { schema: { hide: true } }, async () => api.swagger());
}

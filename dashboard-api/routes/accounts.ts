// accounts.ts — setup, sign-in, sign-out, and who is signed in.
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { spanMs } from "../../core/spans.ts";
import { accountOf, COOKIE, COOKIE_SECURE, sessionSecretOf } from "../auth/authenticate.ts";
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../auth/passwords.ts";
import { createRateLimit } from "../auth/rate-limit.ts";
import { closeSession, openSession } from "../auth/sessions.ts";
import { checkSetup, setupIsDone } from "../auth/setup.ts";
import { refuseTooMany } from "../auth/sign-in.ts";
import { createFirstAdmin, hasUsers, USER_NAME_PATTERN, type User } from "../auth/users.ts";
import { accountSchema, answers } from "../schemas.ts";
import type { ApiContext, Routes } from "./api-context.ts";

const closed = { additionalProperties: false } as const;
const name = Type.String({ pattern: USER_NAME_PATTERN, description: "letters, digits, . _ @ -" });
const setupBody = Type.Object(
  {
    token: Type.String({ minLength: 1, maxLength: 200, description: "from the setup link" }),
    name,
    password: Type.String({ minLength: PASSWORD_LENGTH_MIN, maxLength: PASSWORD_LENGTH_MAX }),
  },
  closed,
);
const signInBody = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 64 }), password: Type.String({ maxLength: 256 }) },
  closed,
);
const tags = ["accounts"];

export const accountRoutes: Routes = (api, context) => {
  addSetup(api, context);
  addSignIn(api, context);
  api.get(
    "/session",
    { schema: { tags, summary: "Who is signed in", response: answers(accountSchema) } },
    async (request) => accountOf(request),
  );
  api.delete(
    "/session",
    { schema: { tags, summary: "Sign out", response: answers(Type.Null(), 204) } },
    async (request, reply) => {
      const secret = sessionSecretOf(request);
      if (secret !== undefined) await closeSession(context.store, secret);
      for (const cookie of [COOKIE, COOKIE_SECURE])
        reply.clearCookie(cookie, { path: "/", secure: cookie === COOKIE_SECURE });
      return reply.code(204).send();
    },
  );
};

const addSetup: Routes = (api, context) => {
  const { store, clock, passwords, status } = context;
  const tries = createRateLimit({ triesMax: 30, windowMs: 15 * 60_000, keysMax: 10_000 });
  const state = Type.Object({ needed: Type.Boolean({ description: "nobody can sign in so far" }) });
  api.get(
    "/setup",
    {
      config: { open: true },
      schema: {
        tags,
        summary: "Whether the first admin is still to be made",
        response: answers(state),
      },
    },
    async () => ({ needed: !(await hasUsers(store)) }),
  );
  api.post<{ Body: Static<typeof setupBody> }>(
    "/setup",
    {
      config: { open: true },
      schema: {
        tags,
        summary: "Make the first admin with the one-time setup link",
        body: setupBody,
        response: answers(accountSchema, 201),
      },
    },
    async (request, reply) => {
      const { token, name, password } = request.body;
      refuseTooMany([tries.take(request.ip, clock.now())]);
      await checkSetup(store, token);
      const user = { name, password: await passwords.hash(password), createdMs: clock.now() };
      if (!(await createFirstAdmin(store, user))) throw setupIsDone();
      status.set("setup", { ok: true, text: "done" });
      await startSession({ name, role: "admin" }, { context, request, reply });
      return reply.code(201).send({ name, role: "admin", by: "session" });
    },
  );
};

const addSignIn: Routes = (api, context) => {
  api.post<{ Body: Static<typeof signInBody> }>(
    "/session",
    {
      config: { open: true },
      schema: { tags, summary: "Sign in", body: signInBody, response: answers(accountSchema, 201) },
    },
    async (request, reply) => {
      const nowMs = context.clock.now();
      const user = await context.signIn({ ...request.body, address: request.ip, nowMs });
      await startSession(user, { context, request, reply });
      return reply.code(201).send({ name: user.name, role: user.role, by: "session" });
    },
  );
};

async function startSession(
  user: Pick<User, "name" | "role">,
  exchange: {
    readonly context: ApiContext;
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
  },
): Promise<void> {
  const { context, request, reply } = exchange;
  const { store, clock, config } = context;
  const lastsMs = spanMs(config.api.session);
  const { secret } = await openSession(store, { user, nowMs: clock.now(), spanMs: lastsMs });
  const isSecure =
    request.protocol === "https" || (config.api.publicUrl?.startsWith("https:") ?? false);
  reply.setCookie(isSecure ? COOKIE_SECURE : COOKIE, secret, {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure: isSecure,
    maxAge: Math.floor(lastsMs / 1000),
  });
}

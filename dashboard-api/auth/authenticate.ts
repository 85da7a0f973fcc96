// authenticate.ts — finds out who makes a request, and refuses those who may not.
//
// In:    a cookie, a bearer token, or the socket in the data folder.
// Out:   `request.account`, or 401 (unknown), 403 (known, not allowed).
// Holds: a route is closed unless its config says `open`; a browser's cookie changes something only from our own page.
import "@fastify/cookie";
import type { FastifyRequest } from "fastify";
import type { Store } from "../../core/store/store.ts";
import { ApiError } from "../errors.ts";
import { type Account, type Action, can, MACHINE } from "./permissions.ts";
import { findSession } from "./sessions.ts";
import { findToken } from "./tokens.ts";

declare module "fastify" {
  interface FastifyRequest {
    account: Account | undefined;
  }
  interface FastifyContextConfig {
    /** Served to everyone: sign-in and setup only. */
    open?: boolean;
    /** What the account must be allowed to do; `read` unless told. */
    needs?: Action;
  }
}

export type Authenticator = {
  readonly authenticate: (request: FastifyRequest) => Promise<Account | undefined>;
  readonly admit: (request: FastifyRequest) => Promise<void>;
};

export function createAuthenticator(options: {
  readonly store: Store;
  readonly now: () => number;
  readonly isMachine: (request: FastifyRequest) => boolean;
  readonly publicUrl: string | undefined;
}): Authenticator {
  const { store, now, isMachine, publicUrl } = options;
  const authenticate = async (request: FastifyRequest): Promise<Account | undefined> => {
    if (isMachine(request)) return MACHINE;
    const header = request.headers.authorization;
    // A wrong token never falls back to the cookie: whoever sent it meant it.
    if (header !== undefined) return await findToken(store, bearerOf(header), now());
    const secret = sessionSecretOf(request);
    return secret === undefined ? undefined : await findSession(store, secret, now());
  };
  return {
    authenticate,
    admit: async (request) => {
      const { open = false, needs = "read" } = request.routeOptions.config;
      if (open) return checkOrigin(request, { publicUrl, isOriginNeeded: false });
      const account = await authenticate(request);
      if (account === undefined) throw signInFirst();
      if (account.by === "session") checkOrigin(request, { publicUrl, isOriginNeeded: true });
      if (!can(account, needs))
        throw new ApiError(
          403,
          "auth.not-allowed",
          `the role ${account.role} may not do this; ask an administrator`,
        );
      request.account = account;
    },
  };
}

export function accountOf(request: FastifyRequest): Account {
  if (request.account === undefined) throw signInFirst();
  return request.account;
}

export const COOKIE = "wache_session";
export const COOKIE_SECURE = "__Host-wache_session";

export const sessionSecretOf = (request: FastifyRequest): string | undefined =>
  request.cookies[COOKIE_SECURE] ?? request.cookies[COOKIE];

const bearerOf = (header: string): string => /^Bearer +(\S+)$/i.exec(header)?.[1] ?? "";

const signInFirst = (): ApiError =>
  new ApiError(
    401,
    "auth.required",
    "sign in, or send an API token as `Authorization: Bearer wache_…`",
  );

/** SameSite=Strict keeps other sites' requests without our cookie; this refuses them by name as well. */
function checkOrigin(
  request: FastifyRequest,
  rule: { readonly publicUrl: string | undefined; readonly isOriginNeeded: boolean },
): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  const { origin } = request.headers;
  if (origin === undefined) {
    const site = request.headers["sec-fetch-site"];
    if (site === "same-origin" || (site === undefined && !rule.isOriginNeeded)) return;
  } else if (isOurOrigin(origin, request.host, rule.publicUrl)) return;
  throw new ApiError(
    403,
    "auth.wrong-origin",
    "a change must come from Wache's own page; scripts use an API token",
  );
}

function isOurOrigin(origin: string, host: string, publicUrl: string | undefined): boolean {
  const url = URL.parse(origin);
  if (url === null) return false;
  if (publicUrl !== undefined && URL.parse(publicUrl)?.origin === url.origin) return true;
  return url.host === host;
}

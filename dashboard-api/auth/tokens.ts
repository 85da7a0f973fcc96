// tokens.ts — API tokens for scripts: `wache_<id>_<secret>`; the secret is shown once, its hash is kept.
import { randomBytes } from "node:crypto";
import { UserError } from "../../core/errors.ts";
import { fieldIs } from "../../core/store/query.ts";
import type { Document, Store } from "../../core/store/store.ts";
import { type Account, ROLES, type Role } from "./permissions.ts";
import { hashSecret, newSecret, sameHash } from "./secrets.ts";

export type TokenAbout = {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdMs: number;
  readonly expiresMs?: number;
  readonly revokedMs?: number;
};

export const TOKEN_NAME_PATTERN = "^[A-Za-z0-9._@-]{1,64}$";
const TOKEN = /^wache_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
const tokensMax = 1000;

export async function createToken(
  store: Store,
  wish: {
    readonly name: string;
    readonly nowMs: number;
    readonly role: Role;
    readonly expiresMs?: number;
  },
): Promise<{ readonly token: string; readonly about: TokenAbout }> {
  const { name, nowMs, role, expiresMs } = wish;
  if (!new RegExp(TOKEN_NAME_PATTERN).test(name))
    throw new UserError(
      "token.name",
      `token name ${JSON.stringify(name.slice(0, 80))}: 1 to 64 letters, digits, dots, dashes, underscores or @ are allowed; choose such a name`,
    );
  const secret = newSecret();
  const id = randomBytes(8).toString("hex");
  const body = {
    kind: "token",
    name,
    role,
    createdMs: nowMs,
    hash: hashSecret(secret),
    ...(expiresMs === undefined ? {} : { expiresMs }),
  };
  const document: Document = { id: `token:${id}`, revision: 1, body };
  await store.replaceDocument("accounts", document, 0);
  return { token: `wache_${id}_${secret}`, about: aboutOf(document) };
}

/** Newest first. */
export async function listTokens(store: Store): Promise<readonly TokenAbout[]> {
  await store.refresh();
  const page = await store.searchDocuments("accounts", {
    query: fieldIs("kind", "token"),
    limit: tokensMax,
    sort: "createdMs",
  });
  return page.items.filter((item) => item.body.kind === "token").map(aboutOf);
}

/** The token stops at once; says whether it was there and still held. */
export async function revokeToken(
  store: Store,
  token: { readonly id: string; readonly nowMs: number },
): Promise<boolean> {
  const found = await store.getDocument("accounts", `token:${token.id}`);
  if (found?.body.kind !== "token" || found.body.revokedMs !== undefined) return false;
  return store.replaceDocument(
    "accounts",
    {
      id: found.id,
      revision: found.revision + 1,
      body: { ...found.body, revokedMs: token.nowMs },
    },
    found.revision,
  );
}

export async function findToken(
  store: Store,
  token: string,
  nowMs: number,
): Promise<Account | undefined> {
  const [, id = "", secret = ""] = TOKEN.exec(token) ?? [];
  if (id === "") return undefined;
  const body = (await store.getDocument("accounts", `token:${id}`))?.body;
  if (body?.kind !== "token" || !sameHash(String(body.hash), hashSecret(secret))) return undefined;
  if (body.revokedMs !== undefined) return undefined;
  if (body.expiresMs !== undefined && Number(body.expiresMs) <= nowMs) return undefined;
  const role = body.role as Role;
  return ROLES.includes(role)
    ? { name: `token ${String(body.name)}`, role, by: "token" }
    : undefined;
}

function aboutOf(document: Document): TokenAbout {
  const { body } = document;
  return {
    id: document.id.slice("token:".length),
    name: String(body.name),
    role: body.role as Role,
    createdMs: Number(body.createdMs),
    ...(body.expiresMs === undefined ? {} : { expiresMs: Number(body.expiresMs) }),
    ...(body.revokedMs === undefined ? {} : { revokedMs: Number(body.revokedMs) }),
  };
}

// sessions.ts — sign-ins of browsers: a random cookie there, only its hash here.
import { allOf, fieldIs } from "../../core/store/query.ts";
import type { Store } from "../../core/store/store.ts";
import { type Account, ROLES, type Role } from "./permissions.ts";
import { hashSecret, newSecret } from "./secrets.ts";
import type { User } from "./users.ts";

const purgedMax = 1000; // a round; the next one goes on

export async function openSession(
  store: Store,
  session: {
    readonly user: Pick<User, "name" | "role">;
    readonly nowMs: number;
    readonly spanMs: number;
  },
): Promise<{ readonly secret: string }> {
  const { user, nowMs, spanMs } = session;
  const secret = newSecret();
  const body = {
    kind: "session",
    name: user.name,
    role: user.role,
    createdMs: nowMs,
    expiresMs: nowMs + spanMs,
  };
  await store.replaceDocument("accounts", { id: sessionId(secret), revision: 1, body }, 0);
  return { secret };
}

export async function findSession(
  store: Store,
  secret: string,
  nowMs: number,
): Promise<Account | undefined> {
  const body = (await store.getDocument("accounts", sessionId(secret)))?.body;
  if (body?.kind !== "session") return undefined;
  if (Number(body.expiresMs) <= nowMs) {
    await closeSession(store, secret);
    return undefined;
  }
  const role = body.role as Role;
  return ROLES.includes(role) ? { name: String(body.name), role, by: "session" } : undefined;
}

export function closeSession(store: Store, secret: string): Promise<void> {
  return store.removeDocument("accounts", sessionId(secret));
}

/** Forgets sessions that nobody can use any longer; gives how many. */
export async function purgeSessions(store: Store, nowMs: number): Promise<number> {
  const { items } = await store.searchDocuments("accounts", {
    query: allOf(fieldIs("kind", "session"), {
      kind: "range",
      field: "expiresMs",
      to: { text: String(nowMs), inclusive: true },
    }),
    limit: purgedMax,
    sort: "expiresMs",
  });
  for (const { id } of items) await store.removeDocument("accounts", id);
  return items.length;
}

const sessionId = (secret: string): string => `session:${hashSecret(secret)}`;

// users.ts — the people who may sign in, kept in the store's accounts.
//
// Holds: there is one first admin, under a fixed id: of two setups at the same moment the store lets one through.
import type { Store } from "../../core/store/store.ts";
import type { PasswordHash } from "./passwords.ts";
import { ROLES, type Role } from "./permissions.ts";

export type User = {
  readonly kind: "user";
  readonly name: string;
  readonly role: Role;
  readonly password: PasswordHash;
  readonly createdMs: number;
};

const FIRST_ADMIN = "first-admin";
export const USER_NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$";

export async function hasUsers(store: Store): Promise<boolean> {
  return (await store.getDocument("accounts", FIRST_ADMIN)) !== undefined;
}

/** Says whether this call made the first admin. */
export function createFirstAdmin(
  store: Store,
  user: Omit<User, "kind" | "role">,
): Promise<boolean> {
  const body: User = { kind: "user", role: "admin", ...user };
  return store.replaceDocument("accounts", { id: FIRST_ADMIN, revision: 1, body }, 0);
}

export async function findUser(store: Store, name: string): Promise<User | undefined> {
  const wanted = name.toLowerCase();
  const first = asUser((await store.getDocument("accounts", FIRST_ADMIN))?.body);
  if (first?.name.toLowerCase() === wanted) return first;
  return asUser((await store.getDocument("accounts", `user:${wanted}`))?.body);
}

function asUser(body: Readonly<Record<string, unknown>> | undefined): User | undefined {
  if (body?.kind !== "user" || !ROLES.includes(body.role as Role)) return undefined;
  return body as unknown as User;
}

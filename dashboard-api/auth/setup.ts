// setup.ts — the one-time link that makes the first admin; it works only while there is no user.
import type { Store } from "../../core/store/store.ts";
import { ApiError } from "../errors.ts";
import { hashSecret, newSecret, sameHash } from "./secrets.ts";
import { hasUsers } from "./users.ts";

const SETUP = "setup";
const attemptsMax = 5;

/** A fresh token that replaces the one before, or nothing when somebody can sign in already. */
export async function openSetup(store: Store, nowMs: number): Promise<string | undefined> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    if (await hasUsers(store)) return undefined;
    const token = newSecret();
    const before = await store.getDocument("accounts", SETUP);
    const revision = before?.revision ?? 0;
    const body = { kind: "setup", hash: hashSecret(token), createdMs: nowMs };
    if (
      await store.replaceDocument("accounts", { id: SETUP, revision: revision + 1, body }, revision)
    )
      return token;
  }
  throw new Error("another process keeps replacing the setup token");
}

export async function checkSetup(store: Store, token: string): Promise<void> {
  if (await hasUsers(store)) throw setupIsDone();
  const hash = (await store.getDocument("accounts", SETUP))?.body.hash;
  if (typeof hash !== "string" || !sameHash(hash, hashSecret(token)))
    throw new ApiError(
      403,
      "setup.bad-token",
      "this setup link is not the latest one; restart Wache and open the link that it prints",
    );
}

export const setupIsDone = (): ApiError =>
  new ApiError(409, "setup.done", "there is an admin already; sign in instead");

// sign-in.ts — checks names and passwords, not more often than a person needs to.
import type { Store } from "../../core/store/store.ts";
import { ApiError } from "../errors.ts";
import type { Passwords } from "./passwords.ts";
import { createRateLimit } from "./rate-limit.ts";
import { findUser, type User } from "./users.ts";

const windowMs = 15 * 60_000;
const keysMax = 10_000;

export type SignIn = (attempt: {
  readonly name: string;
  readonly password: string;
  readonly address: string;
  readonly nowMs: number;
}) => Promise<User>;

export function createSignIn(store: Store, passwords: Passwords): SignIn {
  // A stranger who guesses at a name from one address must not lock its owner out at another.
  const byPair = createRateLimit({ triesMax: 10, windowMs, keysMax });
  const byAddress = createRateLimit({ triesMax: 50, windowMs, keysMax });
  const byName = createRateLimit({ triesMax: 200, windowMs, keysMax });
  return async ({ name, password, address, nowMs }) => {
    const pair = `${address} ${name.toLowerCase()}`;
    refuseTooMany([
      byAddress.take(address, nowMs),
      byPair.take(pair, nowMs),
      byName.take(name.toLowerCase(), nowMs),
    ]);
    const user = await findUser(store, name);
    if (!(await passwords.verify(password, user?.password)) || user === undefined)
      throw new ApiError(
        401,
        "auth.wrong-password",
        "this name and password do not belong together",
      );
    byPair.forget(pair);
    return user;
  };
}

export function refuseTooMany(waitsS: readonly number[]): void {
  const retryAfterS = Math.max(0, ...waitsS);
  if (retryAfterS === 0) return;
  throw new ApiError(
    429,
    "auth.too-many",
    `too many tries; the next one is possible in ${retryAfterS} s`,
    { detail: { retryAfterS } },
  );
}

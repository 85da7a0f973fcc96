// passwords.ts — keeps passwords as scrypt hashes with the parameters that made them.
//
// Holds: an unknown user costs the same time as a wrong password; no more than `runningMax` hashes at once.
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { ApiError } from "../errors.ts";

export type PasswordHash = {
  readonly scheme: "scrypt";
  readonly cost: number;
  readonly blockSize: number;
  readonly parallel: number;
  readonly salt: string; // base64url
  readonly hash: string; // base64url
};

export const PASSWORD_LENGTH_MIN = 12;
export const PASSWORD_LENGTH_MAX = 256;
const COST = { cost: 2 ** 15, blockSize: 8, parallel: 3 } as const;
const HASH_BYTES = 32;
const runningMax = 2; // each takes 32 MiB and a core
const waitingMax = 32;

export type Passwords = {
  readonly hash: (password: string) => Promise<PasswordHash>;
  /** Without a stored hash it works just as long and says no. */
  readonly verify: (password: string, stored: PasswordHash | undefined) => Promise<boolean>;
};

export function createPasswords(): Passwords {
  const slots = createSlots();
  const derive = (password: string, salt: Buffer, cost: typeof COST | PasswordHash) =>
    slots(() => deriveKey(password, salt, cost));
  return {
    hash: async (password) => {
      const salt = randomBytes(16);
      const hash = await derive(password, salt, COST);
      return {
        scheme: "scrypt",
        ...COST,
        salt: salt.toString("base64url"),
        hash: hash.toString("base64url"),
      };
    },
    verify: async (password, stored) => {
      const salt = stored === undefined ? Buffer.alloc(16) : Buffer.from(stored.salt, "base64url");
      const got = await derive(password, salt, stored ?? COST);
      const want =
        stored === undefined ? Buffer.alloc(HASH_BYTES) : Buffer.from(stored.hash, "base64url");
      const same = got.length === want.length && timingSafeEqual(got, want);
      return same && stored !== undefined;
    },
  };
}

function deriveKey(
  password: string,
  salt: Buffer,
  cost: Pick<PasswordHash, "cost" | "blockSize" | "parallel">,
): Promise<Buffer> {
  const options: ScryptOptions = {
    N: cost.cost,
    r: cost.blockSize,
    p: cost.parallel,
    maxmem: 256 * cost.blockSize * (cost.cost + cost.parallel + 2),
  };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, HASH_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function createSlots(): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= runningMax) {
      if (waiting.length >= waitingMax)
        throw new ApiError(429, "api.too-many", "too many sign-ins at once; try again in a minute");
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

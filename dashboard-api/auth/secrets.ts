// secrets.ts — random secrets that people or browsers hold, and the hashes that we keep of them.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 random bits as 43 letters. */
export const newSecret = (): string => randomBytes(32).toString("base64url");

/** A secret of 256 random bits needs no salt and no slow hash: it cannot be guessed. */
export const hashSecret = (secret: string): string =>
  createHash("sha256").update(secret).digest("base64url");

export function sameHash(one: string, other: string): boolean {
  const a = Buffer.from(one);
  const b = Buffer.from(other);
  return a.length === b.length && timingSafeEqual(a, b);
}

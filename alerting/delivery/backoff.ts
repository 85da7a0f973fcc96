// backoff.ts — how long to wait before the next attempt: doubling, with chance in it so that many do not come at once.
export type RetryPolicy = { readonly backoffMs: number; readonly backoffMsMax: number };

/** Between a half and the whole of the doubled wait. `random` is 128 random bits in base64url. */
export function backoffMs(
  policy: RetryPolicy,
  { attempt, random }: { readonly attempt: number; readonly random: string },
): number {
  const doublings = Math.min(attempt - 1, 40);
  const wholeMs = Math.min(policy.backoffMs * 2 ** doublings, policy.backoffMsMax);
  const chance = Buffer.from(random, "base64url").readUInt32BE(0) / 2 ** 32;
  return Math.round(wholeMs * (0.5 + chance / 2));
}

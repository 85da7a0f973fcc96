// clocks.ts — how far a stream's clock has come: the minimum over its feeders.
//
// Holds: never goes back; unknown until every expected feeder has spoken.
export const ENDED_MS = Number.MAX_SAFE_INTEGER;

export type FeederClock = { atMs: number; idle?: boolean };

/** The clock that all `expected` feeders have passed, ms; undefined while one of them has not spoken. */
export function minimumOf(
  feeders: ReadonlyMap<string, FeederClock>,
  expected: number,
): number | undefined {
  if (feeders.size < expected) return undefined;
  let least = ENDED_MS;
  for (const { atMs } of feeders.values()) least = Math.min(least, atMs);
  return least;
}

/** A feeder's clock only goes on; says whether it did. */
export function passed(feeders: Map<string, FeederClock>, feeder: string, atMs: number): boolean {
  const known = feeders.get(feeder);
  if (known && known.atMs >= atMs) return false;
  feeders.set(feeder, { atMs: Math.max(0, atMs) });
  return true;
}

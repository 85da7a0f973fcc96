// rate-limit.ts — how often something may be tried: counts by key in a window of time, in bounded memory.
//
// Holds: never more than `keysMax` keys; the key that was begun first makes room.
export type RateLimit = {
  /** Counts one try; the seconds to wait where it is one too many, else 0. */
  readonly take: (key: string, nowMs: number) => number;
  readonly forget: (key: string) => void;
};

export function createRateLimit(limit: {
  readonly triesMax: number;
  readonly windowMs: number;
  readonly keysMax: number;
}): RateLimit {
  const { triesMax, windowMs, keysMax } = limit;
  const counts = new Map<string, { tries: number; readonly sinceMs: number }>();
  return {
    take: (key, nowMs) => {
      let entry = counts.get(key);
      if (entry === undefined || nowMs - entry.sinceMs >= windowMs) {
        counts.delete(key);
        entry = { tries: 0, sinceMs: nowMs };
        counts.set(key, entry);
        if (counts.size > keysMax) dropOldest(counts);
      }
      if (entry.tries >= triesMax) return Math.ceil((entry.sinceMs + windowMs - nowMs) / 1000);
      entry.tries += 1;
      return 0;
    },
    forget: (key) => {
      counts.delete(key);
    },
  };
}

function dropOldest(counts: Map<string, unknown>): void {
  const [oldest] = counts.keys();
  if (oldest !== undefined) counts.delete(oldest);
}

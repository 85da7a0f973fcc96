// time.ts — times as everyone on the watch reads them: UTC, to the second.

/** `2026-11-23 04:05:06` */
export const utc = (time: number | string): string =>
  new Date(time).toISOString().slice(0, 19).replace("T", " ");

/** Only what differs: the second time of one day without its date. */
export function utcSpan(firstMs: number, lastMs: number): string {
  const [first, last] = [utc(firstMs), utc(lastMs)];
  if (first === last) return first;
  return first.slice(0, 10) === last.slice(0, 10)
    ? `${first} – ${last.slice(11)}`
    : `${first} – ${last}`;
}

/** `1 event`, `2 events` */
export const counted = (count: number, word: string): string =>
  `${count} ${word}${count === 1 ? "" : "s"}`;

export const RANGES = [
  { name: "15m", label: "Last 15 minutes", spanMs: 15 * 60_000 },
  { name: "1h", label: "Last hour", spanMs: 3_600_000 },
  { name: "24h", label: "Last 24 hours", spanMs: 86_400_000 },
  { name: "7d", label: "Last 7 days", spanMs: 7 * 86_400_000 },
  { name: "all", label: "Any time", spanMs: undefined },
] as const;

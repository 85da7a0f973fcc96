// written-times.ts — days and times as people write them in a request, on the command line, in a rule.

/** Whether the calendar has that day: 2026-02-30 is none. */
export function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** ISO 8601, UTC unless it says a zone, or ms since 1970. */
export function writtenTimeMs(text: string): number | undefined {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(text) ?? [];
  if (year !== undefined && !isDay(Number(year), Number(month), Number(day))) return undefined;
  const zoned = /^[0-9-]{10}[T ][0-9:.]+$/.test(text) ? `${text}Z` : text;
  const ms = /^[0-9]+$/.test(text) ? Number(text) : Date.parse(zoned);
  return Number.isFinite(ms) ? ms : undefined;
}

// indices.ts — which index an event belongs to: its day (its year, where that is long ago), its import, or the one for
// times that cannot be.
//
// Holds: the answer follows from the event alone, so that an event that comes again meets its own id.
import { createHash } from "node:crypto";
import { dayOf, type EcsEvent, IMPLAUSIBLE_BEFORE_MS, LIVE, timeOf } from "../event.ts";

export const EVENT_ID_CHARS_MAX = 512;
/** Live events of before have an index a year: clocks that stand on some old day must not make thousands of indices. */
const DAYS_FROM_MS = Date.UTC(2025, 0, 1);
const PLAUSIBLE_TO_MS = Date.UTC(2200, 0, 1);
const SLUG_CHARS_MAX = 40;

export function indexNameOf(event: EcsEvent): string {
  const { stream, implausible } = event.wache;
  if (stream !== LIVE)
    return `${importPrefixOf(stream)}${createHash("sha256").update(stream).digest("hex").slice(0, 16)}`;
  const timeMs = timeOf(event);
  const plausible = timeMs >= IMPLAUSIBLE_BEFORE_MS && timeMs < PLAUSIBLE_TO_MS;
  if (implausible === true || !plausible) return "events-implausible";
  const day = dayOf(timeMs);
  return `events-${timeMs < DAYS_FROM_MS ? day.slice(0, 4) : day}`;
}

/** How the names of the indices of a stream begin, whatever the case of its letters. */
export const importPrefixOf = (stream: string): string =>
  `events-import-${stream
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, SLUG_CHARS_MAX)}-`;

/** The times that the index of a day or a year holds; undefined for other indices. */
export function spanOf(
  name: string,
): { readonly fromMs: number; readonly toMs: number } | undefined {
  const [, year, month, day] = /^events-(\d{4})(?:\.(\d\d)\.(\d\d))?$/.exec(name) ?? [];
  if (year === undefined) return undefined;
  if (month === undefined)
    return { fromMs: Date.UTC(Number(year), 0, 1), toMs: Date.UTC(Number(year) + 1, 0, 1) - 1 };
  const fromMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  return { fromMs, toMs: fromMs + 24 * 3600_000 - 1 };
}

/** Why no store can ever keep this value as an event. */
export function refusalOf(
  value: unknown,
): { readonly code: string; readonly reason: string } | undefined {
  const event = value as Partial<EcsEvent> | null | undefined;
  const id = event?.event?.id;
  if (typeof event !== "object" || event === null || typeof id !== "string" || id === "")
    return { code: "store.event-id", reason: "the event has no event.id" };
  if (id.length > EVENT_ID_CHARS_MAX)
    return {
      code: "store.event-id",
      reason: `event.id has ${id.length} characters, the most is ${EVENT_ID_CHARS_MAX}`,
    };
  if (typeof event["@timestamp"] !== "string" || Number.isNaN(Date.parse(event["@timestamp"])))
    return { code: "store.event-time", reason: "the event's @timestamp is no time" };
  if (typeof event.wache?.stream !== "string")
    return { code: "store.event-stream", reason: "the event has no wache.stream" };
  return undefined;
}

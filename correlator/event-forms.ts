// event-forms.ts — the forms in which events come, and the log sources that an event of each belongs to.
//
// In:    an event as plain JSON: as Wache keeps it, or flat in Sigma's own names with `product`, `category`, `service`.
// Out:   its form, and every log source that rules may name for it.
import type { LogSource } from "../core/event.ts";
import type { Readable } from "./match/matcher.ts";

export type EventForm = "wache" | "flat";

export function formOf(event: Readable): {
  readonly form: EventForm;
  readonly sources: readonly LogSource[];
} {
  const { wache } = event as { readonly wache?: { readonly sources?: unknown } };
  if (Array.isArray(wache?.sources))
    return { form: "wache", sources: wache.sources as readonly LogSource[] };
  return { form: "flat", sources: [flatSource(event)] };
}

function flatSource({ product, category, service }: Readable): LogSource {
  return {
    ...(typeof product === "string" && { product }),
    ...(typeof category === "string" && { category }),
    ...(typeof service === "string" && { service }),
  };
}

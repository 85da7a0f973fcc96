// event-forms.ts — the forms in which events come, and the log sources that an event of each belongs to.
//
// In:    an event as plain JSON: as Wache keeps it, a Windows event as EVTX tools write it, or flat in Sigma's own names
//        with `product`, `category`, `service`.
// Out:   its form, and every log source that rules may name for it.
// Holds: a kept event and a flat one belong to what they say; only an EVTX one, which says nothing, is read by mappings.
import type { LogSource } from "../core/event.ts";
import type { Mappings } from "../core/mappings.ts";
import type { Readable } from "./match/matcher.ts";

export type EventForm = "wache" | "evtx" | "flat";

export function formOf(
  event: Readable,
  { sourcesOf }: Pick<Mappings, "sourcesOf">,
): {
  readonly form: EventForm;
  readonly sources: readonly LogSource[];
} {
  const { wache, Event: evtx } = event as {
    readonly wache?: { readonly sources?: unknown } | null;
    readonly Event?: { readonly System?: unknown } | null;
  };
  if (Array.isArray(wache?.sources))
    return { form: "wache", sources: wache.sources as readonly LogSource[] };
  if (typeof evtx?.System === "object" && evtx.System !== null)
    return { form: "evtx", sources: sourcesOf(event) };
  return flatForm(event);
}

type Flat = { readonly form: "flat"; readonly sources: readonly LogSource[] };
let lastFlat: Flat = { form: "flat", sources: [{}] }; // the same one often comes again with the next event

function flatForm({ product, category, service }: Readable): Flat {
  const source: LogSource = lastFlat.sources[0] ?? {};
  if (
    textOf(product) !== source.product ||
    textOf(category) !== source.category ||
    textOf(service) !== source.service
  )
    lastFlat = {
      form: "flat",
      sources: [
        {
          ...(typeof product === "string" && { product }),
          ...(typeof category === "string" && { category }),
          ...(typeof service === "string" && { service }),
        },
      ],
    };
  return lastFlat;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;

// event-forms.ts — the forms in which events come, and the log sources that an event of each belongs to.
//
// In:    an event as plain JSON: as Wache keeps it, a Windows event as EVTX tools write it, or flat in Sigma's own names
//        with `product`, `category`, `service`, there or in `log_source`.
// Out:   its form, and every log source that rules may name for it.
// Holds: a kept event and a flat one belong to exactly what they say; one that says nothing belongs to what mappings say.
import type { LogSource } from "../core/event.ts";
import { isObject } from "../core/json.ts";
import { saidSources } from "../core/log-sources.ts";
import type { Mappings } from "../core/mappings.ts";
import type { Readable } from "./match/matcher.ts";
import { Recent } from "./recent.ts";

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
  if (Array.isArray(wache?.sources)) return { form: "wache", sources: objectsOf(wache.sources) };
  if (typeof evtx?.System === "object" && evtx.System !== null)
    return { form: "evtx", sources: sourcesOf(event) };
  return flatForm(event, sourcesOf);
}

const objectsOf = (sources: readonly unknown[]): readonly LogSource[] =>
  sources.every(isObject) ? (sources as readonly LogSource[]) : sources.filter(isObject);

type Flat = { readonly form: "flat"; readonly sources: readonly LogSource[] };
const recent = new Recent<Flat>();

function flatForm(event: Readable, sourcesOf: Mappings["sourcesOf"]): Flat {
  const product = textOf(event.product);
  const category = textOf(event.category);
  const service = textOf(event.service);
  if (isObject(event.log_source))
    return { form: "flat", sources: [...saidSources(event), ...sourcesOf(event)] };
  if (!product && !category && !service) {
    const sources = sourcesOf(event);
    if (sources.length > 0) return { form: "flat", sources };
  }
  for (const known of recent.all) {
    const source = known.sources[0] as LogSource;
    if (source.product === product && source.category === category && source.service === service)
      return known;
  }
  const source: LogSource = {
    ...(product !== undefined && { product }),
    ...(category !== undefined && { category }),
    ...(service !== undefined && { service }),
  };
  const made: Flat = { form: "flat", sources: [source] };
  recent.add(made);
  return made;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;

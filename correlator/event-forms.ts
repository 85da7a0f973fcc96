// event-forms.ts — the forms in which events come, and the log sources that an event of each belongs to.
//
// In:    an event as plain JSON: as Wache keeps it, a Windows event as EVTX tools write it, or flat in Sigma's own names
//        with `product`, `category`, `service`, there or in `log_source`.
// Out:   its form, and every log source that rules may name for it.
// Holds: a kept event belongs to exactly what it says, and so does a flat one that says a product with a category or a
//        service; any other belongs to what it says and to what mappings say, for `category` and `service` are also
//        fields of Azure's logs, of Zeek's and others.
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
type Said = { readonly said: LogSource; readonly mapped: readonly LogSource[]; readonly as: Flat };
const NONE: readonly LogSource[] = [];
const recent = new Recent<Said>();

function flatForm(event: Readable, sourcesOf: Mappings["sourcesOf"]): Flat {
  if (isObject(event.log_source))
    return { form: "flat", sources: [...saidSources(event), ...sourcesOf(event)] };
  const product = textOf(event.product);
  const category = textOf(event.category);
  const service = textOf(event.service);
  const mapped = product && (category || service) ? NONE : sourcesOf(event);
  for (const { said, mapped: before, as } of recent.all)
    if (
      before === mapped &&
      said.product === product &&
      said.category === category &&
      said.service === service
    )
      return as;
  const said: LogSource = {
    ...(product !== undefined && { product }),
    ...(category !== undefined && { category }),
    ...(service !== undefined && { service }),
  };
  const saysNothing = !product && !category && !service;
  const sources = saysNothing && mapped.length > 0 ? mapped : [said, ...mapped];
  const as: Flat = { form: "flat", sources };
  recent.add({ said, mapped, as });
  return as;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;

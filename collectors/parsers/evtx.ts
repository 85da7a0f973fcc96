// evtx.ts — Windows events as tools write them that make JSON of the event log's XML.
import { isObject, type Json } from "../../core/json.ts";

/** What such an event says of its time, in whichever spelling of an XML attribute. */
export function evtxTime(value: Json): unknown {
  const outer = value.Event;
  const system = isObject(outer) && isObject(outer.System) ? outer.System : value;
  const created = system.TimeCreated ?? system.TimeCreated_attributes;
  if (!isObject(created)) return created;
  const attributes = created["#attributes"];
  return (isObject(attributes) ? attributes : created).SystemTime ?? created["@SystemTime"];
}

/**
 * The event with its data by name, as rules name it, where a tool left `Data` as elements with a name and a text each. What
 * has no name, or something else besides, stays where it was; an event of another form is given back as it is.
 */
export function withNamedData(event: Json): Json {
  const outer = event.Event;
  if (!isObject(outer) || !isObject(outer.EventData) || outer.EventData.Data === undefined)
    return event;
  const { Data: data, ...others } = outer.EventData;
  const named = new Map<string, string[]>();
  const left: unknown[] = [];
  for (const element of Array.isArray(data) ? data : [data]) {
    const [name, text] = namedText(element) ?? [];
    if (name === undefined || text === undefined || name === "Data" || Object.hasOwn(others, name))
      left.push(element);
    else named.set(name, [...(named.get(name) ?? []), text]);
  }
  if (named.size === 0) return event;
  const fields = [...named].map(([name, texts]) => [name, texts.length > 1 ? texts : texts[0]]);
  const rest = left.length === 0 ? {} : { Data: left };
  return {
    ...event,
    Event: { ...outer, EventData: { ...Object.fromEntries(fields), ...others, ...rest } },
  };
}

/** Of an element with a name, and with a text or nothing in it. */
function namedText(element: unknown): readonly [name: string, text: string] | undefined {
  if (!isObject(element)) return undefined;
  const {
    "#attributes": attributes,
    "@Name": at,
    Name: plain,
    "#text": text = "",
    ...more
  } = element;
  const name = isObject(attributes) ? attributes.Name : (at ?? plain);
  const isWhole = typeof text === "string" && Object.keys(more).length === 0;
  return isWhole && typeof name === "string" && name !== "" ? [name, text] : undefined;
}

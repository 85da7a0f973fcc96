// evtx.ts — Windows events as tools write them that make JSON of the event log's XML.
export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

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
 * The event with its data by name, as rules name it, where a tool left `Data` as elements with a name and a text each.
 * Elements without a name stay; an event of another form is given back as it is.
 */
export function withNamedData(event: Json): Json {
  const outer = event.Event;
  if (!isObject(outer) || !isObject(outer.EventData)) return event;
  const { Data: data, ...others } = outer.EventData;
  const named: (readonly [name: string, text: unknown])[] = [];
  const nameless: unknown[] = [];
  for (const element of Array.isArray(data) ? data : [data]) {
    const name = nameOf(element);
    if (name === undefined) nameless.push(element);
    else named.push([name, (element as Json)["#text"] ?? ""]);
  }
  if (named.length === 0) return event;
  const rest = nameless.length === 0 ? {} : { Data: nameless };
  return {
    ...event,
    Event: { ...outer, EventData: { ...Object.fromEntries(named), ...others, ...rest } },
  };
}

function nameOf(element: unknown): string | undefined {
  if (!isObject(element)) return undefined;
  const attributes = element["#attributes"];
  const name = isObject(attributes) ? attributes.Name : (element["@Name"] ?? element.Name);
  return typeof name === "string" && name !== "" ? name : undefined;
}

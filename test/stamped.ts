// stamped.ts — a line as the collector stamps it: the event that goes to the bus.
import { type Entry, newTally, stampLine } from "../collectors/stamp.ts";
import type { EcsEvent } from "../core/event.ts";
import type { Mappings } from "../core/mappings.ts";
import type { EventRecord } from "../core/records.ts";

export function stampedLine(text: string, { sourcesOf }: Pick<Mappings, "sourcesOf">): EcsEvent {
  const atMs = Date.UTC(2026, 0, 15, 12);
  const entries: Entry[] = [];
  stampLine(
    { text },
    {
      ...{ feeder: "f", stream: "live", source: "s", zone: "UTC", latenessMs: 0 },
      sourcesOf,
    },
    { receiptMs: atMs, id: () => "id", clock: () => atMs },
    { entries, tally: newTally() },
  );
  const value = entries[0]?.record.value as EventRecord;
  if (value.kind !== "event") throw new Error("no event");
  return value.event;
}

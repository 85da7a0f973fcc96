// event-list.tsx — events as lines, each opens to the whole document.
import { useState } from "preact/hooks";
import type { EcsEvent } from "../api.ts";
import { utc } from "../time.ts";

export const EventList = ({ events }: { readonly events: readonly EcsEvent[] }) => (
  <ol class="events">
    {events.map((event) => (
      <EventLine key={event.event.id} event={event} />
    ))}
  </ol>
);

function EventLine({ event }: { readonly event: EcsEvent }) {
  const [isOpen, setOpen] = useState(false);
  const marks = [
    event.wache.late === true && "late",
    event.wache.implausible === true && "implausible time",
    event.wache.stream !== "live" && "replay",
  ].filter((mark) => mark !== false);
  return (
    <li>
      <details onToggle={(toggle) => setOpen((toggle.currentTarget as HTMLDetailsElement).open)}>
        <summary>
          <time dateTime={event["@timestamp"]}>{utc(event["@timestamp"])}</time>
          <span class="host">{hostOf(event)}</span>
          <span class="message">{rawOf(event)}</span>
          {marks.map((mark) => (
            <span key={mark} class="badge">
              {mark}
            </span>
          ))}
        </summary>
        {isOpen && <pre>{JSON.stringify(event, null, 2)}</pre>}
      </details>
    </li>
  );
}

function hostOf(event: EcsEvent): string {
  const host = (event.host as { name?: unknown; hostname?: unknown } | undefined) ?? {};
  const name = host.name ?? host.hostname ?? event["host.name"];
  return typeof name === "string" ? name : (event.wache.source ?? "");
}

function rawOf(event: EcsEvent): string {
  const original = event.event.original;
  return typeof original === "string" ? original : (event.message ?? JSON.stringify(event));
}

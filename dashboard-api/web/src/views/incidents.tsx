// incidents.tsx — the live list: the last changed first, filtered by status.
import { useState } from "preact/hooks";
import { get, type IncidentLine, type Page, pathOf } from "../api.ts";
import { Group, Severity, Status } from "../parts/badges.tsx";
import { Failure } from "../parts/failure.tsx";
import { FirstLog } from "../parts/first-log.tsx";
import { Lost } from "../parts/lost.tsx";
import type { Place } from "../router.ts";
import { utc } from "../time.ts";
import { useLive } from "../use-live.ts";
import { useLoaded } from "../use-loaded.ts";

const FILTERS = [
  { status: "", label: "All" },
  { status: "open", label: "Open" },
  { status: "acknowledged", label: "Acknowledged" },
  { status: "closed", label: "Closed" },
];

export function IncidentsView(props: { readonly place: Place }) {
  const status = props.place.search.get("status") ?? "";
  const list = useLoaded(`incidents ${status}`, () =>
    get<Page<IncidentLine>>("/incidents", { status, limit: 100 }),
  );
  const isOpen = useLive({
    incident: (line) => list.value !== undefined && list.set(withLine(list.value, line, status)),
    hello: list.reload,
  });
  const more = useMore(list, status);
  return (
    <>
      {!isOpen && <Lost />}
      <div class="bar">
        <h1>Incidents</h1>
        <nav aria-label="Filter by status" class="filters">
          {FILTERS.map((filter) => (
            <a
              key={filter.status}
              href={filter.status === "" ? "/" : `/?status=${filter.status}`}
              aria-current={filter.status === status ? "true" : undefined}
            >
              {filter.label}
            </a>
          ))}
        </nav>
      </div>
      {list.failure !== undefined && list.failure.status !== 0 && (
        <Failure failure={list.failure} />
      )}
      {list.value === undefined && list.failure === undefined && <p>Loading …</p>}
      {list.value?.items.length === 0 &&
        (status === "" ? <FirstLog /> : <p>No incident is {status}.</p>)}
      {list.value !== undefined && list.value.items.length > 0 && (
        <Table lines={list.value.items} />
      )}
      {list.value?.cursor !== undefined && (
        <button type="button" onClick={more.load} disabled={more.isLoading}>
          Show more
        </button>
      )}
    </>
  );
}

function useMore(
  list: {
    readonly value: Page<IncidentLine> | undefined;
    readonly set: (page: Page<IncidentLine>) => void;
  },
  status: string,
) {
  const [isLoading, setLoading] = useState(false);
  const load = () => {
    setLoading(true);
    get<Page<IncidentLine>>("/incidents", { status, limit: 100, cursor: list.value?.cursor })
      .then((page) => list.set({ ...page, items: [...(list.value?.items ?? []), ...page.items] }))
      .catch(() => undefined) // the banner says that the line is lost
      .finally(() => setLoading(false));
  };
  return { load, isLoading };
}

const Table = ({ lines }: { readonly lines: readonly IncidentLine[] }) => (
  <div class="scroll">
    <table class="incidents">
      <thead>
        <tr>
          <th scope="col">Severity</th>
          <th scope="col">Incident</th>
          <th scope="col">Status</th>
          <th scope="col" class="number">
            Events
          </th>
          <th scope="col">First (UTC)</th>
          <th scope="col">Last (UTC)</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.id} class={line.status === "closed" ? "closed" : undefined}>
            <td>
              <Severity level={line.severity} />
            </td>
            <td>
              <a href={`/incidents/${pathOf(line.id)}`}>{line.title}</a>{" "}
              {line.replay && (
                <span class="badge" title={`from the import ${line.stream}`}>
                  replay
                </span>
              )}
              <br />
              <Group group={line.group} />
            </td>
            <td>
              <Status status={line.status} />
              {line.assignee !== undefined && <div class="dim">{line.assignee}</div>}
            </td>
            <td class="number">
              {line.bounded === true && "≥ "}
              {line.count}
            </td>
            <td class="time">{utc(line.firstMs)}</td>
            <td class="time">{utc(line.lastMs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

/** The changed incident moves to the top, or leaves where the filter no longer fits. */
function withLine(
  page: Page<IncidentLine>,
  line: IncidentLine,
  status: string,
): Page<IncidentLine> {
  const others = page.items.filter((item) => item.id !== line.id);
  const fits = status === "" || line.status === status;
  return { ...page, items: fits ? [line, ...others] : others };
}

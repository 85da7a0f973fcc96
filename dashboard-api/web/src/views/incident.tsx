// incident.tsx — one incident: what happened, its evidence, what was done, and what to do.
import { type EcsEvent, get, type Incident, type IncidentShown, pathOf } from "../api.ts";
import { Actions } from "../parts/actions.tsx";
import { Group, Severity, Status } from "../parts/badges.tsx";
import { EventList } from "../parts/event-list.tsx";
import { Failure } from "../parts/failure.tsx";
import { Lost } from "../parts/lost.tsx";
import { counted, utc, utcSpan } from "../time.ts";
import { useLive } from "../use-live.ts";
import { useLoaded } from "../use-loaded.ts";

export function IncidentView({ id }: { readonly id: string }) {
  const shown = useLoaded(`incident ${id}`, () => get<IncidentShown>(`/incidents/${pathOf(id)}`));
  const isOpen = useLive({
    incident: (line) => line.id === id && shown.reload(),
    hello: shown.reload,
  });
  if (shown.value === undefined)
    return shown.failure === undefined ? <p>Loading …</p> : <Failure failure={shown.failure} />;
  const { incident, evidence, missing } = shown.value;
  const set = (changed: Incident) => shown.set({ incident: changed, evidence, missing });
  return (
    <>
      {!isOpen && <Lost />}
      <p>
        <a href="/">← All incidents</a>
      </p>
      <Summary incident={incident} file={fileOf(evidence)} />
      <Actions incident={incident} onChange={set} />
      <section aria-labelledby="evidence">
        <h2 id="evidence">Evidence</h2>
        <p class="dim">
          {isOfAbsence(incident)
            ? "What came before, and what ended the wait"
            : `${evidence.length} of ${counted(incident.count, "event")}${incident.bounded === true ? " or more" : ""}`}
          , times in UTC.{" "}
          {missing.length > 0 && `${missing.length} of those named are not in the store.`}
        </p>
        <EventList events={evidence} />
        <p>
          <a href={aroundOf(incident)}>What else it did, from 15 minutes before to an hour after</a>
        </p>
      </section>
      <Timeline incident={incident} />
      <AboutRule incident={incident} />
    </>
  );
}

const isOfAbsence = ({ findings }: Incident): boolean =>
  findings.some(({ absence }) => absence !== undefined);

const BEFORE_MS = 15 * 60_000;
const AFTER_MS = 60 * 60_000;

/** A search of what the same address, host or user did around the incident. */
function aroundOf({ group, replay, stream, firstMs, lastMs }: Incident): string {
  const parts = Object.entries(group).map(([name, value]) => `${name}:${quoted(value)}`);
  if (replay) parts.push(`wache.stream:${quoted(stream)}`);
  return `/search?${new URLSearchParams({
    q: parts.join(" AND "),
    range: "between",
    from: utc(firstMs - BEFORE_MS).replace(" ", "T"),
    to: utc(lastMs + AFTER_MS).replace(" ", "T"),
  })}`;
}

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;

/** The file that was imported, where its sender said so. */
function fileOf(evidence: readonly EcsEvent[]): string | undefined {
  const file = (evidence[0]?.log as { file?: { path?: unknown } } | undefined)?.file;
  return typeof file?.path === "string" ? file.path : undefined;
}

const Summary = ({
  incident,
  file = incident.stream,
}: {
  readonly incident: Incident;
  readonly file?: string | undefined;
}) => (
  <section class="summary" aria-label="What happened">
    <div class="bar">
      <Severity level={incident.severity} />
      <h1>{incident.title}</h1>
      <Status status={incident.status} />
      {incident.replay && <span class="badge">replay of {file}</span>}
    </div>
    <dl>
      {incident.rule.description !== undefined && (
        <>
          <dt>The rule says</dt>
          <dd class="prose">{incident.rule.description}</dd>
        </>
      )}
      <dt>Who or where</dt>
      <dd>
        <Group group={incident.group} />
      </dd>
      <dt>When (UTC)</dt>
      <dd>{utcSpan(incident.firstMs, incident.lastMs)}</dd>
      <dt>{isOfAbsence(incident) ? "Missed, times" : "Events"}</dt>
      <dd>
        {incident.bounded === true && "at least "}
        {incident.count}
      </dd>
      <dt>Assigned to</dt>
      <dd>{incident.assignee ?? "nobody"}</dd>
    </dl>
  </section>
);

const Timeline = ({ incident }: { readonly incident: Incident }) => (
  <section aria-labelledby="timeline">
    <h2 id="timeline">Timeline</h2>
    <ol class="timeline">
      {incident.timeline.map((entry, at) => (
        <li key={`${entry.ref ?? ""}-${at}`}>
          <time dateTime={new Date(entry.atMs).toISOString()}>{utc(entry.atMs)}</time>
          <strong>{entry.kind}</strong>
          {entry.by !== undefined && <span> by {entry.by}</span>}
          <p>{entry.text}</p>
        </li>
      ))}
    </ol>
  </section>
);

function AboutRule({ incident: { rule } }: { readonly incident: Incident }) {
  return (
    <section aria-labelledby="rule">
      <h2 id="rule">Rule</h2>
      <p>
        <strong>{rule.title}</strong> <span class="dim">{rule.id}</span>
      </p>
      {rule.tags.length > 0 && <p class="dim">{rule.tags.join(" · ")}</p>}
      <List title="May also be" items={rule.falsepositives} />
      <List title="Read more" items={rule.references} />
    </section>
  );
}

function List(props: { readonly title: string; readonly items: readonly string[] | undefined }) {
  if (props.items === undefined || props.items.length === 0) return null;
  return (
    <>
      <h3>{props.title}</h3>
      <ul>
        {props.items.map((item) => (
          <li key={item}>
            {/^https?:\/\//.test(item) ? (
              <a href={item} target="_blank" rel="noreferrer noopener">
                {item}
              </a>
            ) : (
              item
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

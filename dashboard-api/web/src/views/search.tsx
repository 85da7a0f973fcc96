// search.tsx — searching events; the question is in the address, so that a link repeats it.
import { useEffect, useState } from "preact/hooks";
import { type EcsEvent, get, type Page } from "../api.ts";
import { EventList } from "../parts/event-list.tsx";
import { Failure } from "../parts/failure.tsx";
import { go, type Place } from "../router.ts";
import { counted, RANGES } from "../time.ts";
import { useLoaded } from "../use-loaded.ts";

const LIMIT = 50;

export function SearchView({ place }: { readonly place: Place }) {
  const question = questionOf(place.search);
  const found = useLoaded(`events ${JSON.stringify(question)}`, () =>
    get<Page<EcsEvent>>("/events", { ...timesOf(question), q: question.q, limit: LIMIT }),
  );
  const [isLoadingMore, setLoadingMore] = useState(false);
  const more = () => {
    const { value } = found;
    if (value?.cursor === undefined) return;
    setLoadingMore(true);
    const asked = { ...timesOf(question), q: question.q, limit: LIMIT, cursor: value.cursor };
    get<Page<EcsEvent>>("/events", asked)
      .then((page) => found.set({ ...page, items: [...value.items, ...page.items] }))
      .catch(() => undefined) // the button stays and can be pressed again
      .finally(() => setLoadingMore(false));
  };
  return (
    <>
      <h1>Search events</h1>
      <search>
        <QueryForm key={place.search.toString()} question={question} onAgain={found.reload} />
      </search>
      <HowToAsk />
      <Failure failure={found.failure} query={question.q} />
      {found.isLoading && <p role="status">Searching …</p>}
      {found.value !== undefined && found.failure === undefined && (
        <>
          <p role="status" class="dim">
            {saidOf(found.value)}
          </p>
          <EventList events={found.value.items} />
          {found.value.cursor !== undefined && (
            <button type="button" onClick={more} disabled={isLoadingMore}>
              Show more
            </button>
          )}
        </>
      )}
    </>
  );
}

function saidOf({ items, cursor }: Page<EcsEvent>): string {
  if (items.length > 0)
    return `${counted(items.length, "event")}${cursor === undefined ? "" : ", there are more"}; newest first, times in UTC.`;
  return cursor === undefined
    ? "No event matches. Try a longer time, or fewer words."
    : "No event matches among those looked at so far; there are more.";
}

const EXAMPLES = [
  { q: '"Failed password"', does: "these words side by side, in any field" },
  { q: "user.name:root", does: "a field with this value" },
  { q: "source.ip:203.0.113.0/24", does: "an address of this network" },
  { q: "url.path:/admin/*", does: "any text in place of the star" },
  { q: "http.response.status_code:[400 TO 499]", does: "from one number to another" },
  { q: "event.outcome:failure AND NOT user.name:(root OR admin)", does: "all of it together" },
] as const;

const HowToAsk = () => (
  <details class="dim">
    <summary>How to ask</summary>
    <ul>
      {EXAMPLES.map(({ q, does }) => (
        <li key={q}>
          <a href={`/search?${new URLSearchParams({ q })}`}>
            <code>{q}</code>
          </a>{" "}
          – {does}
        </li>
      ))}
    </ul>
  </details>
);

type Question = {
  readonly q: string;
  readonly range: string;
  readonly from: string;
  readonly to: string;
};

const questionOf = (search: URLSearchParams): Question => ({
  q: search.get("q") ?? "",
  range: search.get("range") ?? "24h",
  from: search.get("from") ?? "",
  to: search.get("to") ?? "",
});

function timesOf({ range, from, to }: Question): { readonly from?: string; readonly to?: string } {
  if (range === "between") return { from, to };
  const spanMs = RANGES.find((known) => known.name === range)?.spanMs;
  return spanMs === undefined ? {} : { from: new Date(Date.now() - spanMs).toISOString() };
}

function QueryForm(props: { readonly question: Question; readonly onAgain: () => void }) {
  const { question, onAgain } = props;
  const [range, setRange] = useState(question.range);
  useEffect(() => setRange(question.range), [question.range]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const search = new URLSearchParams();
    for (const [name, value] of form) if (value !== "") search.set(name, String(value));
    const to = `/search?${search}`;
    if (to === `${location.pathname}${location.search}`) onAgain();
    else go(to);
  };
  return (
    <form class="query" onSubmit={submit}>
      <label class="wide">
        Query
        <input
          name="q"
          type="search"
          value={question.q}
          placeholder={'source.ip:203.0.113.0/24 AND event.outcome:failure "sshd"'}
          spellcheck={false}
          autocapitalize="off"
          maxLength={4096}
        />
      </label>
      <label>
        Time (UTC)
        <select
          name="range"
          value={range}
          onChange={(event) => setRange(event.currentTarget.value)}
        >
          {RANGES.map(({ name, label }) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
          <option value="between">Between …</option>
        </select>
      </label>
      {range === "between" && (
        <>
          <TimeField name="from" label="From" value={question.from} />
          <TimeField name="to" label="To" value={question.to} />
        </>
      )}
      <button type="submit">Search</button>
    </form>
  );
}

const TimeField = (props: {
  readonly name: string;
  readonly label: string;
  readonly value: string;
}) => (
  <label>
    {props.label}
    <input type="datetime-local" step={1} name={props.name} value={props.value} />
  </label>
);

// opensearch-search.ts — searches on OpenSearch: the index narrows by terms and times, query-match.ts decides.
import type { Client } from "@opensearch-project/opensearch";
import type { EcsEvent } from "../event.ts";
import { checkSort, cursorOf, type Position, pageLimit, positionOf } from "./cursor.ts";
import { narrow, type Terms } from "./narrow.ts";
import { bodyOf, TERM_CHARS_MAX } from "./opensearch-mapping.ts";
import type { Query } from "./query.ts";
import { matcher } from "./query-match.ts";
import type { Document, DocumentSearch, EventSearch, Page } from "./store.ts";

const READ_SIZE = 1000;
const SCAN_MAX = 400_000; // that one page reads before it gives what it has
const NO_NUMBER = Number.MIN_SAFE_INTEGER; // sorts what lacks the field last

type Clause = Record<string, unknown>;
type Hit = { readonly _source?: unknown; readonly sort?: readonly unknown[] };
type Reading = {
  readonly index: string;
  readonly query: Clause;
  readonly sort: readonly Clause[];
  readonly after?: readonly unknown[];
};

export async function searchEvents(
  client: Client,
  index: string,
  search: EventSearch,
): Promise<Page<EcsEvent>> {
  const order = search.order === "oldest" ? "asc" : "desc";
  const after = search.cursor === undefined ? undefined : positionOf(search.cursor);
  const isMatch = matcher(search.query);
  const limit = pageLimit(search.limit);
  const found: { readonly event: EcsEvent; readonly position: Position }[] = [];
  let scanned = 0;
  let last: Position | undefined;
  const sort = [{ timeMs: { order } }, { id: { order: "asc" } }];
  const reading = {
    index,
    query: eventFilter(search),
    sort,
    ...(after && { after: [after.key, after.id] }),
  };
  for await (const hit of hitsOf(client, reading)) {
    const { json, timeMs, id } = hit._source as {
      readonly json: string;
      readonly timeMs: number;
      readonly id: string;
    };
    const event = JSON.parse(json) as EcsEvent;
    last = { key: timeMs, id };
    scanned += 1;
    if (isMatch(event)) found.push({ event, position: last });
    if (found.length > limit || scanned >= SCAN_MAX) break;
  }
  const items = found.slice(0, limit);
  const end =
    found.length > limit ? items.at(-1)?.position : scanned >= SCAN_MAX ? last : undefined;
  return { items: items.map(({ event }) => event), ...(end && { cursor: cursorOf(end) }) };
}

export async function countMatching(client: Client, index: string, query: Query): Promise<number> {
  if (query.kind === "all")
    return (await client.count({ index, ignore_unavailable: true })).body.count;
  const isMatch = matcher(query);
  let count = 0;
  const sort = [{ timeMs: { order: "asc" } }, { id: { order: "asc" } }];
  for await (const { _source } of hitsOf(client, { index, query: eventFilter({ query }), sort }))
    if (isMatch(JSON.parse((_source as { readonly json: string }).json))) count += 1;
  return count;
}

/** In the order asked for; what is not there is left out. */
export async function eventsByIds(
  client: Client,
  index: string,
  ids: readonly string[],
): Promise<EcsEvent[]> {
  if (ids.length === 0) return [];
  const found = new Map<string, EcsEvent>();
  const sort = [{ timeMs: { order: "asc" } }, { id: { order: "asc" } }];
  for await (const { _source } of hitsOf(client, { index, query: { terms: { id: ids } }, sort })) {
    const { id, json } = _source as { readonly id: string; readonly json: string };
    found.set(id, JSON.parse(json) as EcsEvent);
  }
  return ids.flatMap((id) => found.get(id) ?? []);
}

export async function searchDocuments(
  client: Client,
  index: string,
  search: DocumentSearch,
): Promise<Page<Document>> {
  checkSort(search.sort);
  const after = search.cursor === undefined ? undefined : positionOf(search.cursor);
  const isMatch = matcher(search.query);
  const limit = pageLimit(search.limit);
  const found: { readonly document: Document; readonly position: Position }[] = [];
  const sort = [
    { [`numbers.${search.sort}`]: { order: "desc", missing: NO_NUMBER, unmapped_type: "long" } },
    { id: { order: "asc" } },
  ];
  const reading = {
    index,
    query: { match_all: {} },
    sort,
    ...(after && { after: [after.key ?? NO_NUMBER, after.id] }),
  };
  for await (const { _source } of hitsOf(client, reading)) {
    const document = bodyOf(_source);
    if (!isMatch(document.body)) continue;
    const key = document.body[search.sort];
    found.push({
      document,
      position: { key: typeof key === "number" ? key : null, id: document.id },
    });
    if (found.length > limit) break;
  }
  const items = found.slice(0, limit);
  const end = found.length > limit ? items.at(-1)?.position : undefined;
  return { items: items.map(({ document }) => document), ...(end && { cursor: cursorOf(end) }) };
}

export async function supersededBy(
  client: Client,
  index: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const asked = new Set(ids);
  const found = new Map<string, string>();
  if (ids.length === 0) return found;
  const sort = [
    { "numbers.lastMs": { order: "asc", unmapped_type: "long" } },
    { id: { order: "asc" } },
  ];
  const query = { terms: { supersedes: ids } };
  for await (const { _source } of hitsOf(client, { index, query, sort })) {
    const { id, supersedes } = _source as {
      readonly id: string;
      readonly supersedes: readonly string[];
    };
    for (const gone of supersedes) if (asked.has(gone)) found.set(gone, id);
  }
  return found;
}

async function* hitsOf(
  client: Client,
  { index, query, sort, after }: Reading,
): AsyncGenerator<Hit> {
  let from = after;
  for (;;) {
    const { body } = await client.search({
      index,
      ignore_unavailable: true,
      body: {
        size: READ_SIZE,
        query,
        sort,
        track_total_hits: false,
        ...(from && { search_after: from }),
      } as never,
    });
    const hits = body.hits.hits as unknown as readonly Hit[];
    yield* hits;
    if (hits.length < READ_SIZE) return;
    from = hits.at(-1)?.sort;
  }
}

function eventFilter({
  query,
  fromMs,
  toMs,
}: Pick<EventSearch, "query" | "fromMs" | "toMs">): Clause {
  const terms = narrow(query);
  const filter: Clause[] = [];
  if (terms) filter.push(clauseOf(terms));
  if (fromMs !== undefined || toMs !== undefined)
    filter.push({
      range: {
        timeMs: {
          ...(fromMs !== undefined && { gte: fromMs }),
          ...(toMs !== undefined && { lte: toMs }),
        },
      },
    });
  return { bool: { filter } };
}

function clauseOf(terms: Terms): Clause {
  switch (terms.kind) {
    case "term":
      return terms.text.length > TERM_CHARS_MAX
        ? { match_all: {} }
        : { term: { terms: terms.text } };
    case "prefix":
      return { prefix: { terms: terms.text } };
    case "and":
      return { bool: { filter: terms.parts.map(clauseOf) } };
    case "or": {
      const { parts } = terms;
      const texts = parts.flatMap((part) => (part.kind === "term" ? [part.text] : []));
      // One clause, whatever the number of terms: a search may have only so many.
      if (texts.length === parts.length) return { terms: { terms: texts } };
      return { bool: { should: parts.map(clauseOf), minimum_should_match: 1 } };
    }
  }
}

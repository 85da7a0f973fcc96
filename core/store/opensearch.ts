// opensearch.ts — the store on OpenSearch 3: an index for each day of events, one for each import, plain ones for documents.
//
// In:    events as JSON text, in batches; documents; searches.
// Holds: an event is created under its id, so that one that is there already stays as it is (409 is success); of a
//        document the highest revision stays; every item of a bulk answer is looked at.
// Why:   an event is kept as its own JSON text beside the few fields that we index. No field of an event can then clash
//        with a mapping, explode it, or have the event refused. The index narrows, query-match.ts decides: the same
//        answers as the embedded store.
import { createHash } from "node:crypto";
import { Client } from "@opensearch-project/opensearch";
import { messageOf, UserError } from "../errors.ts";
import { type EcsEvent, timeOf } from "../event.ts";
import { indexNameOf } from "./indices.ts";
import { addTerms } from "./narrow.ts";
import {
  bodyOf,
  COLLECTIONS,
  collectionMapping,
  documentBody,
  type OpenSearchOptions,
  templateOf,
} from "./opensearch-mapping.ts";
import {
  countMatching,
  eventsByIds,
  searchDocuments,
  searchEvents,
  supersededBy,
} from "./opensearch-search.ts";
import type { Collection, Document, KeptEvent, Store } from "./store.ts";

const TIMEOUT_MS = 30_000;
const BULK_CHARS_MAX = 8_388_608;
const ID_BYTES_MAX = 512; // OpenSearch's own bound
const CONFLICT = 409;

export function openOpenSearchStore(options: OpenSearchOptions): Store {
  const client = clientOf(options);
  const index = (name: string): string => `${options.prefix}-${name}`;
  const allEvents = index("events-*");
  return {
    kind: "opensearch",
    open: async () => {
      await reach(client, options);
      await client.indices.putIndexTemplate({ name: index("events"), body: templateOf(options) });
      const body = collectionMapping(options);
      for (const collection of COLLECTIONS) {
        await client.indices
          .create({ index: index(collection), body })
          .catch((error: unknown) => unlessKind(error, "resource_already_exists_exception"));
        // An index that was made before a field was added.
        await client.indices.putMapping({ index: index(collection), body: body.mappings });
      }
    },
    putEvents: (events) => putEvents(client, index, events),
    searchEvents: (search) => searchEvents(client, allEvents, search),
    getEvents: (ids) => eventsByIds(client, allEvents, ids),
    countEvents: (query) => countMatching(client, allEvents, query),
    putDocuments: (collection, documents) => putDocuments(client, index(collection), documents),
    replaceDocument: (collection, document, expected) =>
      replaceDocument(client, index(collection), document, expected),
    getDocument: async (collection, id) => (await found(client, index(collection), id))?.document,
    removeDocument: async (collection: Collection, id: string) => {
      await client
        .delete({ index: index(collection), id: keyOf(id), refresh: true })
        .catch((error: unknown) => unlessStatus(error, 404));
    },
    searchDocuments: (collection, search) => searchDocuments(client, index(collection), search),
    supersededBy: (ids) => supersededBy(client, index("findings"), ids),
    refresh: async () => {
      await client.indices.refresh({ index: index("*") });
    },
    expire: (beforeMs) => expire(client, allEvents, beforeMs),
    check: () => reach(client, options),
    close: () => client.close(),
  };
}

function clientOf({ node, username, password }: OpenSearchOptions): Client {
  return new Client({
    node,
    requestTimeout: TIMEOUT_MS,
    maxRetries: 2,
    ...(username !== undefined && password !== undefined && { auth: { username, password } }),
  });
}

async function reach(client: Client, { node }: OpenSearchOptions): Promise<void> {
  try {
    await client.info({}, { requestTimeout: 5000, maxRetries: 0 });
  } catch (error) {
    throw unreachable(node, error);
  }
}

const unreachable = (node: string, cause: unknown): UserError =>
  new UserError(
    "store.unreachable",
    `store.opensearch.node: OpenSearch does not answer at ${node}: ${messageOf(cause)}; check that it runs, the address, and username and password`,
    { cause, exitCode: 4 },
  );

const keyOf = (id: string): string =>
  Buffer.byteLength(id) <= ID_BYTES_MAX && id.isWellFormed()
    ? id
    : createHash("sha256").update(JSON.stringify(id)).digest("hex");

async function putEvents(
  client: Client,
  index: (name: string) => string,
  events: readonly KeptEvent[],
): Promise<void> {
  let lines: string[] = [];
  let chars = 0;
  for (const { event, text } of events) {
    lines.push(
      JSON.stringify({ create: { _index: index(indexNameOf(event)), _id: keyOf(event.event.id) } }),
      JSON.stringify(eventBody(event, text)),
    );
    chars += text.length * 2;
    if (chars < BULK_CHARS_MAX) continue;
    await bulk(client, lines);
    lines = [];
    chars = 0;
  }
  if (lines.length > 0) await bulk(client, lines);
}

function eventBody(event: EcsEvent, text: string): unknown {
  const terms = new Set<string>();
  addTerms(event, terms, new Set());
  return {
    "@timestamp": event["@timestamp"],
    timeMs: timeOf(event),
    id: event.event.id,
    written: Date.now(),
    terms: [...terms],
    json: text,
  };
}

type BulkItem = {
  readonly status?: number;
  readonly _id?: string;
  readonly error?: { readonly type?: string; readonly reason?: string };
};

/** Refuses unless every item was taken, or was there already. The caller sends the whole batch again. */
async function bulk(client: Client, lines: readonly string[]): Promise<void> {
  const { body } = await client.bulk({ body: `${lines.join("\n")}\n` as never });
  if (!body.errors) return;
  for (const item of body.items as unknown as readonly Readonly<Record<string, BulkItem>>[]) {
    const [done] = Object.values(item);
    const status = done?.status ?? 500;
    if (status >= 300 && status !== CONFLICT)
      throw new UserError(
        "store.refused",
        `OpenSearch did not take ${done?._id}: ${status} ${done?.error?.type}: ${done?.error?.reason}`,
      );
  }
}

async function putDocuments(
  client: Client,
  index: string,
  documents: readonly Document[],
): Promise<void> {
  if (documents.length === 0) return;
  const newest = new Map<string, Document>();
  for (const document of documents)
    if (document.revision > (newest.get(document.id)?.revision ?? -1))
      newest.set(document.id, document);
  const lines = [...newest.values()].flatMap((document) => [
    JSON.stringify({
      index: {
        _index: index,
        _id: keyOf(document.id),
        version: document.revision,
        version_type: "external",
      },
    }),
    JSON.stringify(documentBody(document)),
  ]);
  await bulk(client, lines);
}

type Found = { readonly document: Document; readonly seqNo: number; readonly primaryTerm: number };

async function found(client: Client, index: string, id: string): Promise<Found | undefined> {
  try {
    const { body } = await client.get({ index, id: keyOf(id) });
    return {
      document: bodyOf(body._source),
      seqNo: body._seq_no ?? 0,
      primaryTerm: body._primary_term ?? 0,
    };
  } catch (error) {
    unlessStatus(error, 404);
    return undefined;
  }
}

async function replaceDocument(
  client: Client,
  index: string,
  document: Document,
  expected: number,
): Promise<boolean> {
  const there = await found(client, index, document.id);
  if ((there?.document.revision ?? 0) !== expected) return false;
  try {
    await client.index({
      index,
      id: keyOf(document.id),
      body: documentBody(document),
      refresh: true,
      ...(there
        ? { if_seq_no: there.seqNo, if_primary_term: there.primaryTerm }
        : { op_type: "create" as const }),
    });
    return true;
  } catch (error) {
    unlessStatus(error, CONFLICT);
    return false;
  }
}

async function expire(client: Client, allEvents: string, beforeMs: number): Promise<string[]> {
  const { body } = await client.search({
    index: allEvents,
    body: {
      size: 0,
      aggs: {
        indices: {
          terms: { field: "_index", size: 10_000 },
          aggs: { written: { max: { field: "written" } } },
        },
      },
    } as never,
  });
  const indices = body.aggregations?.["indices"] as unknown as
    | {
        readonly buckets?: readonly {
          readonly key: string;
          readonly written: { readonly value: number };
        }[];
      }
    | undefined;
  const old = (indices?.buckets ?? [])
    .filter(({ written }) => written.value < beforeMs)
    .map(({ key }) => key);
  for (const name of old) await client.indices.delete({ index: name, ignore_unavailable: true });
  return old;
}

function unlessStatus(error: unknown, status: number): void {
  if ((error as { readonly statusCode?: number }).statusCode !== status) throw error;
}

function unlessKind(error: unknown, kind: string): void {
  if (!messageOf(error).includes(kind)) throw error;
}

// store.ts — where events, findings, incidents and accounts are kept and searched: SQLite files or OpenSearch.
//
// Holds: putting an event again under its id changes nothing; of a document the highest revision stays;
//        both implementations answer the same query with the same documents in the same order.
import type { EcsEvent } from "../event.ts";
import type { Query } from "./query.ts";

/** Plain indices: one document an id, the highest revision stays. `accounts` holds users, sessions and tokens, `checkpoints` how far work came. */
export type Collection = "findings" | "incidents" | "accounts" | "checkpoints";

export type Document = {
  readonly id: string;
  readonly revision: number;
  readonly body: Readonly<Record<string, unknown>>;
};

export type KeptEvent = {
  readonly event: EcsEvent;
  readonly text: string; // the event as JSON, as it came over the bus
};

export type EventSearch = {
  readonly query: Query;
  readonly fromMs?: number; // inclusive, by @timestamp
  readonly toMs?: number; // inclusive
  readonly limit: number;
  readonly order?: "newest" | "oldest"; // by @timestamp, then by event.id; newest unless told
  readonly cursor?: string; // from the page before
};
export type DocumentSearch = {
  readonly query: Query;
  readonly limit: number;
  readonly sort: string; // a numeric field of the document, descending; ties by id, ascending
  readonly cursor?: string;
};
export type Page<T> = {
  readonly items: readonly T[];
  readonly cursor?: string;
  readonly total?: number;
};

export type Store = {
  readonly kind: "embedded" | "opensearch";
  /** Creates folders, templates and indices; can be repeated. */
  open(): Promise<void>;
  /** Resolves when every event is durable. An id that is there already is left as it is. */
  putEvents(events: readonly KeptEvent[]): Promise<void>;
  searchEvents(search: EventSearch): Promise<Page<EcsEvent>>;
  getEvents(ids: readonly string[]): Promise<EcsEvent[]>;
  countEvents(query: Query): Promise<number>;
  /** Keeps the document unless a higher or equal revision is there. Resolves when durable. */
  putDocuments(collection: Collection, documents: readonly Document[]): Promise<void>;
  /** Replaces the document only if its revision is `expected` (0: it must not exist); says whether it did. */
  replaceDocument(collection: Collection, document: Document, expected: number): Promise<boolean>;
  getDocument(collection: Collection, id: string): Promise<Document | undefined>;
  removeDocument(collection: Collection, id: string): Promise<void>;
  searchDocuments(collection: Collection, search: DocumentSearch): Promise<Page<Document>>;
  /** Those of the findings that a later one took in, each with that one's id. */
  supersededBy(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Makes what was put so far visible to searches. */
  refresh(): Promise<void>;
  /** Removes whole event indices that were last written before `beforeMs`; gives their names. */
  expire(beforeMs: number): Promise<string[]>;
  /** Refuses with a reason when the store cannot be reached. */
  check(): Promise<void>;
  close(): Promise<void>;
};

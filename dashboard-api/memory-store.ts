// memory-store.ts — a store in memory, for tests.
import { UserError } from "../core/errors.ts";
import type { EcsEvent } from "../core/event.ts";
import { timeOf } from "../core/event.ts";
import { matches } from "../core/store/query-match.ts";
import type { Document, Store } from "../core/store/store.ts";

export function memoryStore(): Store {
  const events = new Map<string, EcsEvent>();
  const documents = new Map<string, Map<string, Document>>();
  const of = (collection: string) => {
    const found = documents.get(collection) ?? new Map<string, Document>();
    documents.set(collection, found);
    return found;
  };
  const nothing = async () => {};
  return {
    kind: "embedded",
    open: nothing,
    putEvents: async (kept) => {
      for (const { event } of kept)
        if (!events.has(event.event.id)) events.set(event.event.id, event);
    },
    searchEvents: async ({ query, fromMs = 0, toMs = 9e15, limit, cursor = "0", order }) => {
      const all = [...events.values()]
        .filter((e) => matches(query, e) && timeOf(e) >= fromMs && timeOf(e) <= toMs)
        .toSorted((a, b) => (order === "oldest" ? timeOf(a) - timeOf(b) : timeOf(b) - timeOf(a)));
      if (!/^[0-9]+$/.test(cursor)) throw new UserError("store.cursor", "cursor: none of ours");
      const next = Number(cursor) + limit;
      const items = all.slice(Number(cursor), next);
      return { items, ...(next < all.length ? { cursor: String(next) } : {}) };
    },
    getEvents: async (ids) => ids.flatMap((id) => events.get(id) ?? []),
    countEvents: async (query) => [...events.values()].filter((e) => matches(query, e)).length,
    putDocuments: async (collection, docs) => {
      for (const doc of docs)
        if ((of(collection).get(doc.id)?.revision ?? 0) < doc.revision)
          of(collection).set(doc.id, doc);
    },
    replaceDocument: async (collection, doc, expected) => {
      if ((of(collection).get(doc.id)?.revision ?? 0) !== expected) return false;
      of(collection).set(doc.id, doc);
      return true;
    },
    getDocument: async (collection, id) => of(collection).get(id),
    removeDocument: async (collection, id) => {
      of(collection).delete(id);
    },
    searchDocuments: async (collection, { query, limit, sort, cursor = "0" }) => {
      const all = [...of(collection).values()]
        .filter((d) => matches(query, d.body))
        .toSorted((a, b) => Number(b.body[sort]) - Number(a.body[sort]) || (a.id < b.id ? -1 : 1));
      const next = Number(cursor) + limit;
      return {
        items: all.slice(Number(cursor), next),
        ...(next < all.length ? { cursor: String(next) } : {}),
      };
    },
    refresh: nothing,
    expire: async () => [],
    check: nothing,
    close: nothing,
  };
}

// embedded.ts — the store on this machine's disk: a SQLite file for each day of events, one for each import, one of documents.
//
// In:    events as JSON text, in batches; documents; searches.
// Holds: all work on files is done in two workers, so that neither a search nor a slow disk holds up the event loop,
//        and no search holds up keep.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { EcsEvent } from "../event.ts";
import { besideModule, type Caller, startWorker } from "../worker-calls.ts";
import type { ReaderCalls, Role, WriterCalls } from "./embedded-worker.ts";
import type { Store } from "./store.ts";

export function openEmbeddedStore(options: { readonly dir: string }): Store {
  const folder = join(options.dir, "store");
  let started:
    | { readonly writer: Caller<WriterCalls>; readonly reader: Caller<ReaderCalls> }
    | undefined;
  const at = () => {
    if (started === undefined) throw new UserError("store.not-open", "the store is not open");
    return started;
  };
  return {
    kind: "embedded",
    open: async () => {
      if (started) return;
      mkdirSync(folder, { recursive: true });
      started = {
        writer: worker<WriterCalls>("writer", folder),
        reader: worker<ReaderCalls>("reader", folder),
      };
      await started.writer.call("expired", 0);
      await started.reader.call("lines", []);
    },
    putEvents: async (events) => {
      if (events.length > 0)
        await at().writer.call("put", events.map(({ text }) => text).join("\n"));
    },
    searchEvents: async (search) => {
      const { lines, cursor } = await at().reader.call("search", search);
      return {
        items: lines.map((line) => JSON.parse(line) as EcsEvent),
        ...(cursor !== undefined && { cursor }),
      };
    },
    getEvents: async (ids) =>
      (await at().reader.call("lines", ids)).map((line) => JSON.parse(line) as EcsEvent),
    countEvents: (query) => at().reader.call("count", query),
    putDocuments: (collection, documents) =>
      at().reader.call("putDocuments", collection, documents),
    replaceDocument: (collection, document, expected) =>
      at().reader.call("replaceDocument", collection, document, expected),
    getDocument: (collection, id) => at().reader.call("getDocument", collection, id),
    removeDocument: (collection, id) => at().reader.call("removeDocument", collection, id),
    searchDocuments: (collection, search) =>
      at().reader.call("searchDocuments", collection, search),
    supersededBy: (ids) => at().reader.call("supersededBy", ids),
    refresh: async () => {},
    expire: async (beforeMs) => {
      const removed: string[] = [];
      for (const name of await at().writer.call("expired", beforeMs)) {
        await at().reader.call("forget", name);
        if (await at().writer.call("remove", name, beforeMs)) removed.push(name);
      }
      return removed;
    },
    check: async () => {
      await at().reader.call("lines", []);
    },
    close: async () => {
      const open = started;
      started = undefined;
      await open?.writer.close();
      await open?.reader.close();
    },
  };
}

const worker = <Calls>(role: Role, folder: string): Caller<Calls> =>
  startWorker(`the store's ${role}`, {
    url: besideModule(import.meta.url, "embedded-worker"),
    data: { role, folder },
  });

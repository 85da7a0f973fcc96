// embedded-worker.ts — runs in a worker: one takes events into their files, another searches them and keeps documents.
import { parentPort, workerData } from "node:worker_threads";
import { diskFault } from "../disk-fault.ts";
import { answerCalls } from "../worker-calls.ts";
import { documentFile } from "./embedded-documents.ts";
import { eventFiles } from "./embedded-file.ts";
import { countFiles, linesByIds, searchFiles } from "./embedded-search.ts";
import { eventWriter } from "./embedded-writer.ts";
import type { Query } from "./query.ts";
import type { Collection, Document, DocumentSearch, EventSearch } from "./store.ts";

export type Role = "writer" | "reader";

function writerCalls(folder: string) {
  const writer = eventWriter(folder);
  return {
    put: (lines: string) => writer.put(lines),
    expired: (beforeMs: number) => writer.expired(beforeMs),
    remove: (name: string, beforeMs: number) => writer.remove(name, beforeMs),
    close: () => writer.close(),
  };
}

function readerCalls(folder: string) {
  const files = eventFiles(folder, "read");
  const documents = documentFile(folder);
  return {
    search: (search: EventSearch) => searchFiles(folder, files, search),
    count: (query: Query) => countFiles(folder, files, query),
    lines: (ids: readonly string[]) => linesByIds(folder, files, ids),
    forget: (name: string) => files.forget(name),
    putDocuments: (collection: Collection, some: readonly Document[]) =>
      documents.put(collection, some),
    replaceDocument: (collection: Collection, document: Document, expected: number) =>
      documents.replace(collection, document, expected),
    getDocument: (collection: Collection, id: string) => documents.get(collection, id),
    removeDocument: (collection: Collection, id: string) => documents.remove(collection, id),
    searchDocuments: (collection: Collection, search: DocumentSearch) =>
      documents.search(collection, search),
    supersededBy: (ids: readonly string[]) => documents.supersededBy(ids),
    close: () => {
      files.closeAll();
      documents.close();
    },
  };
}

export type WriterCalls = ReturnType<typeof writerCalls>;
export type ReaderCalls = ReturnType<typeof readerCalls>;

if (parentPort) {
  const { role, folder } = workerData as { readonly role: Role; readonly folder: string };
  const calls = role === "writer" ? writerCalls(folder) : readerCalls(folder);
  answerCalls(parentPort, calls, (error) => diskFault(error, folder));
}

// embedded.ts — the store on this machine's disk: a SQLite file for each day of events, one for each import, one of documents.
//
// In:    events as JSON text, in batches; documents; searches.
// Holds: all work on files is done in two workers, so that neither a search nor a slow disk holds up the event loop,
//        and no search holds up keep.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { messageOf, UserError } from "../errors.ts";
import type { EcsEvent } from "../event.ts";
import type { Answer, ReaderCalls, Request, Role, WriterCalls } from "./embedded-worker.ts";
import type { Store } from "./store.ts";

type Caller<Calls> = {
  readonly call: <Name extends keyof Calls & string>(
    name: Name,
    ...args: Calls[Name] extends (...args: infer Args) => unknown ? Args : never
  ) => Promise<Awaited<Calls[Name] extends (...args: never[]) => infer Result ? Result : never>>;
  readonly close: () => Promise<void>;
};

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
        writer: startWorker<WriterCalls>("writer", folder),
        reader: startWorker<ReaderCalls>("reader", folder),
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

/** In a checkout the worker is TypeScript, in the packed package what tsc made of it. */
const workerFile = (): URL =>
  new URL(`./embedded-worker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);

function startWorker<Calls>(role: Role, folder: string): Caller<Calls> {
  const worker = new Worker(workerFile(), { workerData: { role, folder } });
  const waiting = new Map<
    number,
    { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void }
  >();
  let last = 0;
  let gone: Error | undefined;
  const fail = (error: Error) => {
    gone ??= error; // why it ended, not that it did
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  worker.on("error", (error) =>
    fail(
      new UserError("store.worker", `the store's ${role} ended: ${messageOf(error)}`, {
        cause: error,
      }),
    ),
  );
  worker.on("exit", () => fail(new UserError("store.closed", "the store is closed")));
  worker.on("message", ({ number, value, error }: Answer) => {
    const caller = waiting.get(number);
    waiting.delete(number);
    if (error) caller?.reject(new UserError(error.code ?? "store.failed", error.message));
    else caller?.resolve(value as never);
  });
  const call: Caller<Calls>["call"] = (name, ...args) =>
    new Promise((resolve, reject) => {
      if (gone) {
        reject(gone);
        return;
      }
      const number = ++last;
      waiting.set(number, { resolve, reject });
      worker.postMessage({ number, call: name, args } satisfies Request);
    });
  const close = async () => {
    if (gone) return;
    await call("close" as never, ...([] as never));
    await worker.terminate();
  };
  return { call, close };
}

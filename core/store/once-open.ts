// once-open.ts — a store whose cluster may not be there at the start: every call waits until it was opened.
import { UserError } from "../errors.ts";
import type { Store } from "./store.ts";

/** `opened` resolves with true once the store is open, with undefined when nobody waits for it any longer. */
export function storeOnceOpen(store: Store, opened: Promise<true | undefined>): Store {
  const ready = async (): Promise<void> => {
    if ((await opened) === undefined)
      throw new UserError(
        "store.not-open",
        "the store was not reached before the process was stopped",
      );
  };
  const after =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await ready();
      return call(...args);
    };
  return {
    kind: store.kind,
    open: ready,
    putEvents: after((events) => store.putEvents(events)),
    searchEvents: after((search) => store.searchEvents(search)),
    getEvents: after((ids) => store.getEvents(ids)),
    countEvents: after((query) => store.countEvents(query)),
    putDocuments: after((collection, documents) => store.putDocuments(collection, documents)),
    replaceDocument: after((collection, document, expected) =>
      store.replaceDocument(collection, document, expected),
    ),
    getDocument: after((collection, id) => store.getDocument(collection, id)),
    removeDocument: after((collection, id) => store.removeDocument(collection, id)),
    searchDocuments: after((collection, search) => store.searchDocuments(collection, search)),
    supersededBy: after((ids) => store.supersededBy(ids)),
    refresh: after(() => store.refresh()),
    expire: after((beforeMs) => store.expire(beforeMs)),
    check: () => store.check(),
    close: () => store.close(),
  };
}

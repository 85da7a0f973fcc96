// memory-store.ts — a store in memory that fails as real ones do: refused, kept in part, kept although it was refused.
import type { Collection, Document, KeptEvent, Store } from "../../core/store/store.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

const REFUSED = "the store did not answer";

export class MemoryStore {
  readonly events = new Map<string, string>(); // as JSON, by id
  readonly world: World;
  readonly #documents = new Map<Collection, Map<string, Document>>();

  constructor(world: World) {
    this.world = world;
  }

  documents(collection: Collection): ReadonlyMap<string, Document> {
    return this.#of(collection);
  }

  connect(process: Process): Store {
    const notSimulated = async (): Promise<never> => {
      throw new Error("the simulated store does not search");
    };
    return {
      kind: "embedded",
      open: async () => {},
      putEvents: (events) => this.#put(process, events, (one) => this.#keepEvent(one)),
      putDocuments: (collection, documents) =>
        this.#put(process, documents, (one) => this.#keep(collection, one)),
      searchEvents: notSimulated,
      getEvents: notSimulated,
      countEvents: notSimulated,
      replaceDocument: notSimulated,
      getDocument: notSimulated,
      removeDocument: notSimulated,
      searchDocuments: notSimulated,
      supersededBy: notSimulated,
      refresh: async () => {},
      expire: async () => [],
      check: async () => {},
      close: async () => {},
    };
  }

  async #put<T>(process: Process, all: readonly T[], keep: (one: T) => void): Promise<void> {
    const { world } = this;
    await process.step(`put ${all.length}`);
    if (world.nowMs < world.storeAwayUntilMs || world.comes("store refuses"))
      throw new Error(REFUSED);
    if (world.comes("store keeps part")) {
      for (const one of world.chance.some(all, world.chance.int(0, all.length))) keep(one);
      throw new Error(REFUSED);
    }
    for (const one of all) keep(one);
    if (world.comes("store keeps, says no")) throw new Error(REFUSED);
    await process.step("put");
  }

  #keepEvent({ event, text }: KeptEvent): void {
    const { id } = event.event;
    if (!this.events.has(id)) this.events.set(id, text);
  }

  #keep(collection: Collection, document: Document): void {
    const documents = this.#of(collection);
    if ((documents.get(document.id)?.revision ?? 0) < document.revision)
      documents.set(document.id, document);
  }

  #of(collection: Collection): Map<string, Document> {
    const known = this.#documents.get(collection) ?? new Map<string, Document>();
    this.#documents.set(collection, known);
    return known;
  }
}

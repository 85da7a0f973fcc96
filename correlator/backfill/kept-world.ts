// kept-world.ts — what backfilling needs of the world: kept events and findings, the way for new ones, a note of what is done.
import type { Bus } from "../../core/bus/bus.ts";
import type { EcsEvent } from "../../core/event.ts";
import { type Finding, TOPIC } from "../../core/records.ts";
import { parseQuery } from "../../core/store/query-parser.ts";
import type { Document, Store } from "../../core/store/store.ts";

export const PAGE_MAX = 500;

export type Page<T> = { readonly items: readonly T[]; readonly cursor?: string };
export type EventsWish = {
  readonly q: string;
  readonly order: "newest" | "oldest";
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly limit?: number; // PAGE_MAX unless told
};
export type KeptWorld = {
  readonly events: (wish: EventsWish, cursor: string | undefined) => Promise<Page<EcsEvent>>;
  /** The one that ended last comes first. */
  readonly findings: (cursor: string | undefined) => Promise<Page<Finding>>;
  /** Findings take the way of all findings: to the store, to incidents. Resolves when they are durable. */
  readonly publish: (findings: readonly Finding[]) => Promise<void>;
  readonly checkpoint: () => Promise<Document | undefined>;
  /** False where another one wrote it meanwhile. */
  readonly note: (checkpoint: Document, expected: number) => Promise<boolean>;
};

export const CHECKPOINT = "late-events";

export function worldOf(store: Store, bus: Pick<Bus, "produce">): KeptWorld {
  return {
    events: ({ q, limit = PAGE_MAX, ...wish }, cursor) =>
      store.searchEvents({ ...wish, limit, query: queryOf(q), ...(cursor && { cursor }) }),
    findings: async (cursor) => {
      const search = { query: queryOf(""), limit: PAGE_MAX, sort: "lastMs" };
      const page = await store.searchDocuments("findings", {
        ...search,
        ...(cursor && { cursor }),
      });
      return { ...page, items: page.items.map(({ body }) => body as unknown as Finding) };
    },
    publish: (findings) =>
      bus.produce(
        findings.map((value) => ({ topic: TOPIC.findings, key: value.fingerprint, value })),
      ),
    checkpoint: () => store.getDocument("checkpoints", CHECKPOINT),
    note: (checkpoint, expected) => store.replaceDocument("checkpoints", checkpoint, expected),
  };
}

function queryOf(text: string) {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw parsed.error;
  return parsed.query;
}

/** Everything, page by page. A page may be empty and still not the last. */
export async function* allOf<T>(
  read: (cursor: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

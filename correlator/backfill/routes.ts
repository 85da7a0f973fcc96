// routes.ts — the way for a backfill that another process on this machine makes: over the socket in the data folder only.
import type { FastifyInstance } from "fastify";
import { isLocal } from "../../core/http.ts";
import type { Finding } from "../../core/records.ts";
import type { Document } from "../../core/store/store.ts";
import type { KeptWorld } from "./kept-world.ts";

const BODY_BYTES_MAX = 16 * 1024 * 1024;
const EVENTS_PAGE_MAX = 200; // an event has up to a megabyte, and whoever asks takes 256 of an answer
const FINDINGS_PATH = "/backfill/findings";
const CHECKPOINT_PATH = "/backfill/checkpoint";

export function addBackfillRoutes(
  http: FastifyInstance,
  world: Pick<KeptWorld, "publish" | "checkpoint" | "note">,
): void {
  const options = { bodyLimit: BODY_BYTES_MAX, schema: { hide: true } as object };
  http.post<{ Body: { readonly findings: readonly Finding[] } }>(
    FINDINGS_PATH,
    options,
    async (request, reply) => {
      if (!isLocal(request)) return reply.callNotFound();
      await world.publish(request.body.findings);
      return {};
    },
  );
  http.get(CHECKPOINT_PATH, options, async (request, reply) => {
    if (!isLocal(request)) return reply.callNotFound();
    return { checkpoint: (await world.checkpoint()) ?? null };
  });
  http.post<{ Body: { readonly checkpoint: Document; readonly expected: number } }>(
    CHECKPOINT_PATH,
    options,
    async (request, reply) => {
      if (!isLocal(request)) return reply.callNotFound();
      const { checkpoint, expected } = request.body;
      return { done: await world.note(checkpoint, expected) };
    },
  );
}

type Ask = (call: {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
}) => Promise<Readonly<Record<string, unknown>>>;

/** The same world, seen from the other process. */
export function distantWorld(ask: Ask): KeptWorld {
  const pageOf = <T>(answer: Readonly<Record<string, unknown>>) =>
    answer as { readonly items: readonly T[]; readonly cursor?: string };
  return {
    events: async ({ q, order, fromMs, toMs, limit = EVENTS_PAGE_MAX }, cursor) => {
      const query = new URLSearchParams({ q, order, limit: String(limit) });
      if (fromMs !== undefined) query.set("from", String(fromMs));
      if (toMs !== undefined) query.set("to", String(toMs));
      if (cursor !== undefined) query.set("cursor", cursor);
      return pageOf(await ask({ path: `/api/events?${query}` }));
    },
    findings: async (cursor) => {
      const query = new URLSearchParams({ limit: "500", ...(cursor && { cursor }) });
      return pageOf(await ask({ path: `/api/findings?${query}` }));
    },
    publish: async (findings) => {
      await ask({ method: "POST", path: FINDINGS_PATH, body: { findings } });
    },
    checkpoint: async () => {
      const { checkpoint } = await ask({ path: CHECKPOINT_PATH });
      return checkpoint === null ? undefined : (checkpoint as Document);
    },
    note: async (checkpoint, expected) => {
      const body = { checkpoint, expected };
      const { done } = await ask({ method: "POST", path: CHECKPOINT_PATH, body });
      return done === true;
    },
  };
}

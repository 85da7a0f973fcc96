// stored-events.ts — the kept events page by page: from the process that runs with the data folder, or from the store itself.
import type { Config } from "../core/config-schema.ts";
import { UserError } from "../core/errors.ts";
import type { EcsEvent } from "../core/event.ts";
import { parseQuery } from "../core/store/query-parser.ts";
import { writtenTimeMs } from "../core/written-times.ts";
import { askLocalOk, withStore } from "./local.ts";
import { EXIT, type Option, stringOf, type Values } from "./verb.ts";

export const PAGE_MAX = 200;

export const TIME_OPTIONS = {
  from: { type: "string", value: "TIME", text: "no event before: 2026-11-23T04:05:06Z" },
  to: { type: "string", value: "TIME", text: "no event after" },
} satisfies Readonly<Record<string, Option>>;

export type Wish = {
  readonly q: string;
  readonly order: "newest" | "oldest";
  readonly fromMs?: number;
  readonly toMs?: number;
};
/** A page may be short, even empty, and still have a cursor: the search goes on from there. */
export type Page = { readonly items: readonly EcsEvent[]; readonly cursor?: string };
export type ReadPage = (limit: number, cursor: string | undefined) => Promise<Page>;

/** The first page that is read has at most `firstLimit` events. */
export async function withPages(
  config: Config,
  { wish, firstLimit }: { readonly wish: Wish; readonly firstLimit: number },
  use: (readPage: ReadPage) => Promise<void>,
): Promise<void> {
  const ask: (...args: Parameters<ReadPage>) => Promise<Page | undefined> = (limit, cursor) =>
    askPage(config, wish, { limit, cursor });
  const first = await ask(firstLimit, undefined);
  if (first !== undefined) {
    await use(async (limit, cursor) =>
      cursor === undefined ? first : ((await ask(limit, cursor)) ?? { items: [] }),
    );
    return;
  }
  const parsed = parseQuery(wish.q);
  if (!parsed.ok) throw parsed.error;
  const { order, fromMs, toMs } = wish;
  await withStore(config, (store) =>
    use((limit, cursor) =>
      store.searchEvents({
        ...{ query: parsed.query, limit, order },
        ...(fromMs === undefined ? {} : { fromMs }),
        ...(toMs === undefined ? {} : { toMs }),
        ...(cursor === undefined ? {} : { cursor }),
      }),
    ),
  );
}

async function askPage(
  config: Config,
  wish: Wish,
  { limit, cursor }: { readonly limit: number; readonly cursor: string | undefined },
): Promise<Page | undefined> {
  const query = new URLSearchParams({ q: wish.q, limit: String(limit), order: wish.order });
  if (wish.fromMs !== undefined) query.set("from", String(wish.fromMs));
  if (wish.toMs !== undefined) query.set("to", String(wish.toMs));
  if (cursor !== undefined) query.set("cursor", cursor);
  return (await askLocalOk(config.data, { path: `/api/events?${query}` })) as Page | undefined;
}

/** `--from` and `--to`, where they are given. */
export function timesOf(values: Values): Pick<Wish, "fromMs" | "toMs"> {
  const fromMs = timeOf(values, "from");
  const toMs = timeOf(values, "to");
  if (fromMs !== undefined && toMs !== undefined && toMs < fromMs)
    throw new UserError(
      "cli.usage",
      `--to is "${stringOf(values, "to")}", which is before --from "${stringOf(values, "from")}"; name a later time`,
      { exitCode: EXIT.usage },
    );
  return {
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
  };
}

function timeOf(values: Values, name: string): number | undefined {
  const text = stringOf(values, name);
  if (text === undefined) return undefined;
  const ms = writtenTimeMs(text);
  if (ms !== undefined) return ms;
  throw new UserError(
    "cli.usage",
    `--${name} is "${text}", which is no time; write 2026-11-23T04:05:06Z`,
    { exitCode: EXIT.usage },
  );
}

/** `--limit` */
export function limitOf(
  values: Values,
  { unlessTold, max }: { readonly unlessTold: number; readonly max: number },
): number {
  const text = stringOf(values, "limit") ?? String(unlessTold);
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= max) return limit;
  throw new UserError("cli.usage", `--limit is "${text}", allowed is a number from 1 to ${max}`, {
    exitCode: EXIT.usage,
  });
}

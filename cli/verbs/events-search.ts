// events-search.ts — the verb that searches the kept events.

import type { Config } from "../../core/config-schema.ts";
import { UserError } from "../../core/errors.ts";
import { type EcsEvent, fieldOf } from "../../core/event.ts";
import type { Query } from "../../core/store/query.ts";
import { parseQuery } from "../../core/store/query-parser.ts";
import { CONFIG_OPTIONS, configOf } from "../common.ts";
import { askLocalOk, withStore } from "../local.ts";
import { table } from "../table.ts";
import { type Call, EXIT, flagOf, stringOf, type Values, type Verb } from "../verb.ts";

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1_000_000;
const PAGE_MAX = 200;

export const eventsSearch: Verb = {
  name: "events search",
  summary: "search the kept events",
  usage: "[options] [QUERY]",
  text: "QUERY is as on the page: words, field:value, ranges, AND, OR, NOT. It asks the process that runs with this data folder, or opens the store itself.",
  positionals: { min: 0, max: 1 },
  options: {
    ...CONFIG_OPTIONS,
    from: { type: "string", value: "TIME", text: "no event before: 2026-11-23T04:05:06Z" },
    to: { type: "string", value: "TIME", text: "no event after" },
    limit: { type: "string", value: "N", text: `how many at most; ${LIMIT_DEFAULT} unless told` },
    oldest: { type: "boolean", text: "the oldest first" },
    json: { type: "boolean", text: "print each event as a line of JSON" },
  },
  examples: [
    {
      line: "wache events search 'event.outcome:failure AND source.ip:10.0.0.0/8'",
      does: "a table",
    },
    {
      line: "wache events search --json --limit 100000 sudo | jq .message",
      does: "lines of JSON for a script",
    },
  ],
  exits: { 1: "the query is refused" },
  run: search,
};

type Wish = {
  readonly q: string;
  readonly limit: number;
  readonly order: "newest" | "oldest";
  readonly fromMs?: number;
  readonly toMs?: number;
};
type Page = { readonly items: readonly EcsEvent[]; readonly cursor?: string };
type ReadPage = (limit: number, cursor: string | undefined) => Promise<Page>;

async function search(call: Call): Promise<number> {
  const config = configOf(call.values);
  const wish = wishOf(call.values, call.positionals[0] ?? "");
  const first = await askPage(config, wish, Math.min(wish.limit, PAGE_MAX), undefined);
  if (first !== undefined)
    await printAll(call, wish, async (limit, cursor) =>
      cursor === undefined
        ? first
        : ((await askPage(config, wish, limit, cursor)) ?? { items: [] }),
    );
  else {
    const query = queryOf(wish.q);
    await withStore(config, (store) =>
      printAll(call, wish, (limit, cursor) =>
        store.searchEvents({
          query,
          limit,
          order: wish.order,
          ...(wish.fromMs === undefined ? {} : { fromMs: wish.fromMs }),
          ...(wish.toMs === undefined ? {} : { toMs: wish.toMs }),
          ...(cursor === undefined ? {} : { cursor }),
        }),
      ),
    );
  }
  return EXIT.ok;
}

function queryOf(text: string): Query {
  const parsed = parseQuery(text);
  if (parsed.ok) return parsed.query;
  throw parsed.error;
}

/** A page may be short, even empty, and still have a cursor: the search goes on from there. */
async function printAll(call: Call, wish: Wish, readPage: ReadPage): Promise<void> {
  const json = flagOf(call.values, "json");
  const rows: EcsEvent[] = [];
  let left = wish.limit;
  let cursor: string | undefined;
  do {
    const page = await readPage(Math.min(left, PAGE_MAX), cursor);
    for (const event of page.items)
      if (json) call.out(JSON.stringify(event));
      else rows.push(event);
    left -= page.items.length;
    cursor = page.cursor;
  } while (left > 0 && cursor !== undefined);
  if (json) return;
  for (const line of table(["TIME", "HOST", "EVENT", "MESSAGE"], rows.map(rowOf))) call.out(line);
  if (rows.length === 0) call.err("no event was found");
  else if (cursor !== undefined) call.err(`the first ${rows.length}; --limit N shows more`);
}

const MESSAGE_LETTERS_MAX = 200;
const rowOf = (event: EcsEvent): string[] => [
  event["@timestamp"],
  textOf(event, "host.name") || (event.wache.source ?? ""),
  textOf(event, "event.action"),
  (event.message ?? "").slice(0, MESSAGE_LETTERS_MAX),
];

function textOf(event: EcsEvent, field: string): string {
  const value = fieldOf(event, field);
  return typeof value === "string" ? value : "";
}

async function askPage(
  config: Config,
  wish: Wish,
  limit: number,
  cursor: string | undefined,
): Promise<Page | undefined> {
  const query = new URLSearchParams({ q: wish.q, limit: String(limit), order: wish.order });
  if (wish.fromMs !== undefined) query.set("from", String(wish.fromMs));
  if (wish.toMs !== undefined) query.set("to", String(wish.toMs));
  if (cursor !== undefined) query.set("cursor", cursor);
  return (await askLocalOk(config.data, { path: `/api/events?${query}` })) as Page | undefined;
}

function wishOf(values: Values, q: string): Wish {
  const from = timeOf(values, "from");
  const to = timeOf(values, "to");
  const limit = Number(stringOf(values, "limit") ?? LIMIT_DEFAULT);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
    throw new UserError("cli.usage", `--limit: allowed is a number from 1 to ${LIMIT_MAX}`, {
      exitCode: EXIT.usage,
    });
  return {
    q,
    limit,
    order: flagOf(values, "oldest") ? "oldest" : "newest",
    ...(from === undefined ? {} : { fromMs: from }),
    ...(to === undefined ? {} : { toMs: to }),
  };
}

function timeOf(values: Values, name: string): number | undefined {
  const text = stringOf(values, name);
  if (text === undefined) return undefined;
  const zoned = /^[0-9-]{10}[T ][0-9:.]+$/.test(text) ? `${text}Z` : text;
  const ms = /^[0-9]+$/.test(text) ? Number(text) : Date.parse(zoned);
  if (Number.isFinite(ms)) return ms;
  throw new UserError(
    "cli.usage",
    `--${name} is "${text}", which is no time; write 2026-11-23T04:05:06Z`,
    {
      exitCode: EXIT.usage,
    },
  );
}

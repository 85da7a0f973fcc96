// events-search.ts — the verb that searches the kept events.

import { type EcsEvent, fieldOf } from "../../core/event.ts";
import { CONFIG_OPTIONS, configOf } from "../common.ts";
import {
  limitOf,
  PAGE_MAX,
  type ReadPage,
  TIME_OPTIONS,
  timesOf,
  type Wish as Wanted,
  withPages,
} from "../stored-events.ts";
import { table } from "../table.ts";
import { type Call, EXIT, flagOf, type Values, type Verb } from "../verb.ts";

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1_000_000;

export const eventsSearch: Verb = {
  name: "events search",
  summary: "search the kept events",
  usage: "[options] [QUERY]",
  text: "QUERY is as on the page: words, field:value, ranges, AND, OR, NOT. It asks the process that runs with this data folder, or opens the store itself.",
  positionals: { min: 0, max: 1 },
  options: {
    ...CONFIG_OPTIONS,
    ...TIME_OPTIONS,
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

type Wish = Wanted & { readonly limit: number };

async function search(call: Call): Promise<number> {
  const wish = wishOf(call.values, call.positionals[0] ?? "");
  const firstLimit = Math.min(wish.limit, PAGE_MAX);
  await withPages(configOf(call.values), { wish, firstLimit }, (readPage) =>
    printAll(call, wish, readPage),
  );
  return EXIT.ok;
}

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

function wishOf(values: Values, q: string): Wish {
  return {
    q,
    limit: limitOf(values, { unlessTold: LIMIT_DEFAULT, max: LIMIT_MAX }),
    order: flagOf(values, "oldest") ? "oldest" : "newest",
    ...timesOf(values),
  };
}

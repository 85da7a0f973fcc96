// dead-letter-list.ts — the verb that shows what could not be parsed or processed.
import { isoOf } from "../../core/event.ts";
import type { DeadLetter } from "../../core/records.ts";
import { CONFIG_OPTIONS, configOf } from "../common.ts";
import { type DeadLetterWorld, withDeadLetters } from "../dead-letter-world.ts";
import { limitOf, timesOf } from "../stored-events.ts";
import { table } from "../table.ts";
import { type Call, EXIT, flagOf, stringOf, type Verb } from "../verb.ts";

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1_000_000;
const PAGE_MAX = 500;
const REASON_LETTERS_MAX = 200;

export const deadLetterList: Verb = {
  name: "dead-letter list",
  summary: "show what could not be parsed or processed, and why",
  usage: "[options]",
  text: "Newest first. With --json each is whole, with the line or the record as `raw`. In embedded mode it asks the process that runs with this data folder, or opens the folder itself.",
  positionals: { min: 0, max: 0 },
  options: {
    ...CONFIG_OPTIONS,
    from: { type: "string", value: "TIME", text: "none given up before: 2026-11-23T04:05:06Z" },
    to: { type: "string", value: "TIME", text: "none given up after" },
    code: { type: "string", value: "CODE", text: "only those of this code, as in json.too-deep" },
    limit: { type: "string", value: "N", text: `how many at most; ${LIMIT_DEFAULT} unless told` },
    json: { type: "boolean", text: "print each dead letter as a line of JSON" },
  },
  examples: [
    { line: "wache dead-letter list", does: "a table of the newest" },
    {
      line: "wache dead-letter list --json --code parse.failed --limit 1000 | jq -r .raw",
      does: "the lines themselves",
    },
  ],
  run: async (call) => {
    const limit = limitOf(call.values, { unlessTold: LIMIT_DEFAULT, max: LIMIT_MAX });
    await withDeadLetters(configOf(call.values), (world) => printAll(call, world, limit));
    return EXIT.ok;
  },
};

async function printAll(call: Call, world: DeadLetterWorld, limit: number): Promise<void> {
  const { values, out, err, drained } = call;
  const wish = { ...timesOf(values), code: stringOf(values, "code") };
  const rows: string[][] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await world.list({
      ...wish,
      ...{ limit: Math.min(limit - seen.size, PAGE_MAX), cursor },
    });
    for (const letter of page.items) {
      if (seen.has(letter.id)) continue;
      seen.add(letter.id);
      if (flagOf(values, "json")) out(JSON.stringify(letter));
      else rows.push(rowOf(letter));
    }
    await drained?.();
    cursor = page.cursor;
  } while (cursor !== undefined && seen.size < limit);
  if (flagOf(values, "json")) return;
  for (const line of table(["TIME", "CODE", "SOURCE", "REASON", "ID"], rows)) out(line);
  if (rows.length === 0) err("no dead letter was found");
  else if (cursor !== undefined) err(`the newest ${rows.length}; --limit N shows more`);
}

const rowOf = ({ atMs, code, source, reason, id }: DeadLetter): string[] => [
  ...[isoOf(atMs), code, source],
  reason.slice(0, REASON_LETTERS_MAX),
  id,
];

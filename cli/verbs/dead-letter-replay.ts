// dead-letter-replay.ts — the verb that gives dead letters another try.
import { REPLAY_IDS_MAX, type Replay } from "../../core/dead-letter-replay.ts";
import type { LettersWish } from "../../core/dead-letters.ts";
import { UserError } from "../../core/errors.ts";
import type { DeadLetter } from "../../core/records.ts";
import { CONFIG_OPTIONS, configOf } from "../common.ts";
import { type DeadLetterWorld, withDeadLetters } from "../dead-letter-world.ts";
import { timesOf } from "../stored-events.ts";
import { counted, printable } from "../table.ts";
import { type Call, EXIT, flagOf, stringOf, type Verb } from "../verb.ts";

export const deadLetterReplay: Verb = {
  name: "dead-letter replay",
  summary: "give dead letters another try, once their fault is mended",
  usage: "ID…, or --code CODE --yes [--from TIME] [--to TIME]",
  text: "A record that a stage could not process goes back to where it came from. A line that a collector could not parse goes to the parsers again, as they are now, of the collector that runs with this data folder; its event has the time of the line, and is late where that is longer ago than time.lateness: kept, and correlated by wache backfill --late. Running it again is safe: an event counts once, however often it is replayed. Messages, states and ticks are not replayed; it says so of each. A dead letter stays in the list until the bus removes it. An id that begins with a dash stands behind `--`.",
  positionals: { min: 0, max: REPLAY_IDS_MAX },
  options: {
    ...CONFIG_OPTIONS,
    code: { type: "string", value: "CODE", text: "all of this code, as in processor.failed" },
    from: { type: "string", value: "TIME", text: "none given up before: 2026-11-23T04:05:06Z" },
    to: { type: "string", value: "TIME", text: "none given up after" },
    yes: { type: "boolean", text: "with --code: replay them; without it they are only counted" },
    json: { type: "boolean", text: "print what became of each as a line of JSON" },
  },
  examples: [
    {
      line: "wache dead-letter replay 2uCYQ2xQWkpjbq9zXq8ZV5nG0cA",
      does: "one of wache dead-letter list",
    },
    {
      line: "wache dead-letter replay --code processor.failed --from 2026-11-23 --yes",
      does: "all that a stage failed on since that day",
    },
  ],
  exits: { 1: "one of them was not replayed" },
  run: async (call) => {
    const wish = wishOf(call);
    return withDeadLetters(configOf(call.values), (world) => replayAll(call, world, wish));
  },
};

type Wish = Omit<LettersWish, "limit" | "cursor">;

function wishOf({ values, positionals }: Pick<Call, "values" | "positionals">): Wish {
  const code = stringOf(values, "code");
  const times = timesOf(values);
  if (code !== undefined && positionals.length === 0) return { ...times, code };
  if (code === undefined && positionals.length > 0 && Object.keys(times).length === 0)
    return { ids: new Set(positionals) };
  throw new UserError(
    "cli.usage",
    "name either ids, as wache dead-letter list shows them, or --code CODE, which --from and --to may narrow",
    { exitCode: EXIT.usage },
  );
}

async function replayAll(call: Call, world: DeadLetterWorld, wish: Wish): Promise<number> {
  const { values, err } = call;
  if (wish.ids === undefined && !flagOf(values, "yes")) {
    let count = 0;
    for await (const _ of lettersOf(world, wish)) count += 1;
    err(`${counted(count, "dead letter")} would be replayed; --yes replays them`);
    return EXIT.ok;
  }
  const outcomes = await outcomesOf(world, wish);
  for (const outcome of outcomes) tell(call, outcome);
  const replayed = outcomes.filter((one) => one.replayed).length;
  err(`${counted(replayed, "dead letter")} replayed, ${outcomes.length - replayed} not`);
  return replayed === outcomes.length ? EXIT.ok : EXIT.failed;
}

/** Lines page by page; records at the end, the oldest first, since one may build on the other. */
async function outcomesOf(world: DeadLetterWorld, wish: Wish): Promise<Replay[]> {
  const outcomes: Replay[] = [];
  const records: { readonly id: string; readonly atMs: number }[] = [];
  const missing = new Set(wish.ids);
  let lines: DeadLetter[] = [];
  const parse = async () => {
    outcomes.push(...(await world.parse(lines)));
    lines = [];
  };
  for await (const letter of lettersOf(world, wish)) {
    missing.delete(letter.id);
    if (letter.from !== undefined) records.push({ id: letter.id, atMs: letter.atMs });
    else lines.push(letter);
    if (lines.length >= REPLAY_IDS_MAX) await parse();
  }
  await parse();
  records.sort((a, b) => a.atMs - b.atMs);
  const ids = [...records.map(({ id }) => id), ...missing];
  for (let at = 0; at < ids.length; at += REPLAY_IDS_MAX)
    outcomes.push(...(await world.replay(ids.slice(at, at + REPLAY_IDS_MAX))));
  return outcomes;
}

async function* lettersOf(world: DeadLetterWorld, wish: Wish): AsyncGenerator<DeadLetter> {
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await world.list({ ...wish, limit: REPLAY_IDS_MAX, cursor });
    for (const letter of page.items) {
      if (seen.has(letter.id)) continue;
      seen.add(letter.id);
      yield letter;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}

function tell({ values, out }: Call, outcome: Replay): void {
  const { id, replayed, reason } = outcome;
  if (flagOf(values, "json")) out(JSON.stringify(outcome));
  else out(printable(replayed ? `${id}  replayed` : `${id}  not replayed: ${reason ?? ""}`));
}

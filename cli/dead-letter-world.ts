// dead-letter-world.ts — the dead letters, and the ways back for them: through the process that runs with the data folder,
// or, where there is none or Kafka has them, directly.

import type { Config } from "../core/config-schema.ts";
import { type Replay, replayLetters } from "../core/dead-letter-replay.ts";
import { type LettersPage, type LettersWish, readDeadLetters } from "../core/dead-letters.ts";
import type { DeadLetter } from "../core/records.ts";
import { askLocal, askLocalOk, type LocalCall, nothingRuns, okBodyOf, withBus } from "./local.ts";

export type DeadLetterWorld = {
  readonly list: (wish: LettersWish) => Promise<LettersPage>;
  /** Records go back to their topics. */
  readonly replay: (ids: readonly string[]) => Promise<readonly Replay[]>;
  /** Lines go to the parsers again: of a collector that runs with the data folder, which alone knows its clock. */
  readonly parse: (letters: readonly DeadLetter[]) => Promise<readonly Replay[]>;
};

export async function withDeadLetters<T>(
  config: Config,
  use: (world: DeadLetterWorld) => Promise<T>,
): Promise<T> {
  const parse = (letters: readonly DeadLetter[]) => parsed(config.data, letters);
  if (config.bus.kind === "embedded" && (await askLocal(config.data, ALIVE)) !== undefined)
    return use({ ...distant(config.data), parse });
  return withBus(config, (bus) =>
    use({
      list: (wish) => readDeadLetters(bus, wish),
      replay: (ids) => replayLetters(bus, ids),
      parse,
    }),
  );
}

const ALIVE: LocalCall = { path: "/healthz" };

const LETTERS_A_CALL = 16; // each has up to 131,072 characters, and 6 bytes for one at the most

async function parsed(data: string, letters: readonly DeadLetter[]): Promise<Replay[]> {
  const items: Replay[] = [];
  for (let at = 0; at < letters.length; at += LETTERS_A_CALL) {
    const some = letters.slice(at, at + LETTERS_A_CALL);
    const call = {
      method: "POST",
      path: "/collect/dead-letters",
      body: { letters: some },
    } as const;
    const answer = await askLocal(data, call);
    if (answer === undefined || answer.status === 404)
      items.push(...some.map(({ id }) => ({ id, replayed: false, reason: noCollector(data) })));
    else items.push(...(okBodyOf(answer).items as readonly Replay[]));
  }
  return items;
}

const noCollector = (data: string): string =>
  `it is a line that a collector could not parse, and none runs with ${data}: start it, or name another folder with --data`;

function distant(data: string): Omit<DeadLetterWorld, "parse"> {
  const ask = async (call: LocalCall) => (await askLocalOk(data, call)) ?? nothingRuns(data);
  return {
    list: async (wish) =>
      (await ask({ path: `/api/dead-letters?${queryOf(wish)}` })) as unknown as LettersPage,
    replay: async (ids) => {
      const call = { method: "POST", path: "/api/dead-letters/replay", body: { ids } } as const;
      return (await ask(call)).items as readonly Replay[];
    },
  };
}

function queryOf({ limit, fromMs, toMs, code, ids, cursor }: LettersWish): URLSearchParams {
  const given = { limit, from: fromMs, to: toMs, code, cursor, ids: ids && [...ids].join(",") };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given))
    if (value !== undefined) query.set(name, String(value));
  return query;
}

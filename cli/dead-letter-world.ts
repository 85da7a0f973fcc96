// dead-letter-world.ts — the dead letters, and the ways back for them: through the process that runs with the data folder,
// or, where there is none or Kafka has them, directly.

import type { Config } from "../core/config-schema.ts";
import { type Replay, replayLetters } from "../core/dead-letter-replay.ts";
import { type LettersPage, type LettersWish, readDeadLetters } from "../core/dead-letters.ts";
import { askLocal, askLocalOk, type LocalCall, nothingRuns, withBus } from "./local.ts";

export type DeadLetterWorld = {
  readonly list: (wish: LettersWish) => Promise<LettersPage>;
  /** Records go back to their topics. */
  readonly replay: (ids: readonly string[]) => Promise<readonly Replay[]>;
};

export async function withDeadLetters<T>(
  config: Config,
  use: (world: DeadLetterWorld) => Promise<T>,
): Promise<T> {
  if (config.bus.kind === "embedded" && (await askLocal(config.data, ALIVE)) !== undefined)
    return use(distant(config.data));
  return withBus(config, (bus) =>
    use({
      list: (wish) => readDeadLetters(bus, wish),
      replay: (ids) => replayLetters(bus, ids),
    }),
  );
}

const ALIVE: LocalCall = { path: "/healthz" };

function distant(data: string): DeadLetterWorld {
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

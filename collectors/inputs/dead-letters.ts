// dead-letters.ts — the way back for lines that could not be parsed: over the socket in the data folder only.
//
// In:    dead letters of a collector, this one or another.
// Out:   their events, durable when the answer is out; of each letter, whether it gave any and why not.
import type { Replay } from "../../core/dead-letter-replay.ts";
import { isLocal } from "../../core/http.ts";
import type { DeadLetter } from "../../core/records.ts";
import { parseAgain } from "../letters.ts";
import { count, type Input, type Intake } from "./intake.ts";

const PATH = "/collect/dead-letters";
const BODY_BYTES_MAX = 16 * 1024 * 1024;

type Body = { readonly letters: readonly DeadLetter[] };

export async function startDeadLetters(intake: Intake): Promise<Input> {
  const { http, log } = intake.context;
  http.post<{ Body: Body }>(
    PATH,
    {
      bodyLimit: BODY_BYTES_MAX,
      schema: { hide: true } as object,
      onRequest: async (request, reply) => {
        if (!isLocal(request)) reply.callNotFound();
      },
    },
    async ({ body }) => {
      const items = await replayed(intake, body.letters);
      const done = items.filter((item) => item.replayed).map(({ id }) => id);
      log.info(
        { by: "machine", replayed: done, refused: items.length - done.length },
        "dead letters were replayed",
      );
      return { items };
    },
  );
  return { stop: async () => {} };
}

async function replayed(intake: Intake, letters: readonly DeadLetter[]): Promise<Replay[]> {
  const items: Replay[] = [];
  for (const letter of letters) {
    await intake.outbox.room();
    let reason: string | undefined;
    await intake.outbox.submit((receiptMs) => {
      const parsed = parseAgain(letter, intake, receiptMs);
      if ("entries" in parsed) {
        count(intake, "dead-letter", parsed.tally);
        return parsed.entries;
      }
      reason = parsed.refused;
      return [];
    });
    const { id } = letter;
    items.push(reason === undefined ? { id, replayed: true } : { id, replayed: false, reason });
  }
  return items;
}

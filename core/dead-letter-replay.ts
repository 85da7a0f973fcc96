// dead-letter-replay.ts — puts records that a stage could not process where they came from, once their fault is mended.
//
// In:    ids of dead letters.
// Out:   the records again, to the topic and partition and with the key that they had, in their order; of each id, what became of it.
// Holds: safe to repeat: stages and the store know events, signals, findings and commands by their ids. What would undo
//        what came after it is refused: state, ticks, messages under way.
import type { Bus, OutRecord } from "./bus/bus.ts";
import { readDeadLetters } from "./dead-letters.ts";
import { isObject } from "./json.ts";
import { type DeadLetter, TOPIC } from "./records.ts";
import { isCompacted } from "./topics.ts";

export type Replay = {
  readonly id: string;
  readonly replayed: boolean;
  readonly reason?: string; // where it was not
};

/** At most: their records are in memory together, since they keep their order. */
export const REPLAY_IDS_MAX = 100;

export async function replayLetters(
  bus: Pick<Bus, "partitions" | "read" | "produce">,
  ids: readonly string[],
): Promise<Replay[]> {
  const found = new Map<string, Again>();
  const wish = { ids: new Set(ids), limit: REPLAY_IDS_MAX };
  let cursor: string | undefined;
  do {
    const page = await readDeadLetters(bus, { ...wish, cursor });
    for (const letter of page.items)
      if (!found.has(letter.id)) found.set(letter.id, recordOf(letter));
    cursor = page.cursor;
  } while (cursor !== undefined);
  const again = [...found.values()].filter((one) => "record" in one);
  again.sort((a, b) => a.offset - b.offset);
  await bus.produce(again.map(({ record }) => placed(record, bus)));
  return [...wish.ids].map((id) => {
    const one = found.get(id);
    if (one !== undefined && "record" in one) return { id, replayed: true };
    return { id, replayed: false, reason: one?.refused ?? UNKNOWN };
  });
}

type Again = { readonly record: OutRecord; readonly offset: number } | { readonly refused: string };

const UNKNOWN = "there is no such dead letter, or it is older than the bus keeps them";
const A_LINE =
  "it is a line that a collector could not parse: wache dead-letter replay, where a collector runs, gives it to the parsers again";
const A_MESSAGE =
  "messages are not sent again: the incident's timeline says who was not told; tell them, and look at the channel in wache doctor";

export function recordOf({ from, source, raw, encoding }: DeadLetter): Again {
  if (from === undefined) return { refused: A_LINE };
  const topic = Object.values(TOPIC).find((name) => name === from.topic);
  if (topic === undefined) return { refused: `${from.topic} is no topic of this version` };
  if (topic === TOPIC.notifications) return { refused: A_MESSAGE };
  if (isCompacted(topic) || topic === TOPIC.deadLetter)
    return { refused: `${topic} holds the latest state: an old record would undo a newer one` };
  const value = encoding === "utf8" ? jsonOf(raw) : undefined;
  if (value === undefined || value === null)
    return { refused: "the record's bytes are no JSON: no version can process them" };
  const kind = isObject(value) ? String(value.kind) : "";
  if (PASSING.has(kind))
    return { refused: `a ${kind} says what was so at its time: newer ones have come after it` };
  return {
    record: { topic, key: source, value, partition: from.partition },
    offset: from.offset,
  };
}

const PASSING: ReadonlySet<string> = new Set(["tick", "rule", "rules"]);

/** Where its state is; by the key where the topic has fewer partitions than it had. */
function placed(record: OutRecord, bus: Pick<Bus, "partitions">): OutRecord {
  const { partition = 0, ...anywhere } = record;
  return partition < bus.partitions(record.topic) ? record : anywhere;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

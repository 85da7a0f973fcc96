// letters.ts — parses a line again that no parser could read when it came: the version or the mappings may be better now.
//
// In:    a collector's dead letter, and what is true of this collector.
// Out:   the events of its line, or why it still gives none.
// Holds: their ids follow from the letter's, and their times from the line and from when it came: replayed again, it
//        is the same event. The clock that judges them is today's, so what windows have passed is late, and kept.
import { messageOf } from "../core/errors.ts";
import { IMPLAUSIBLE_AHEAD_MS, idOf, LIVE } from "../core/event.ts";
import { type DeadLetter, TOPIC } from "../core/records.ts";
import type { Intake } from "./inputs/intake.ts";
import { type Entry, newTally, type Origin, stampLine, type Tally } from "./stamp.ts";

export type ParsedAgain =
  | { readonly entries: readonly Entry[]; readonly tally: Tally }
  | { readonly refused: string };

export function parseAgain(
  letter: DeadLetter,
  intake: Pick<Intake, "feeder" | "zone" | "latenessMs" | "sourcesOf">,
  receiptMs: number,
): ParsedAgain {
  if (letter.from !== undefined) return { refused: "it is a record, no line of a collector" };
  if (letter.encoding !== "utf8") return { refused: "its bytes are no text" };
  const { atMs, source, raw, line } = letter;
  const { truncatedBytes, yearHintMs = atMs, timeMs = atMs, shiftMs, ...about } = line ?? {};
  const { feeder, zone, latenessMs, sourcesOf } = intake;
  const origin: Origin = {
    ...{ feeder, zone, latenessMs, sourcesOf, source, stream: LIVE },
    ...about,
  };
  const moment = {
    ...{ receiptMs: atMs, yearHintMs, timeMs },
    ...(shiftMs !== undefined && { shiftMs }),
    id: (repeat: number | undefined) => idOf("dead-letter", letter.id, repeat ?? ""),
    // What was ahead of its receipt is so for ever: it is kept apart.
    clock: (saidMs: number) => (saidMs > atMs + IMPLAUSIBLE_AHEAD_MS ? atMs : receiptMs),
  };
  const out = { entries: [] as Entry[], tally: newTally() };
  try {
    const text = { text: raw, ...(truncatedBytes !== undefined && { truncatedBytes }) };
    stampLine(text, origin, moment, out);
  } catch (error) {
    return { refused: messageOf(error) };
  }
  const again = out.entries.find(({ record }) => record.topic === TOPIC.deadLetter);
  if (again === undefined) return out.entries.length > 0 ? out : { refused: "it is empty" };
  const { code, reason } = again.record.value as DeadLetter;
  return { refused: `it still gives no event: ${code}: ${reason}` };
}

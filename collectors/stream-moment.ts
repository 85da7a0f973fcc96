// stream-moment.ts — what is true at a place of a stream, whether its lines were sent or are only tried.
//
// Holds: a place's ids follow from the stream's name; a line without a time has that of the line before it, the first
//        ones that of the file's last change.
import { idOf } from "../core/event.ts";
import type { Moment } from "./stamp.ts";

/** A stream as far as it was read. */
export type StreamSoFar = {
  readonly name: string;
  readonly receiptMs: number;
  readonly openedMs: number; // stands in for the file's last change where the years are concerned
  readonly yearHintMs: number | undefined; // the file's last change
  readonly lastTimeMs: number | undefined; // of the line before
  readonly shiftMs?: number | undefined;
};

export function momentAt(
  place: number,
  { name, receiptMs, openedMs, yearHintMs, lastTimeMs, shiftMs }: StreamSoFar,
  clock: Moment["clock"],
): Moment {
  const timeMs = lastTimeMs ?? yearHintMs;
  return {
    ...{ receiptMs, clock, yearHintMs: yearHintMs ?? openedMs },
    ...(timeMs !== undefined && { timeMs }),
    ...(shiftMs !== undefined && { shiftMs }),
    id: (repeat) => (repeat === undefined ? idOf(name, place) : idOf(name, place, repeat)),
  };
}

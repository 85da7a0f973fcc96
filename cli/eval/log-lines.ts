// log-lines.ts — the events that a log's lines become when the log is sent.
//
// In:    a log's bytes, in chunks of any size.
// Out:   the events of each line as `wache send` makes them, by id and content but for their clock and receipt; why a
//        line became none.
// Holds: a line without a time has that of the line before it, the first ones that of the file's last change.
import { LineSplitter } from "../../collectors/inputs/line-splitter.ts";
import { type Entry, type Line, newTally, type Origin, stampLine } from "../../collectors/stamp.ts";
import { momentAt } from "../../collectors/stream-moment.ts";
import type { EcsEvent } from "../../core/event.ts";
import type { DeadLetter, EventRecord } from "../../core/records.ts";

export type Log = Pick<Origin, "stream" | "zone" | "sourcesOf"> & {
  readonly changedMs: number; // the file's last change
  readonly nowMs: number;
  readonly lineBytesMax: number;
};
/** `number` counts lines from 0. */
export type OnLogLine = {
  readonly line: () => void;
  readonly event: (event: EcsEvent, number: number) => void;
  readonly refused: (reason: string, number: number) => void;
};

export async function eachLogLine(
  chunks: AsyncIterable<Uint8Array>,
  log: Log,
  on: OnLogLine,
  afterChunk: () => Promise<void>,
): Promise<void> {
  const { stream, zone, changedMs, nowMs, lineBytesMax } = log;
  const sourcesOf = log.sourcesOf === undefined ? {} : { sourcesOf: log.sourcesOf };
  const origin: Origin = {
    ...{ feeder: "eval", stream, source: "eval", zone, latenessMs: Number.POSITIVE_INFINITY },
    ...sourcesOf,
  };
  const splitter = new LineSplitter(lineBytesMax, 0);
  let number = 0;
  const file = { name: stream, receiptMs: nowMs, openedMs: nowMs, yearHintMs: changedMs };
  let lastTimeMs: number | undefined;
  const take = (line: Line): void => {
    const place = number++;
    const moment = momentAt(place, { ...file, lastTimeMs }, (timeMs) => {
      lastTimeMs = timeMs;
      return undefined;
    });
    const entries: Entry[] = [];
    stampLine(line, origin, moment, { entries, tally: newTally() });
    on.line();
    for (const { record } of entries) {
      const value = record.value as EventRecord | DeadLetter;
      if (value.kind === "event") on.event(value.event, place);
      else if (value.kind === "dead-letter") on.refused(value.reason, place);
    }
  };
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (const line of splitter.add(bytes)) take(line);
    await afterChunk();
  }
  const last = splitter.finish();
  if (last) take(last);
  await afterChunk();
}

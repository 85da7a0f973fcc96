// intake.ts — what every input is given: the way to the outbox, and what is true of this collector.
import type { Config } from "../../core/config-schema.ts";
import type { LogSourceReader } from "../../core/log-sources.ts";
import type { ServiceContext } from "../../core/service.ts";
import type { CollectorDb } from "../collector-db.ts";
import type { CollectorMetrics } from "../metrics.ts";
import type { Outbox } from "../outbox.ts";
import { type Entry, newTally, type Tally } from "../stamp.ts";
import type { Streams } from "../streams.ts";

export type Intake = {
  readonly context: ServiceContext;
  readonly config: Config["collectors"];
  readonly zone: string; // of times without one, where the source names none
  readonly latenessMs: number;
  readonly feeder: string;
  readonly sourcesOf: LogSourceReader; // by the mapping files
  readonly outbox: Outbox;
  readonly streams: Streams;
  readonly db: CollectorDb;
  readonly metrics: CollectorMetrics;
};

export type Input = { readonly stop: () => Promise<void> };

export const chunkEntriesMax = 1_000;

/** Lines of live inputs go to the outbox in chunks; resolves when all of them are durable. */
export async function submitLines<T>(
  intake: Intake,
  work: {
    readonly input: string;
    readonly lines: readonly T[];
    readonly tally?: Tally;
    readonly stamp: (
      line: T,
      index: number,
      receiptMs: number,
      out: { readonly entries: Entry[]; readonly tally: Tally },
    ) => void;
  },
): Promise<void> {
  const durable: Promise<void>[] = [];
  for (let index = 0; index < work.lines.length; ) {
    if (intake.outbox.isFull) await intake.outbox.room();
    const tally = newTally();
    durable.push(
      intake.outbox.submit((receiptMs) => {
        const entries: Entry[] = [];
        while (index < work.lines.length && entries.length < chunkEntriesMax) {
          work.stamp(work.lines[index] as T, index, receiptMs, { entries, tally });
          index++;
        }
        return entries;
      }),
    );
    count(intake, work.input, tally);
    if (work.tally !== undefined) {
      work.tally.events += tally.events;
      work.tally.late += tally.late;
      work.tally.dead += tally.dead;
      work.tally.implausible += tally.implausible;
    }
  }
  await Promise.all(durable);
}

export function count(intake: Intake, input: string, tally: Tally): void {
  if (tally.events > 0) intake.metrics.received(input, tally.events);
  if (tally.late > 0) intake.metrics.late(tally.late);
  if (tally.implausible > 0) intake.metrics.implausible(tally.implausible);
  if (tally.dead > 0) intake.metrics.deadLetters(tally.dead);
}

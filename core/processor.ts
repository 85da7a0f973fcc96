// processor.ts — the deterministic processor: state that follows from the records of one partition and from nothing else.
//
// `runProcessor` (runner.ts) gives it records, publishes what it puts out, snapshots its state and only then commits.
import type { BusRecord, OutRecord } from "./bus/bus.ts";

/** A piece of state as JSON text, of any size; a snapshot is a list of them, in an order of the processor's own. */
export type SnapshotPart = string;

export type Processor = {
  /** Adds what the record causes to `out`. No clock, no chance, no I/O; the same records give the same outputs. */
  process(record: BusRecord, out: OutRecord[]): void;
  snapshot(): Iterable<SnapshotPart>;
};

export type ProcessorSpec = {
  readonly name: string; // consumer group and snapshot key: `correlate`
  readonly version: number; // of the snapshot's format; another version is not loaded
  readonly topic: OutRecord["topic"];
  /** A fresh processor, or one restored from its snapshot's parts. */
  readonly make: (partition: number, parts: readonly SnapshotPart[] | undefined) => Processor;
  readonly snapshotEveryMs: number;
};

// stage-path.ts — the stages between a collector's line and the findings, in one process and without a bus.
//
// In:    what a collector hands to the bus.
// Out:   the unsuperseded findings, and the events as they were stamped.
import type { BusRecord, OutRecord } from "../core/bus/bus.ts";
import { partitionOf } from "../core/bus/partitioner.ts";
import { type EcsEvent, LIVE } from "../core/event.ts";
import { type EventRecord, type Finding, type Tick, TOPIC } from "../core/records.ts";
import { DetectProcessor } from "../correlator/detection.ts";
import { ruleSetOf } from "../correlator/fixtures/rule-set.ts";
import { indexedMatcher } from "../correlator/match/indexed.ts";
import { WindowsProcessor } from "../correlator/windows/processor.ts";

const BOUNDS = { matchesMax: 1000, valuesMax: 100_000, groupsMax: 1000, evidenceMax: 10 };

export class StagePath {
  readonly detect: readonly DetectProcessor[];
  readonly windows: readonly WindowsProcessor[];
  readonly events: EcsEvent[] = [];
  readonly #findings = new Map<string, Finding>();
  readonly #partitions: number;

  constructor(
    rules: string,
    options: { readonly partitions: number; readonly latenessMs: number },
  ) {
    const { partitions, latenessMs } = options;
    const set = ruleSetOf(rules);
    const active = { set, matcher: indexedMatcher(set) };
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    this.#partitions = partitions;
    this.detect = all.map(
      (partition) =>
        new DetectProcessor({
          ...{ partition, latenessMs, signalPartitions: partitions, rules: () => active },
        }),
    );
    this.windows = all.map(
      (partition) =>
        new WindowsProcessor({
          ...{ ...BOUNDS, partition, latenessMs },
          ...{ eventPartitions: partitions, signalPartitions: partitions },
        }),
    );
  }

  take(records: readonly OutRecord[]): void {
    for (const record of records) {
      const out: OutRecord[] = [];
      const partition = record.partition ?? partitionOf(record.key, this.#partitions);
      if (record.topic === TOPIC.events) {
        const value = record.value as EventRecord;
        if (value.kind === "event") this.events.push(value.event);
        this.detect[partition]?.process(asRead(record, partition), out);
      } else if (record.topic === TOPIC.signals)
        this.windows[partition]?.process(asRead(record, partition), out);
      else if (record.topic === TOPIC.findings) {
        const finding = record.value as Finding;
        if (finding.revision > (this.#findings.get(finding.id)?.revision ?? 0))
          this.#findings.set(finding.id, finding);
      }
      this.take(out);
    }
  }

  /** As a collector tells all partitions. */
  tick(feeder: string, atMs: number, more: Partial<Tick> = {}): void {
    for (let partition = 0; partition < this.#partitions; partition++) {
      const value: Tick = { kind: "tick", stream: LIVE, feeder, atMs, ...more };
      this.take([{ topic: TOPIC.events, key: feeder, partition, value }]);
    }
  }

  get findings(): readonly Finding[] {
    const all = [...this.#findings.values()];
    const superseded = new Set(all.flatMap(({ supersedes }) => supersedes ?? []));
    return all.filter(({ id, withdrawn }) => !superseded.has(id) && !withdrawn);
  }
}

const asRead = (record: OutRecord, partition: number): BusRecord => ({
  ...{ topic: record.topic, partition, offset: 0, key: record.key, value: record.value },
  ...{ text: "", timestampMs: 0 },
});

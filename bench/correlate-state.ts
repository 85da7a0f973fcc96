// correlate-state.ts — what the windows of a lane weigh, and what it costs to snapshot, restore and replay them.
//
// In:    the lane's bytes; needs --expose-gc.
// Holds: only the windows are weighed: what the heap loses when they go. Ids of events are as long as Wache makes them.
import { setTimeout as pause } from "node:timers/promises";
import { eachLine } from "../cli/eval/text-lines.ts";
import type { OutRecord } from "../core/bus/bus.ts";
import { idOf, LIVE } from "../core/event.ts";
import type { Mappings } from "../core/mappings.ts";
import type { SignalRecord } from "../core/records.ts";
import { formOf } from "../correlator/event-forms.ts";
import { indexedMatcher } from "../correlator/match/indexed.ts";
import type { Readable } from "../correlator/match/matcher.ts";
import type { RuleSet } from "../correlator/sigma/rule.ts";
import { noneMissed, signalsOf } from "../correlator/signals.ts";
import { WindowsProcessor } from "../correlator/windows/processor.ts";
import type { Bounds } from "../correlator/windows/rule-windows.ts";
import type { CorrelateTask } from "./correlate-work.ts";

export type StateFigures = {
  readonly groups: number;
  readonly bytesAGroup: number;
  readonly signals: number;
  readonly processMs: number; // of all signals, parsed from their text as a bus gives them
  readonly snapshotMs: number;
  readonly snapshotBytes: number;
  readonly restoreMs: number;
  readonly evicted: number;
};
type Work = Pick<CorrelateTask, "bounds" | "latenessMs"> & {
  readonly set: RuleSet;
  readonly mappings: Mappings;
  readonly chunks: AsyncIterable<Uint8Array>;
};

const TICK_EVERY_MS = 1000; // as collectors write them
const BATCH = 1000;

export async function measureState(work: Work): Promise<StateFigures> {
  const { bounds, latenessMs, set } = work;
  const options = optionsOf(bounds, latenessMs);
  let processor: WindowsProcessor | undefined = new WindowsProcessor(options);
  const out: OutRecord[] = [];
  const take = (value: SignalRecord) => processor?.take(value, out);
  for (const rule of set.correlations) take({ kind: "rule", rule });
  let signals = 0;
  let processMs = 0;
  await eachBatch(work, (texts) => {
    const start = performance.now();
    for (const text of texts) take(JSON.parse(text) as SignalRecord);
    processMs += performance.now() - start;
    signals += texts.length;
    out.length = 0;
  });
  const groups = processor.groups();
  const snapshotStart = performance.now();
  const parts = [...processor.snapshot()];
  const snapshotMs = performance.now() - snapshotStart;
  const snapshotBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const restoreStart = performance.now();
  const restored = new WindowsProcessor(options, parts);
  const restoreMs = performance.now() - restoreStart;
  if (restored.groups() !== groups) throw new Error("the snapshot does not have all groups");
  const { evicted } = processor.counts;
  const heapWith = await heapBytes();
  processor = undefined;
  const bytesAGroup = (heapWith - (await heapBytes())) / groups;
  const costs = { processMs, snapshotMs, snapshotBytes, restoreMs };
  return { groups, bytesAGroup, signals, ...costs, evicted };
}

/** The signals and ticks of the lane as texts, some at a time. */
async function eachBatch(
  { set, mappings, chunks }: Work,
  take: (texts: readonly string[]) => void,
): Promise<void> {
  const matcher = indexedMatcher(set);
  const missed = noneMissed();
  let texts: string[] = [];
  let tickMs = 0;
  await eachLine(chunks, (line, number) => {
    const event = JSON.parse(line ?? "") as Readable;
    const matched = matcher.match(event, formOf(event, mappings).sources).map(({ rule }) => rule);
    const atMs = Date.parse(String(event["@timestamp"]));
    const base = { stream: LIVE, id: idOf(number), timeMs: atMs };
    for (const signal of signalsOf(event, base, { rules: matched, missed }))
      texts.push(JSON.stringify(signal));
    if (atMs - tickMs >= TICK_EVERY_MS) {
      tickMs = atMs;
      texts.push(JSON.stringify({ kind: "tick", stream: LIVE, feeder: "events/0", atMs }));
    }
    if (texts.length < BATCH) return;
    take(texts);
    texts = [];
  });
  take(texts);
}

const optionsOf = (bounds: Bounds, latenessMs: number) => ({
  ...bounds,
  latenessMs,
  ...{ partition: 0, eventPartitions: 1, signalPartitions: 1 },
});

async function heapBytes(): Promise<number> {
  if (!globalThis.gc) throw new Error("run with --expose-gc");
  for (let round = 0; round < 3; round++) {
    globalThis.gc();
    await pause(0);
  }
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}

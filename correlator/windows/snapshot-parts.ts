// snapshot-parts.ts — the windows as JSON parts for a snapshot, and back.
//
// Holds: a processor restored from its parts behaves as the one that gave them.
import type { SnapshotPart } from "../../core/processor.ts";
import type { CorrelationRule, Signal } from "../../core/records.ts";
import type { Awaited } from "./absence.ts";
import type { FeederClock } from "./clocks.ts";
import type { WindowsProcessor } from "./processor.ts";
import { newStream, type StreamState } from "./stream-state.ts";
import type { SuppressedGroup } from "./suppression.ts";

const GROUPS_A_PART = 200;

type Part =
  | {
      readonly kind: "head";
      readonly rules: readonly CorrelationRule[];
      readonly ended: readonly string[];
      readonly early: readonly Signal[];
      readonly inForce?: readonly (readonly [feeder: string, versions: readonly string[]])[];
    }
  | {
      readonly kind: "stream";
      readonly name: string;
      readonly feeders: readonly (readonly [
        level: number,
        feeders: readonly (readonly [string, FeederClock])[],
      ])[];
      readonly clocks: readonly (readonly [level: number, clockMs: number])[];
      readonly fromMs?: number;
      readonly clockMs?: number;
      readonly untilMs?: number;
    }
  | {
      readonly kind: "groups";
      readonly stream: string;
      readonly version: string;
      readonly groups: readonly string[]; // a name, then the group, and so on
      readonly lostUntilMs?: number;
    }
  | {
      readonly kind: "absences";
      readonly stream: string;
      readonly version: string;
      readonly beganMs?: number;
      readonly groups: readonly Awaited[];
    }
  | {
      readonly kind: "suppressed";
      readonly stream: string;
      readonly version: string;
      readonly groups: readonly SuppressedGroup[];
    };

export function* partsOf(processor: WindowsProcessor): Generator<SnapshotPart> {
  const { rules, ended, early, streams } = processor;
  const inForce = [...processor.inForce.feeders];
  yield text({ kind: "head", rules: [...rules.values()], ended: [...ended], early, inForce });
  for (const [name, stream] of streams) {
    yield text({
      kind: "stream",
      name,
      feeders: [...stream.feeders].map(([level, feeders]) => [level, [...feeders]]),
      clocks: [...stream.clocks],
      ...(stream.fromMs !== undefined && { fromMs: stream.fromMs }),
      ...(stream.clockMs !== undefined && { clockMs: stream.clockMs }),
      ...(stream.untilMs !== undefined && { untilMs: stream.untilMs }),
    });
    yield* additionsOf(name, stream);
    for (const [version, { groups, lost }] of stream.windows) {
      if (Number.isFinite(lost.untilMs))
        yield text({
          kind: "groups",
          stream: name,
          version,
          groups: [],
          lostUntilMs: lost.untilMs,
        });
      let part: string[] = [];
      for (const [group, frozen] of groups.texts()) {
        part.push(group, frozen);
        if (part.length < 2 * GROUPS_A_PART) continue;
        yield text({ kind: "groups", stream: name, version, groups: part });
        part = [];
      }
      if (part.length > 0) yield text({ kind: "groups", stream: name, version, groups: part });
    }
  }
}

/** What is awaited and what is suppressed. */
function* additionsOf(
  stream: string,
  { absences, suppressions }: StreamState,
): Generator<SnapshotPart> {
  for (const [version, { groups, beganMs }] of absences) {
    const began = beganMs === undefined ? {} : { beganMs };
    yield text({ kind: "absences", stream, version, ...began, groups: [] });
    for (const part of inParts(groups.values()))
      yield text({ kind: "absences", stream, version, ...began, groups: part });
  }
  for (const [version, { groups }] of suppressions)
    for (const part of inParts(groups.values()))
      yield text({ kind: "suppressed", stream, version, groups: part });
}

function* inParts<T>(all: Iterable<T>): Generator<readonly T[]> {
  let part: T[] = [];
  for (const one of all) {
    part.push(one);
    if (part.length < GROUPS_A_PART) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

export function restoreParts(processor: WindowsProcessor, parts: readonly SnapshotPart[]): void {
  for (const part of parts.map((one) => JSON.parse(one) as Part)) {
    switch (part.kind) {
      case "head":
        for (const rule of part.rules) processor.rules.set(rule.version, rule);
        for (const name of part.ended) processor.ended.add(name);
        processor.early.push(...part.early);
        for (const [feeder, versions] of part.inForce ?? [])
          processor.inForce.set(feeder, versions);
        break;
      case "stream":
        processor.streams.set(part.name, {
          ...newStream(),
          feeders: new Map(part.feeders.map(([level, feeders]) => [level, new Map(feeders)])),
          clocks: new Map(part.clocks),
          ...(part.fromMs !== undefined && { fromMs: part.fromMs }),
          ...(part.clockMs !== undefined && { clockMs: part.clockMs }),
          ...(part.untilMs !== undefined && { untilMs: part.untilMs }),
        });
        break;
      case "groups": {
        const rule = processor.rules.get(part.version);
        const stream = processor.streams.get(part.stream);
        if (!rule || !stream) break;
        const windows = processor.windowsOf(part.stream, stream, rule);
        const { groups, lostUntilMs } = part;
        windows.lost.untilMs = lostUntilMs ?? windows.lost.untilMs;
        for (let at = 0; at < groups.length; at += 2)
          windows.restore(groups[at] ?? "", groups[at + 1] ?? "");
        break;
      }
      case "absences":
      case "suppressed":
        restoreAdditions(processor, part);
        break;
    }
  }
}

function restoreAdditions(
  processor: WindowsProcessor,
  part: Part & { readonly kind: "absences" | "suppressed" },
): void {
  const rule = processor.rules.get(part.version);
  const stream = processor.streams.get(part.stream);
  if (!rule || !stream) return;
  if (part.kind === "suppressed") {
    const suppression = processor.suppressionOf(stream, rule, rule.suppressMs ?? 0);
    for (const group of part.groups) suppression.restore(group);
    return;
  }
  const absences = processor.absencesOf(part.stream, stream, rule);
  absences.beganMs = part.beganMs;
  for (const group of part.groups) absences.restore(group);
}

const text = (part: Part): SnapshotPart => JSON.stringify(part);

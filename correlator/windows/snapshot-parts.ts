// snapshot-parts.ts — the windows as JSON parts for a snapshot, and back.
//
// Holds: a processor restored from its parts behaves as the one that gave them.
import type { SnapshotPart } from "../../core/processor.ts";
import type { CorrelationRule, Signal } from "../../core/records.ts";
import type { FeederClock } from "./clocks.ts";
import type { WindowsProcessor } from "./processor.ts";

const GROUPS_A_PART = 200;

type Part =
  | {
      readonly kind: "head";
      readonly rules: readonly CorrelationRule[];
      readonly ended: readonly string[];
      readonly early: readonly Signal[];
    }
  | {
      readonly kind: "stream";
      readonly name: string;
      readonly feeders: readonly (readonly [
        level: number,
        feeders: readonly (readonly [string, FeederClock])[],
      ])[];
      readonly clocks: readonly (readonly [level: number, clockMs: number])[];
    }
  | {
      readonly kind: "groups";
      readonly stream: string;
      readonly version: string;
      readonly groups: readonly string[]; // a name, then the group, and so on
    };

export function* partsOf(processor: WindowsProcessor): Generator<SnapshotPart> {
  const { rules, ended, early, streams } = processor;
  yield text({ kind: "head", rules: [...rules.values()], ended: [...ended], early });
  for (const [name, stream] of streams) {
    yield text({
      kind: "stream",
      name,
      feeders: [...stream.feeders].map(([level, feeders]) => [level, [...feeders]]),
      clocks: [...stream.clocks],
    });
    for (const [version, { groups }] of stream.windows) {
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

export function restoreParts(processor: WindowsProcessor, parts: readonly SnapshotPart[]): void {
  for (const part of parts.map((one) => JSON.parse(one) as Part)) {
    switch (part.kind) {
      case "head":
        for (const rule of part.rules) processor.rules.set(rule.version, rule);
        for (const name of part.ended) processor.ended.add(name);
        processor.early.push(...part.early);
        break;
      case "stream":
        processor.streams.set(part.name, {
          feeders: new Map(part.feeders.map(([level, feeders]) => [level, new Map(feeders)])),
          clocks: new Map(part.clocks),
          windows: new Map(),
        });
        break;
      case "groups": {
        const rule = processor.rules.get(part.version);
        const stream = processor.streams.get(part.stream);
        if (!rule || !stream) break;
        const windows = processor.windowsOf(part.stream, stream, rule);
        const { groups } = part;
        for (let at = 0; at < groups.length; at += 2)
          windows.restore(groups[at] ?? "", groups[at + 1] ?? "");
        break;
      }
    }
  }
}

const text = (part: Part): SnapshotPart => JSON.stringify(part);

// signal-records.ts — the records that carry matches to the windows that count them.
//
// Holds: what an event means for one group is one record, however many correlations so group; all of a group's signals
//        meet in one partition.
import type { OutRecord } from "../../core/bus/bus.ts";
import { partitionOf } from "../../core/bus/partitioner.ts";
import { idOf } from "../../core/event.ts";
import { type Signal, type SignalMatch, TOPIC } from "../../core/records.ts";
import { joined } from "./group-store.ts";

const KEY_CHARS_MAX = 200;

export type SignalBase = Pick<Signal, "stream" | "id" | "timeMs" | "page">;

type InGroup = { readonly group: readonly string[]; readonly matches: SignalMatch[] };

export function signalRecords(
  base: SignalBase,
  found: readonly { readonly group: readonly string[]; readonly match: SignalMatch }[],
): OutRecord[] {
  const [only] = found;
  if (only && found.length === 1) {
    const { group, match } = only;
    return [recordOf(base, joined(group), { group, matches: [match] })];
  }
  const groups = new Map<string, InGroup>();
  for (const { group, match } of found) {
    const name = joined(group);
    const known = groups.get(name);
    if (known) known.matches.push(match);
    else groups.set(name, { group, matches: [match] });
  }
  return [...groups].map(([name, inGroup]) => recordOf(base, name, inGroup));
}

function recordOf(base: SignalBase, name: string, { group, matches }: InGroup): OutRecord {
  const value: Signal = { kind: "signal", ...base, group, matches };
  return { topic: TOPIC.signals, key: keyOf(base.stream, name), value };
}

/** The partition that a group's signals come to. */
export const partitionOfGroup = (
  stream: string,
  values: readonly string[],
  partitions: number,
): number => partitionOf(keyOf(stream, joined(values)), partitions);

function keyOf(stream: string, group: string): string {
  const key = `${stream} ${group}`;
  return key.length <= KEY_CHARS_MAX ? key : idOf(key);
}

// signal-records.ts — the signals that carry matches to the windows that count them, and the records that carry signals.
//
// Holds: what an event means for one group is one signal, however many correlations so group; all of a group's signals
//        meet in one partition.
import type { OutRecord } from "../../core/bus/bus.ts";
import { partitionOf } from "../../core/bus/partitioner.ts";
import { idOf } from "../../core/event.ts";
import { type Signal, type SignalMatch, TOPIC } from "../../core/records.ts";
import { joined, nameOf } from "./group-name.ts";

const KEY_CHARS_MAX = 200;

export type SignalBase = Pick<Signal, "stream" | "id" | "timeMs" | "page">;

type InGroup = { readonly group: readonly string[]; readonly matches: SignalMatch[] };

export function signalsFor(
  base: SignalBase,
  found: readonly { readonly group: readonly string[]; readonly match: SignalMatch }[],
): Signal[] {
  const [only] = found;
  if (only && found.length === 1)
    return [signalOf(base, { group: only.group, matches: [only.match] })];
  const groups = new Map<string, InGroup>();
  for (const { group, match } of found) {
    const name = nameOf(group);
    const known = groups.get(name);
    if (known) known.matches.push(match);
    else groups.set(name, { group, matches: [match] });
  }
  return [...groups.values()].map((inGroup) => signalOf(base, inGroup));
}

/** Fields are named, not spread: that takes several times as long. */
function signalOf({ stream, id, timeMs, page }: SignalBase, { group, matches }: InGroup): Signal {
  if (page) return { kind: "signal", stream, id, timeMs, page, group, matches };
  return { kind: "signal", stream, id, timeMs, group, matches };
}

export const recordOf = (signal: Signal): OutRecord => ({
  topic: TOPIC.signals,
  key: keyOf(signal.stream, joined(signal.group)),
  value: signal,
});

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

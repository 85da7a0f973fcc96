// signal-records.ts — the signals that carry matches to the windows that count them, and the records that carry signals.
//
// Holds: what an event means for one group is one signal, however many correlations so group; all of a group's signals
//        meet in one partition.
import type { OutRecord } from "../../core/bus/bus.ts";
import { partitionOf } from "../../core/bus/partitioner.ts";
import { idOf } from "../../core/event.ts";
import {
  type Carried,
  type EventValues,
  type Signal,
  type SignalMatch,
  TOPIC,
} from "../../core/records.ts";
import { withOne } from "../with-one.ts";
import { joined } from "./group-name.ts";

const KEY_CHARS_MAX = 200;

export type SignalBase = Pick<Signal, "stream" | "id" | "timeMs" | "page">;

/** With no field that has nothing in it. */
export function matchOf(
  { version, from }: Pick<SignalMatch, "version" | "from">,
  values: EventValues | undefined,
  carried: Carried | undefined,
): SignalMatch {
  if (carried !== undefined)
    return values === undefined ? { version, from, carried } : { version, from, values, carried };
  return values === undefined ? { version, from } : { version, from, values };
}

/**
 * Adds what an event means for a correlation in a group: to the signal for that group, where one of the last few is, else
 * as a signal of its own. The list is made when the first one comes.
 */
export function withMatch(
  signals: Signal[] | undefined,
  base: SignalBase,
  { group, match }: { readonly group: readonly string[]; readonly match: SignalMatch },
): Signal[] {
  if (signals)
    for (let at = signals.length - 1; at >= 0; at--) {
      const signal = signals[at] as Signal;
      if (!isSame(signal.group, group)) continue;
      (signal.matches as SignalMatch[]).push(match);
      return signals;
    }
  return withOne(signals, signalOf(base, group, match));
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

/** Fields are named, not spread: that takes several times as long. */
function signalOf(base: SignalBase, group: readonly string[], match: SignalMatch): Signal {
  const { stream, id, timeMs, page } = base;
  const matches = [match];
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

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
import { joined, nameOf } from "./group-name.ts";

const KEY_CHARS_MAX = 200;

export type SignalBase = Pick<Signal, "stream" | "id" | "timeMs" | "page">;

/** With no field that has nothing in it. */
export function matchOf(
  { version, from }: Pick<SignalMatch, "version" | "from">,
  values: EventValues | undefined,
  carried: Carried | undefined,
  isBounded: boolean,
): SignalMatch {
  if (isBounded) return { ...matchOf({ version, from }, values, carried, false), bounded: true };
  if (carried !== undefined)
    return values === undefined ? { version, from, carried } : { version, from, values, carried };
  return values === undefined ? { version, from } : { version, from, values };
}

const LOOKED_THROUGH_MAX = 8; // signals; where there are more, they are found by the names of their groups
const NONE: readonly Signal[] = [];

/** What one event means, or one match of a correlation: a signal for each group. */
export class Signals {
  readonly #base: SignalBase;
  #all: Signal[] | undefined;
  #named: Map<string, Signal> | undefined;

  constructor(base: SignalBase) {
    this.#base = base;
  }

  get all(): readonly Signal[] {
    return this.#all ?? NONE;
  }

  add(group: readonly string[], match: SignalMatch): void {
    const known = this.#find(group);
    if (known) {
      (known.matches as SignalMatch[]).push(match);
      return;
    }
    const signal = signalOf(this.#base, group, match);
    this.#all = withOne(this.#all, signal);
    this.#named?.set(nameOf(group), signal);
  }

  #find(group: readonly string[]): Signal | undefined {
    const all = this.#all;
    if (!all) return undefined;
    if (all.length <= LOOKED_THROUGH_MAX) {
      for (const signal of all) if (isSame(signal.group, group)) return signal;
      return undefined;
    }
    this.#named ??= new Map(all.map((signal) => [nameOf(signal.group), signal]));
    return this.#named.get(nameOf(group));
  }
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

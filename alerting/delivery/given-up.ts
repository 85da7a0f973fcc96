// given-up.ts — what is remembered of messages that not everyone got, and what their incident's timeline says of them.
//
// Holds: it follows from the records alone; it outlives restarts, and is forgotten `keepMs` after a channel's last one.
import type { OutRecord } from "../../core/bus/bus.ts";
import { idOf } from "../../core/event.ts";
import { type CaseworkRecord, type Notification, TOPIC } from "../../core/records.ts";
import { utc } from "../incidents/timeline.ts";

/** Of one channel. */
export type GivenUp = {
  readonly messages: number;
  readonly firstMs: number;
  readonly lastMs: number;
};
const keepMs = 7 * 24 * 3600_000;

export class GivenUpCounts {
  readonly #channels: Map<string, GivenUp>;

  constructor(entries: readonly (readonly [string, GivenUp])[] = []) {
    this.#channels = new Map(entries);
  }

  get all(): ReadonlyMap<string, GivenUp> {
    return this.#channels;
  }

  add(channel: string, atMs: number): void {
    const one = { messages: 1, firstMs: atMs, lastMs: atMs };
    this.#channels.set(channel, sumOf(this.#channels.get(channel), one));
  }

  forget(nowMs: number): void {
    for (const [channel, { lastMs }] of this.#channels)
      if (nowMs - lastMs > keepMs) this.#channels.delete(channel);
  }
}

export function sumOf(a: GivenUp | undefined, b: GivenUp): GivenUp {
  if (a === undefined) return b;
  return {
    messages: a.messages + b.messages,
    firstMs: Math.min(a.firstMs, b.firstMs),
    lastMs: Math.max(a.lastMs, b.lastMs),
  };
}

export const givenUpText = (channel: string, { messages, firstMs, lastMs }: GivenUp): string => {
  const [were, when] =
    messages === 1
      ? ["1 message was", `at ${utc(firstMs)}`]
      : [`${messages} messages were`, `since ${utc(firstMs)}, the last at ${utc(lastMs)}`];
  return `${channel}: ${were} given up (not everyone was told) ${when}; see the incidents' timelines and the log`;
};

/** A comment in the incident's timeline; its id follows from the message, so that a replay adds none. */
export function toldInTimeline(
  { id, incident, channel }: Notification,
  about: { readonly who: "Nobody" | "Not everyone"; readonly why: string; readonly atMs: number },
): OutRecord {
  const text = `${about.who} was told by ${channel}: ${about.why}`;
  const value: CaseworkRecord = {
    ...{ kind: "command", id: idOf(id, "given up"), incident: incident.id, key: incident.key },
    ...{ by: "Wache", atMs: about.atMs, action: { do: "comment", text } },
  };
  return { topic: TOPIC.casework, key: incident.key, value };
}

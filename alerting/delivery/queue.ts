// queue.ts — what is still to be delivered of one partition: the notifications without a final outcome.
//
// In:    wache.notifications: messages, claims (who delivers from here on), attempts and their outcomes.
// Out:   a dead letter for what could not be delivered, and a line in the incident's timeline.
// Holds: a message is pending until its outcome is in the log; a repeated one changes nothing; an attempt that is not the
//        claimant's own does not count, so of two processes that both think the partition is theirs one sends.
// Why:   an attempt without an outcome when somebody else takes over may have arrived: the next one must say so.
import type { BusRecord, OutRecord } from "../../core/bus/bus.ts";
import { deadLetterOf } from "../../core/dead-letter.ts";
import { idOf } from "../../core/event.ts";
import type { Processor, SnapshotPart } from "../../core/processor.ts";
import {
  type DeadLetter,
  type Notification,
  type NotificationOutcome,
  type NotificationRecord,
  type Receivers,
  TOPIC,
} from "../../core/records.ts";
import { type GivenUp, GivenUpCounts, toldInTimeline } from "./given-up.ts";

export type Pending = {
  readonly notification: Notification;
  readonly attempt: number; // how many were begun
  readonly dueMs: number; // not before
  readonly attempting?: { readonly by: string; readonly atMs: number }; // begun, no outcome yet
  readonly mayHaveArrivedMs?: number; // when an attempt was made of which nobody knows whether it arrived
  readonly receivers?: Receivers; // of several: who needs no further attempt
};
export type QueueBounds = { readonly pendingMax: number; readonly finishedMax: number };
export const queueBoundsByDefault: QueueBounds = { pendingMax: 5000, finishedMax: 50_000 };

const finishedAPart = 2000;

type Part =
  | {
      readonly is: "owner";
      readonly owner?: string;
      readonly givenUp?: readonly (readonly [string, GivenUp])[]; // absent before there was such a thing
    }
  | { readonly is: "pending"; readonly id: string; readonly pending: Pending }
  | { readonly is: "finished"; readonly ids: readonly string[] };

export class DeliveryQueue implements Processor {
  readonly #pending = new Map<string, Pending>();
  readonly #finished = new Set<string>(); // oldest first
  readonly #bounds: QueueBounds;
  #owner: string | undefined;
  #givenUp = new GivenUpCounts();

  constructor(parts: readonly SnapshotPart[] | undefined, bounds = queueBoundsByDefault) {
    this.#bounds = bounds;
    for (const json of parts ?? []) {
      const part = JSON.parse(json) as Part;
      if (part.is === "owner") {
        this.#owner = part.owner;
        this.#givenUp = new GivenUpCounts(part.givenUp);
      } else if (part.is === "pending") this.#pending.set(part.id, part.pending);
      else for (const id of part.ids) this.#finished.add(id);
    }
  }

  /** Oldest first. */
  get pending(): ReadonlyMap<string, Pending> {
    return this.#pending;
  }
  /** Who made the last claim in the log so far. */
  get owner(): string | undefined {
    return this.#owner;
  }
  /** By channel: messages that not everyone got, of late. */
  get givenUp(): ReadonlyMap<string, GivenUp> {
    return this.#givenUp.all;
  }

  process(record: BusRecord, out: OutRecord[]): void {
    const value = record.value as NotificationRecord | undefined | null;
    this.#givenUp.forget(record.timestampMs);
    switch (value?.kind) {
      case "notification":
        this.#add(value, { record, out });
        return;
      case "claim":
        this.#claimed(value.by);
        return;
      case "outcome":
        this.#noted(value, { record, out });
        return;
      default: {
        const code = "alerting.bad-notification";
        const reason = "delivery: the record is no notification";
        out.push(deadLetterOf(record, { code, reason }, record.timestampMs));
      }
    }
  }

  *snapshot(): Generator<SnapshotPart> {
    const text = (part: Part): string => JSON.stringify(part);
    const givenUp = [...this.#givenUp.all];
    yield text({
      ...{ is: "owner", givenUp },
      ...(this.#owner !== undefined && { owner: this.#owner }),
    });
    for (const [id, pending] of this.#pending) yield text({ is: "pending", id, pending });
    const ids = [...this.#finished];
    for (let at = 0; at < ids.length; at += finishedAPart)
      yield text({ is: "finished", ids: ids.slice(at, at + finishedAPart) });
  }

  #add(notification: Notification, { record, out }: Cause): void {
    const { id } = notification;
    if (this.#pending.has(id) || this.#finished.has(id)) return;
    if (this.#pending.size < this.#bounds.pendingMax) {
      this.#pending.set(id, { notification, attempt: 0, dueMs: 0 });
      return;
    }
    const reason = `more than ${this.#bounds.pendingMax} messages wait for delivery; see why the ones before are not taken`;
    const about = { code: "alerting.queue-full", reason, who: "Nobody", why: reason } as const;
    this.#lose({ record, out }, { notification, ...about });
  }

  #claimed(by: string): void {
    this.#owner = by;
    for (const [id, { attempting, ...pending }] of this.#pending)
      if (attempting !== undefined && attempting.by !== by)
        this.#pending.set(id, { ...pending, mayHaveArrivedMs: attempting.atMs });
  }

  #noted(outcome: NotificationOutcome, { record, out }: Cause): void {
    const pending = this.#pending.get(outcome.id);
    if (pending === undefined) return;
    switch (outcome.outcome) {
      case "attempting":
        if (outcome.by === undefined || outcome.by !== this.#owner) return;
        if (outcome.attempt <= pending.attempt) return;
        this.#pending.set(outcome.id, {
          ...pending,
          attempt: outcome.attempt,
          attempting: { by: outcome.by, atMs: outcome.atMs },
        });
        return;
      case "retry":
        this.#pending.set(outcome.id, retried(pending, outcome));
        return;
      case "delivered":
        this.#delivered(pending, outcome, { record, out });
        return;
      case "failed": {
        const why = outcome.detail ?? "not delivered";
        const { taken = [] } = joined(pending.receivers, outcome.receivers) ?? {};
        this.#lose(
          { record, out },
          {
            ...{ notification: pending.notification, code: "alerting.not-delivered" },
            ...{ reason: `${outcome.channel}: ${why}`, why },
            who: taken.length > 0 ? "Not everyone" : "Nobody",
          },
        );
      }
    }
  }

  #delivered(
    { notification }: Pending,
    outcome: NotificationOutcome,
    { record, out }: Cause,
  ): void {
    this.#finish(outcome.id);
    const refused = outcome.receivers?.refused ?? [];
    if (refused.length === 0) return;
    const why = outcome.detail ?? `refused for good for ${refused.length} of the receivers`;
    this.#tell({ record, out }, { notification, who: "Not everyone", why });
  }

  #lose({ record, out }: Cause, { code, reason, ...untold }: Loss): void {
    const { notification } = untold;
    this.#finish(notification.id);
    out.push(lost({ record, notification, code, reason }));
    this.#tell({ record, out }, untold);
  }

  #tell({ record, out }: Cause, { notification, who, why }: Untold): void {
    this.#givenUp.add(notification.channel, record.timestampMs);
    out.push(toldInTimeline(notification, { who, why, atMs: record.timestampMs }));
  }

  #finish(id: string): void {
    this.#pending.delete(id);
    this.#finished.add(id);
    for (const oldest of this.#finished) {
      if (this.#finished.size <= this.#bounds.finishedMax) return;
      this.#finished.delete(oldest);
    }
  }
}

type Cause = { readonly record: BusRecord; readonly out: OutRecord[] };
type Untold = {
  readonly notification: Notification;
  readonly who: "Nobody" | "Not everyone";
  readonly why: string;
};
type Loss = Untold & { readonly code: string; readonly reason: string };

/** An outcome of the attempt under way, or of a former owner's last one, noted late. */
function retried(pending: Pending, outcome: NotificationOutcome): Pending {
  const receivers = joined(pending.receivers, outcome.receivers);
  const { attempting, ...rest } = { ...pending, ...(receivers && { receivers }) };
  if (attempting !== undefined && attempting.by !== outcome.by) return { attempting, ...rest };
  return {
    ...rest,
    dueMs: outcome.retryAtMs ?? 0,
    ...(outcome.uncertain && { mayHaveArrivedMs: attempting?.atMs ?? outcome.atMs }),
  };
}

/** Whoever was settled once stays so, also where two owners' attempts crossed. */
function joined(a: Receivers | undefined, b: Receivers | undefined): Receivers | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const both = (key: keyof Receivers): string[] => [...new Set([...a[key], ...b[key]])];
  return { taken: both("taken"), refused: both("refused") };
}

function lost(args: {
  readonly record: BusRecord;
  readonly notification: Notification;
  readonly code: string;
  readonly reason: string;
}): OutRecord {
  const { record, notification, code, reason } = args;
  const { topic, partition, offset } = record;
  const value: DeadLetter = {
    kind: "dead-letter",
    id: idOf("notification", notification.id),
    source: notification.channel,
    reason,
    code,
    atMs: record.timestampMs,
    from: { topic, partition, offset },
    raw: JSON.stringify(notification),
    encoding: "utf8",
  };
  return { topic: TOPIC.deadLetter, key: notification.incident.key, value };
}

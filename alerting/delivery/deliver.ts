// deliver.ts — hands each pending notification to its channel and notes in the log what came of it.
//
// In:    the queues of the partitions that this process has (queue.ts), kept by the runner.
// Out:   outcomes on wache.notifications, each in the partition of its message.
// Holds: `attempting` is durable, and was seen in the log after our own claim, before a message is sent; its outcome is
//        durable before it counts. A crash anywhere leaves the message pending; at most the attempts under way are repeated,
//        and say so. A slow channel holds up no other.
import type { Logger } from "pino";
import type { Bus } from "../../core/bus/bus.ts";
import { messageOf } from "../../core/errors.ts";
import type { Processor } from "../../core/processor.ts";
import { type NotificationClaim, type NotificationOutcome, TOPIC } from "../../core/records.ts";
import type { RunnerHooks } from "../../core/runner.ts";
import type { Clock } from "../../core/service.ts";
import { backoffMs, type RetryPolicy } from "./backoff.ts";
import type { Channel, SendResult } from "./channel.ts";
import { type GivenUp, sumOf } from "./given-up.ts";
import { messageFor } from "./message.ts";
import { DeliveryQueue, type Pending } from "./queue.ts";
import type { DeliveryReport } from "./report.ts";

export type DeliveryOptions = RetryPolicy & {
  readonly attemptsMax: number;
  readonly timeoutMs: number;
  readonly publicUrl?: string | undefined;
};
export type DeliveryDeps = {
  readonly bus: Pick<Bus, "produce">;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly options: DeliveryOptions;
  readonly clock: Clock;
  readonly random: () => string;
  readonly log: Logger;
  readonly report: DeliveryReport;
};

/** asked: `attempting` is on its way to the log; sending: it was seen there; noted: its outcome is in the log. */
type Job = { stage: "asked" | "sending" | "noted"; readonly attempt: number };
type Slot = {
  readonly partition: number;
  readonly queue: DeliveryQueue;
  readonly by: string; // what our claim says
  readonly jobs: Map<string, Job>;
  reclaimAtMs: number; // when our claim should have been read back, or stood again, at the latest
};
type Lane = { readonly jobs: Set<Job>; pausedUntilMs: number };

const PRODUCE_RETRY_MS = 1000;
const WAIT_MS_MAX = 60_000;
const RECLAIM_MS = 10_000;
const LATE_MS = 60_000; // after the incident was as the message tells it

export class Delivery implements RunnerHooks {
  readonly #deps: DeliveryDeps;
  readonly #slots = new Map<number, Slot>();
  readonly #lanes = new Map<string, Lane>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #cancelWait: () => void = () => {};

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  readonly onReady = (partition: number, processor: Processor): void => {
    if (!(processor instanceof DeliveryQueue)) throw new Error("delivery runs on its own queue");
    this.onGone(partition);
    const by = this.#deps.random();
    const slot: Slot = { partition, queue: processor, by, jobs: new Map(), reclaimAtMs: 0 };
    this.#slots.set(partition, slot);
    this.#track(this.#claim(slot));
  };

  readonly onGone = (partition: number): void => {
    const slot = this.#slots.get(partition);
    this.#slots.delete(partition);
    if (slot !== undefined) this.#release(slot);
  };

  readonly afterBatch = (): void => this.#pump();

  /** Begins no more attempts, and waits for those under way; what was not sent yet is given back. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelWait();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    for (const slot of this.#slots.values())
      for (const [id, job] of slot.jobs) {
        const pending = slot.queue.pending.get(id);
        if (job.stage !== "asked" || pending === undefined) continue;
        const value = this.#outcome(slot, { pending, job, outcome: "retry" });
        const detail = "stopped before it was sent";
        const key = pending.notification.incident.key;
        await this.#note(slot, { key, value: { ...value, retryAtMs: value.atMs, detail } });
      }
  }

  /** Messages without a final outcome, by channel. */
  pending(): ReadonlyMap<string, number> {
    const counts = new Map([...this.#deps.channels.keys()].map((name) => [name, 0]));
    for (const { queue } of this.#slots.values())
      for (const { notification } of queue.pending.values())
        counts.set(notification.channel, (counts.get(notification.channel) ?? 0) + 1);
    return counts;
  }

  /** Messages that not everyone got, by channel. */
  givenUp(): ReadonlyMap<string, GivenUp> {
    const sums = new Map<string, GivenUp>();
    for (const { queue } of this.#slots.values())
      for (const [channel, one] of queue.givenUp) sums.set(channel, sumOf(sums.get(channel), one));
    return sums;
  }

  /** The log orders all claims: what we are to send is what is pending once we read our own. */
  async #claim(slot: Slot): Promise<void> {
    slot.reclaimAtMs = Number.POSITIVE_INFINITY;
    const value: NotificationClaim = { kind: "claim", by: slot.by, atMs: this.#deps.clock.now() };
    await this.#note(slot, { key: "claim", value });
    slot.reclaimAtMs = this.#deps.clock.now() + RECLAIM_MS;
    this.#pump();
  }

  #pump(): void {
    if (this.#stopping.signal.aborted) return;
    this.#deps.report.look();
    const nowMs = this.#deps.clock.now();
    let nextMs = nowMs + WAIT_MS_MAX;
    for (const slot of this.#slots.values()) {
      if (slot.queue.owner !== slot.by) {
        nextMs = Math.min(nextMs, this.#waitForClaim(slot, nowMs));
        continue;
      }
      this.#forgetJobs(slot);
      for (const [id, pending] of slot.queue.pending)
        nextMs = Math.min(nextMs, this.#advance(slot, { id, pending, nowMs }));
    }
    this.#cancelWait();
    this.#cancelWait = this.#deps.clock.after(nextMs - nowMs, () => this.#pump());
  }

  /** A former owner's claim may have come after ours; while the partition is ours, we claim it again. */
  #waitForClaim(slot: Slot, nowMs: number): number {
    this.#release(slot);
    if (slot.reclaimAtMs <= nowMs) this.#track(this.#claim(slot));
    return slot.reclaimAtMs;
  }

  /** Attempts that were not begun free their places: their claim no longer holds. */
  #release(slot: Slot): void {
    for (const [id, job] of slot.jobs) {
      if (job.stage !== "asked") continue;
      slot.jobs.delete(id);
      for (const lane of this.#lanes.values()) lane.jobs.delete(job);
    }
  }

  /** An attempt is over once its outcome was read back; one that another claim overtook before it was sent is void. */
  #forgetJobs({ queue, jobs }: Slot): void {
    for (const [id, job] of jobs) {
      const pending = queue.pending.get(id);
      const isPast =
        pending?.attempting === undefined && (pending?.attempt ?? job.attempt) >= job.attempt;
      if (!isPast || job.stage === "sending") continue;
      jobs.delete(id);
      for (const lane of this.#lanes.values()) lane.jobs.delete(job);
    }
  }

  /** Takes a message one step on, and says when to look again. */
  #advance(slot: Slot, at: { id: string; pending: Pending; nowMs: number }): number {
    const { id, pending, nowMs } = at;
    const never = Number.POSITIVE_INFINITY;
    const { channel } = pending.notification;
    const lane = this.#lane(channel);
    const job = slot.jobs.get(id);
    if (pending.attempting?.by === slot.by) {
      if (job === undefined || job.stage === "asked")
        this.#track(this.#send(slot, { id, pending, job: job ?? this.#begin(slot, at) }));
      return never;
    }
    if (job !== undefined) return never;
    const dueMs = Math.max(pending.dueMs, lane.pausedUntilMs);
    if (dueMs > nowMs) return dueMs;
    const roomMax = this.#deps.channels.get(channel)?.attemptsAtOnceMax ?? 1;
    if (lane.jobs.size < roomMax)
      this.#track(this.#ask(slot, { id, pending, job: this.#begin(slot, at) }));
    return never;
  }

  #begin(slot: Slot, { id, pending }: { readonly id: string; readonly pending: Pending }): Job {
    const own = pending.attempting?.by === slot.by;
    const job: Job = { stage: "asked", attempt: pending.attempt + (own ? 0 : 1) };
    slot.jobs.set(id, job);
    this.#lane(pending.notification.channel).jobs.add(job);
    return job;
  }

  async #ask(slot: Slot, { id, pending, job }: JobAt): Promise<void> {
    const { notification } = pending;
    const refusal = this.#hopeless(pending, job.attempt);
    if (refusal !== undefined) {
      await this.#finish(slot, { id, pending, job }, { kind: "refused", reason: refusal });
      return;
    }
    const value = this.#outcome(slot, { pending, job, outcome: "attempting" });
    try {
      await this.#deps.bus.produce([this.#recordOf(slot, notification.incident.key, value)]);
    } catch (error) {
      this.#deps.log.warn(
        { err: error, notification: id },
        "delivery: an attempt could not be written to the bus; it will be tried again",
      );
      await this.#deps.clock.sleep(PRODUCE_RETRY_MS, this.#stopping.signal);
      slot.jobs.delete(id);
      this.#lane(notification.channel).jobs.delete(job);
      this.#pump();
    }
  }

  #hopeless({ notification, attempt }: Pending, next: number): string | undefined {
    const { channels, options } = this.#deps;
    if (!channels.has(notification.channel))
      return "the channel is not configured any more, and what waited for it is not sent later either; see to the incident on the page";
    if (next > options.attemptsMax)
      return `given up after ${attempt} attempts, the last of them without an answer`;
    return undefined;
  }

  async #send(slot: Slot, { id, pending, job }: JobAt): Promise<void> {
    job.stage = "sending";
    const { clock, options, channels } = this.#deps;
    const { notification, attempt, mayHaveArrivedMs } = pending;
    const message = messageFor(notification, {
      publicUrl: options.publicUrl,
      repeatOfMs: mayHaveArrivedMs,
      isLate: attempt > 1 || clock.now() - notification.incident.updatedMs > LATE_MS,
    });
    const deadline = new AbortController();
    let result: SendResult = { kind: "retry", reason: "no answer in time", uncertain: true };
    const late = new Promise<SendResult>((done) => {
      deadline.signal.addEventListener("abort", () => done(result), { once: true });
    });
    const cancel = clock.after(options.timeoutMs, () => deadline.abort());
    try {
      const channel = channels.get(notification.channel);
      if (channel === undefined) throw new Error("the channel was there when the attempt began");
      const sent = channel.send(
        { notification, message, attempt, atMs: clock.now(), receivers: pending.receivers },
        deadline.signal,
      );
      result = await Promise.race([sent, late]);
    } catch (error) {
      result = { kind: "retry", reason: messageOf(error), uncertain: true };
    }
    cancel();
    await this.#finish(slot, { id, pending, job }, result);
  }

  /** Notes what came of an attempt, and frees its place. */
  async #finish(slot: Slot, { id, pending, job }: JobAt, result: SendResult): Promise<void> {
    const { clock, options, random, report } = this.#deps;
    const { notification } = pending;
    const lane = this.#lane(notification.channel);
    const nowMs = clock.now();
    let value = this.#outcome(slot, { pending, job, outcome: "delivered" });
    if (result.kind !== "refused" && result.receivers !== undefined)
      value = { ...value, receivers: result.receivers };
    if (result.kind === "delivered") {
      if (result.detail !== undefined) value = { ...value, detail: result.detail };
    } else if (result.kind === "refused" || job.attempt >= options.attemptsMax) {
      const gaveUp = result.kind === "retry" ? `given up after ${job.attempt} attempts: ` : "";
      value = { ...value, outcome: "failed", detail: gaveUp + result.reason };
    } else {
      const askedMs = result.retryAfterMs ?? 0;
      lane.pausedUntilMs = Math.max(lane.pausedUntilMs, nowMs + askedMs);
      const waitMs = Math.max(
        askedMs,
        backoffMs(options, { attempt: job.attempt, random: random() }),
      );
      const { uncertain } = result;
      const retryAtMs = nowMs + waitMs;
      value = {
        ...value,
        outcome: "retry",
        detail: result.reason,
        retryAtMs,
        ...(uncertain && { uncertain }),
      };
    }
    await this.#note(slot, { key: notification.incident.key, value });
    job.stage = "noted";
    lane.jobs.delete(job);
    report.outcome(value, id);
    this.#pump();
  }

  #outcome(
    slot: Slot,
    args: {
      readonly pending: Pending;
      readonly job: Job;
      readonly outcome: NotificationOutcome["outcome"];
    },
  ): NotificationOutcome {
    const { id, channel, incident } = args.pending.notification;
    return {
      ...{ kind: "outcome", id, channel, incidentId: incident.id, outcome: args.outcome },
      ...{ attempt: args.job.attempt, atMs: this.#deps.clock.now(), by: slot.by },
    };
  }

  /** Tries until it is durable, or until we stop: then the next one to own the partition must think that it was cut short. */
  async #note(
    slot: Slot,
    { key, value }: { key: string; value: NotificationOutcome | NotificationClaim },
  ): Promise<void> {
    for (;;) {
      try {
        await this.#deps.bus.produce([this.#recordOf(slot, key, value)]);
        return;
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        if (value.kind === "claim" && this.#slots.get(slot.partition) !== slot) return;
        this.#deps.log.warn(
          { err: error },
          `delivery: the bus does not take a ${value.kind}; trying again`,
        );
        await this.#deps.clock.sleep(PRODUCE_RETRY_MS, this.#stopping.signal);
      }
    }
  }

  #recordOf({ partition }: Slot, key: string, value: NotificationOutcome | NotificationClaim) {
    return { topic: TOPIC.notifications, key, value, partition };
  }

  #lane(channel: string): Lane {
    const known = this.#lanes.get(channel);
    if (known !== undefined) return known;
    const lane: Lane = { jobs: new Set(), pausedUntilMs: 0 };
    this.#lanes.set(channel, lane);
    return lane;
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error) => this.#deps.log.error({ err: error }, "delivery: a mistake of our own"))
      .finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}

type JobAt = { readonly id: string; readonly pending: Pending; readonly job: Job };

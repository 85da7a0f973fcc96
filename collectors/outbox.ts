// outbox.ts — the one way from a collector to the bus: an ordered queue, with receipt times and ticks in it.
//
// In:    entries, made at the moment when they enter the queue, so that receipts and ticks stand in its order.
// Out:   the same order on every partition of the bus; while the bus is away, in the spool.
// Holds: one produce is under way at a time; what `submit` gave a promise for is durable when it resolves; a tick never
//        overtakes an event; no more than `queueBytesMax` waits in memory (and one submit beyond it).
import type { Logger } from "pino";
import type { Bus, OutRecord } from "../core/bus/bus.ts";
import { messageOf } from "../core/errors.ts";
import { LIVE } from "../core/event.ts";
import { type Tick, TOPIC } from "../core/records.ts";
import type { Clock } from "../core/service.ts";
import type { CollectorMetrics } from "./metrics.ts";
import type { Presence } from "./presence.ts";
import type { Spool } from "./spool.ts";
import type { Entry } from "./stamp.ts";

/** What stamps receipts and ticks. */
export type Receipts = {
  /** Never goes back. */
  readonly now: () => number;
  /** A tick is about to say so: remembered over a restart. */
  readonly told: (atMs: number) => void;
};

export type OutboxOptions = {
  readonly bus: Bus;
  readonly spool: Pick<Spool, "append" | "read" | "advance" | "close" | "bytes" | "isEmpty">;
  readonly clock: Clock;
  readonly receipts: Receipts;
  readonly presence: Presence;
  readonly log: Logger;
  readonly metrics: CollectorMetrics;
  readonly feeder: string;
  readonly queueBytesMax: number;
  /** How it goes, in words, when that changes. */
  readonly onState: (state: { readonly ok: boolean; readonly text: string }) => void;
};

const SPOOL_WORDS = {
  full: "the bus is away and the spool is full: senders wait",
  failed:
    "neither the bus nor the spool can be written: senders wait; free space on the disk, Wache goes on by itself",
} as const;

type Group = {
  readonly entries: readonly Entry[];
  readonly bytes: number;
  readonly isTick: boolean;
  readonly done: () => void;
};

const PRODUCE_MS = 5_000; // then the bus counts as away
const HANG_MS = 60_000; // a produce that still may succeed is waited for, before its records go again
const RETRY_MS = 1_000;
const CATCH_UP_BYTES = 16 * 1024 * 1024; // what is left of the spool when senders wait for it
const CATCH_UP_MS = 20;
const STOP_MS = 8_000;
const STOP_DRAIN_MS = 2_000;
const TICK_MS = 1_000;
const TICK_IDLE_MS = 5_000;
const BATCH_RECORDS_MAX = 5_000;
const BATCH_BYTES_MAX = 8 * 1024 * 1024;

export class Outbox {
  /** The first tick is durable: no clock has passed what is received from then on. */
  readonly begun: Promise<void>;
  readonly #options: OutboxOptions;
  readonly #stopTicks: () => void;
  #queue: Group[] = [];
  #queuedBytes = 0;
  #underWayBytes = 0;
  #pumping: Promise<void> | undefined;
  #draining: Promise<void> | undefined; // the spool holds records that go first
  #spooling = false; // an append is under way
  #isBack = false; // the bus took what the spool gave last
  #waiting: (() => void)[] = [];
  #tickMs = 0;
  #eventsSinceTick = true;
  #tickQueued = false;
  #stopped = false;
  #said = "";

  constructor(options: OutboxOptions) {
    this.#options = options;
    if (!options.spool.isEmpty) this.#startDraining(undefined);
    this.#stopTicks = options.clock.every(TICK_MS, () => this.#tickWhenDue());
    this.begun = this.#tick(options.receipts.now());
  }

  /** Resolves when every entry is on the bus or in the spool; `make` is called at once. */
  submit(make: (receiptMs: number) => readonly Entry[]): Promise<void> {
    const entries = make(this.#options.receipts.now());
    if (entries.length === 0) return Promise.resolve();
    this.#eventsSinceTick = true;
    return this.#enqueue(entries, false);
  }

  /** For each partition of the events topic: what is true of all of them. */
  ticks(tick: Tick): readonly Entry[] {
    const entries: Entry[] = [];
    for (let partition = 0; partition < this.#options.bus.partitions(TOPIC.events); partition++) {
      const record: OutRecord = { topic: TOPIC.events, key: tick.feeder, value: tick, partition };
      entries.push({ record, bytes: 200 });
    }
    return entries;
  }

  get isFull(): boolean {
    return this.#queuedBytes + this.#underWayBytes >= this.#options.queueBytesMax;
  }

  /** Resolves when there is room for more; first come, first served. */
  async room(): Promise<void> {
    while (this.isFull) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves to false where there is no room for as long as that. */
  async roomWithin(ms: number): Promise<boolean> {
    if (!this.isFull) return true;
    let cancel = (): void => {};
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#options.clock.after(ms, () => resolve(false));
    });
    const inTime = await Promise.race([this.room().then(() => true), late]);
    cancel();
    return inTime;
  }

  /** Says farewell by an idle tick, then waits until all is durable. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopTicks();
    const { feeder, log, presence, receipts } = this.#options;
    const atMs = receipts.now();
    receipts.told(atMs);
    presence.leaves();
    const farewell = this.#enqueue(
      this.ticks({ kind: "tick", stream: LIVE, feeder, atMs, idle: true }),
      true,
    );
    const inTime = await this.#within(farewell, STOP_MS);
    this.#stopped = true;
    if (inTime !== "done")
      log.error(
        { records: this.#queue.length },
        "stopped with events that neither the bus nor the spool took",
      );
    if (this.#draining !== undefined) await this.#within(this.#draining, STOP_DRAIN_MS);
    await this.#options.spool.close();
  }

  #tickWhenDue(): void {
    const now = this.#options.receipts.now();
    if (this.#tickQueued || (!this.#eventsSinceTick && now - this.#tickMs < TICK_IDLE_MS)) return;
    void this.#tick(now);
  }

  #tick(atMs: number): Promise<void> {
    this.#tickMs = atMs;
    this.#eventsSinceTick = false;
    this.#tickQueued = true;
    const { feeder, receipts } = this.#options;
    receipts.told(atMs);
    return this.#enqueue(this.ticks({ kind: "tick", stream: LIVE, feeder, atMs }), true);
  }

  #enqueue(entries: readonly Entry[], isTick: boolean): Promise<void> {
    return new Promise((done) => {
      let bytes = 0;
      for (const entry of entries) bytes += entry.bytes;
      this.#queue.push({ entries, bytes, isTick, done });
      this.#queuedBytes += bytes;
      this.#options.metrics.queueBytes(this.#queuedBytes + this.#underWayBytes);
      this.#pumping ??= this.#pump();
    });
  }

  async #pump(): Promise<void> {
    await Promise.resolve(); // what is submitted in the same turn goes together
    while (this.#queue.length > 0 && !this.#stopped) {
      const { groups, records } = this.#take();
      if (!(await this.#write(records))) break; // stopped: nobody may take them for durable
      this.#underWayBytes = 0;
      this.#options.metrics.queueBytes(this.#queuedBytes);
      for (const group of groups) group.done();
      const woken = this.#waiting;
      this.#waiting = [];
      for (const wake of woken) wake();
    }
    this.#pumping = undefined;
  }

  #take(): { readonly groups: readonly Group[]; readonly records: readonly OutRecord[] } {
    const records: OutRecord[] = [];
    let bytes = 0;
    let count = 0;
    const { presence } = this.#options;
    for (const group of this.#queue) {
      if (count > 0 && !presence.isKnown) break; // the first tick goes alone
      const over =
        records.length + group.entries.length > BATCH_RECORDS_MAX ||
        bytes + group.bytes > BATCH_BYTES_MAX;
      if (count > 0 && over) break;
      count++;
      bytes += group.bytes;
      if (group.isTick) this.#tickQueued = false;
      for (const entry of group.entries) records.push(entry.record);
    }
    const groups = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    this.#queuedBytes -= bytes;
    this.#underWayBytes = bytes;
    return { groups, records };
  }

  /** Returns when the records are durable, and not before; false only when the process stops. */
  async #write(records: readonly OutRecord[]): Promise<boolean> {
    const { spool, clock, presence } = this.#options;
    let hanging: Promise<void> | undefined;
    while (!this.#stopped) {
      if (this.#draining === undefined) {
        const producing = hanging ?? this.#options.bus.produce(presence.toSend(records));
        const outcome = await this.#within(producing, PRODUCE_MS);
        if (outcome === "done") {
          if (!presence.isKnown) presence.begun();
          this.#say(true, "events go to the bus");
          return true;
        }
        hanging = outcome === "slow" ? producing : undefined;
      }
      if (this.#draining !== undefined && this.#isBack && spool.bytes < CATCH_UP_BYTES) {
        await clock.sleep(CATCH_UP_MS); // else a spool that is filled as fast as it empties would stay for ever
        continue;
      }
      this.#spooling = true;
      const kept = await spool.append(records);
      this.#spooling = false;
      if (kept === "kept") {
        this.#options.metrics.spoolBytes(spool.bytes);
        this.#startDraining(hanging);
        return true;
      }
      this.#say(false, SPOOL_WORDS[kept]);
      if (hanging === undefined) await clock.sleep(RETRY_MS);
    }
    return false;
  }

  #startDraining(hanging: Promise<void> | undefined): void {
    if (this.#draining !== undefined) return;
    this.#say(true, "the bus is away: events go to the spool on disk");
    this.#draining = this.#drain(hanging).finally(() => {
      this.#draining = undefined;
      this.#isBack = false;
      if (this.#options.spool.isEmpty) this.#say(true, "events go to the bus");
    });
  }

  /** Until the spool is empty, everything goes through it. */
  async #drain(hanging: Promise<void> | undefined): Promise<void> {
    const { spool, bus, clock, log, metrics, presence } = this.#options;
    let late = hanging;
    while (!this.#stopped) {
      if (late === undefined && !presence.isKnown) {
        await this.#introduce();
        continue; // perhaps stopped, and still not known
      }
      const next = await this.#next();
      if (next === undefined) {
        if (spool.isEmpty && !this.#spooling) return;
        await clock.sleep(10);
        continue;
      }
      const outcome = await this.#within(
        late ?? bus.produce(presence.toSend(next.records)),
        HANG_MS,
      );
      late = undefined;
      this.#isBack = outcome === "done";
      if (outcome === "done") {
        await this.#advance(next.bytes);
        metrics.spoolBytes(spool.bytes);
      } else {
        log.warn({ spoolBytes: spool.bytes }, "the bus is still away; spooled events wait");
        await clock.sleep(RETRY_MS);
      }
    }
  }

  /** Before the first record of a spool, whatever it holds: from here on the stages wait for this collector. */
  async #introduce(): Promise<void> {
    const { bus, clock, feeder, presence, receipts } = this.#options;
    while (!this.#stopped) {
      const atMs = receipts.now();
      receipts.told(atMs);
      const ticks = this.ticks({ kind: "tick", stream: LIVE, feeder, atMs });
      const producing = bus.produce(ticks.map(({ record }) => record));
      const outcome = await this.#within(producing, HANG_MS);
      if (outcome === "done") {
        presence.begun();
        return;
      }
      await clock.sleep(RETRY_MS);
    }
  }

  /** Where its place cannot be kept, what was sent may be sent again after a restart: stages know events by their ids. */
  async #advance(bytes: number): Promise<void> {
    try {
      await this.#options.spool.advance(bytes);
    } catch (error) {
      this.#options.log.error({ err: error }, "the spool's place cannot be kept; events go on");
    }
  }

  async #next(): ReturnType<Spool["read"]> {
    try {
      return await this.#options.spool.read();
    } catch (error) {
      this.#options.log.error({ err: error }, "the spool cannot be read; trying again");
      await this.#options.clock.sleep(RETRY_MS);
      return undefined;
    }
  }

  async #within(work: Promise<void>, ms: number): Promise<"done" | "failed" | "slow"> {
    let cancel = (): void => {};
    const slow = new Promise<"slow">((resolve) => {
      cancel = this.#options.clock.after(ms, () => resolve("slow"));
    });
    const outcome = await Promise.race([
      work.then(
        () => "done" as const,
        (error: unknown) => {
          this.#options.log.warn({ err: error }, `the bus refused: ${messageOf(error)}`);
          return "failed" as const;
        },
      ),
      slow,
    ]);
    cancel();
    return outcome;
  }

  #say(ok: boolean, text: string): void {
    if (text === this.#said) return;
    this.#said = text;
    this.#options.onState({ ok, text });
  }
}

// feeder.ts — a simulated collector: the real outbox, with its ticks and its spool, fed by senders that repeat what was
// not acknowledged.
//
// Holds: a live event is stamped once a delivery, with the receipt; an import's event with the clock that follows from
//        its place; both are judged as the product judges them.

import { Outbox } from "../../collectors/outbox.ts";
import { Presence } from "../../collectors/presence.ts";
import type { Entry } from "../../collectors/stamp.ts";
import { DAY_MS, type EcsEvent, judgeTime, LIVE } from "../../core/event.ts";
import { createLog } from "../../core/log.ts";
import { ReceiptClock } from "../../core/receipt-clock.ts";
import { type EventRecord, TOPIC } from "../../core/records.ts";
import type { Delivery, DrawnEvent } from "./drawn-events.ts";
import type { MemoryBus } from "./memory-bus.ts";
import { MemorySpool } from "./memory-spool.ts";
import { Process } from "./process.ts";
import type { World } from "./world.ts";

const DOWN_MS_MAX = 8000;
const silent = createLog({ level: "silent" });
const nobody = (): void => {};
const noMetrics = {
  ...{ received: nobody, late: nobody, implausible: nobody, deadLetters: nobody },
  ...{ dropped: nobody, refusedConnections: nobody, queueBytes: nobody, spoolBytes: nobody },
};

/** Old logs, in the order in which they are sent. */
export type Import = {
  readonly stream: string;
  readonly events: readonly DrawnEvent[];
  readonly fromMs: number; // when the sender begins
  readonly chunk: number; // lines at once
};

type Life = { readonly process: Process; readonly outbox: Outbox; isStopping: boolean };
type Sending = Import & { position: number; ended: boolean };

export class Feeder {
  readonly acknowledged = new Set<string>();
  readonly name: string;
  readonly startMs: number;
  readonly #bus: MemoryBus;
  readonly #world: World;
  readonly #latenessMs: number;
  readonly #deliveries: readonly Delivery[];
  readonly #done = new Set<Delivery>();
  readonly #imports: readonly Sending[];
  readonly #spool = new MemorySpool();
  #life: Life | undefined;
  #isDead = false;
  #setMs = 0; // how far its wall clock is from the truth
  #toldMs: number | undefined; // on its disk
  #knownFromMs: number | undefined; // on its disk

  constructor(parts: {
    readonly name: string;
    readonly bus: MemoryBus;
    readonly world: World;
    readonly latenessMs: number;
    readonly deliveries: readonly Delivery[];
    readonly imports: readonly Import[];
    readonly startMs: number; // it is not there before
  }) {
    this.name = parts.name;
    this.#bus = parts.bus;
    this.#world = parts.world;
    this.#latenessMs = parts.latenessMs;
    this.#deliveries = parts.deliveries;
    this.#imports = parts.imports.map((one) => ({ ...one, position: 0, ended: false }));
    this.startMs = parts.startMs;
    this.#world.scheduler.after(this.startMs - this.#world.nowMs, () => this.#start());
  }

  /** All that its senders had was acknowledged and is on the bus. */
  get isDone(): boolean {
    return (
      this.#life?.process.isAlive === true &&
      this.#done.size === this.#deliveries.length &&
      this.#imports.every(({ ended }) => ended) &&
      this.#spool.isEmpty
    );
  }

  /** It is never heard again. */
  die(): void {
    this.#isDead = true;
    this.#life?.process.end();
  }

  /** As by SIGTERM: it takes no more, says farewell, and comes back later. */
  stop(): void {
    const life = this.#life;
    if (!life?.process.isAlive || life.isStopping) return;
    life.isStopping = true;
    void life.outbox.stop().then(() => life.process.end());
  }

  /** Somebody sets its clock. */
  setClock(ms: number): void {
    this.#setMs = ms;
  }

  #start(): void {
    const world = this.#world;
    const process = new Process(world, this.name, "feeder crash");
    process.atEnd(() => {
      if (this.#isDead) return;
      world.scheduler.after(world.chance.int(1, DOWN_MS_MAX), () => this.#start());
    });
    const receipts = new ReceiptClock({
      wallMs: () => process.clock.now() + this.#setMs,
      monotonicMs: process.clock.monotonicMs,
      toldMs: this.#toldMs,
    });
    const told = (atMs: number): void => {
      this.#toldMs = atMs;
    };
    const presence = new Presence({
      knownFromMs: this.#knownFromMs,
      save: (fromMs) => {
        this.#knownFromMs = fromMs;
      },
      ...{ latenessMs: this.#latenessMs, nowMs: receipts.now, metrics: noMetrics },
    });
    const outbox = new Outbox({
      bus: this.#bus.connect(process),
      spool: this.#spool.opened(process),
      clock: process.clock,
      ...{ receipts: { now: receipts.now, told }, presence },
      log: silent,
      metrics: noMetrics,
      feeder: this.name,
      queueBytesMax: 1_000_000,
      onState: () => {},
    });
    this.#life = { process, outbox, isStopping: false };
    void this.#listen(this.#life);
  }

  /** As collectors/collect.ts. */
  async #listen(life: Life): Promise<void> {
    const { process, outbox } = life;
    const { world } = process;
    await outbox.begun;
    for (const delivery of this.#deliveries) {
      if (this.#done.has(delivery)) continue;
      process.clock.after(delivery.atMs - world.nowMs, () => void this.#deliver(delivery, life));
    }
    for (const one of this.#imports)
      if (!one.ended)
        process.clock.after(one.fromMs - world.nowMs, () => void this.#send(one, life));
  }

  async #deliver(delivery: Delivery, { outbox, isStopping }: Life): Promise<void> {
    if (isStopping) return;
    await outbox.submit((receiptMs) => [
      this.#entry(delivery.event, { stream: LIVE, clockMs: receiptMs, receiptMs }),
    ]);
    this.acknowledged.add(delivery.event.id);
    this.#done.add(delivery);
  }

  /** As collectors/streams.ts: a chunk that comes again has the same ids and clocks. */
  async #send(one: Sending, life: Life): Promise<void> {
    const { stream, events } = one;
    const { outbox } = life;
    while (one.position < events.length) {
      if (life.isStopping) return;
      const from = one.position;
      const chunk = events.slice(from, from + one.chunk);
      await outbox.submit((receiptMs) => {
        const entries = chunk.map((event, index) => {
          const clockMs = clockAt(events, from + index);
          return this.#entry(event, { stream, clockMs, receiptMs });
        });
        const atMs = clockAt(events, from + chunk.length - 1);
        if (atMs === undefined) return entries;
        return [...entries, ...outbox.ticks({ kind: "tick", stream, feeder: this.name, atMs })];
      });
      for (const { id } of chunk) this.acknowledged.add(id);
      one.position += chunk.length;
    }
    if (life.isStopping) return;
    const atMs = endOf(events);
    await outbox.submit(() =>
      outbox.ticks({ kind: "tick", stream, feeder: this.name, atMs, end: true }),
    );
    one.ended = true;
  }

  #entry(
    drawn: DrawnEvent,
    at: {
      readonly stream: string;
      readonly clockMs: number | undefined;
      readonly receiptMs: number;
    },
  ): Entry {
    const { stream, clockMs, receiptMs } = at;
    const { timeMs } = drawn;
    const event: EcsEvent = {
      "@timestamp": new Date(timeMs).toISOString(),
      event: { id: drawn.id },
      host: { name: drawn.host },
      sim: drawn.sim,
      wache: {
        stream,
        feeder: this.name,
        sources: [{ product: "simulation" }],
        ...(clockMs !== undefined && { clockMs }),
        ...judgeTime({ timeMs, clockMs, receiptMs, latenessMs: this.#latenessMs }),
      },
    };
    const value: EventRecord = { kind: "event", event };
    return { record: { topic: TOPIC.events, key: drawn.host, value }, bytes: 1000 };
  }
}

const CLOCK_TIMES = 9;

/** How far the stream came: its clock, or a later time of its last ones behind which no more than a day was lost again. */
export function endOf(events: readonly DrawnEvent[]): number {
  const last = events.slice(-CLOCK_TIMES).map(({ timeMs }) => timeMs);
  const kept = last.filter((timeMs, place) =>
    last.slice(place).every((later) => later >= timeMs - DAY_MS),
  );
  const middle = last.toSorted((a, b) => a - b)[(last.length - 1) >> 1] ?? 0;
  return Math.max(middle, clockAt(events, events.length - 1) ?? middle, ...kept);
}

/** The highest median of the last times, known once there are so many: as the product's clock, for shorter streams. */
function clockAt(events: readonly DrawnEvent[], index: number): number | undefined {
  let clockMs: number | undefined;
  for (let end = CLOCK_TIMES; end <= index + 1; end++) {
    const last = events.slice(end - CLOCK_TIMES, end).map(({ timeMs }) => timeMs);
    const median = last.sort((a, b) => a - b)[CLOCK_TIMES >> 1] ?? 0;
    clockMs = Math.max(clockMs ?? median, median);
  }
  return clockMs;
}

// receipts.ts — the collector's clock of receipts and ticks: where its last tick is kept, and who hears of a jump.
//
// Holds: a process that starts with its clock set back stamps nothing before the ticks that it told in an earlier life.
import { Counter, Gauge } from "prom-client";
import { type ClockState, ReceiptClock } from "../core/receipt-clock.ts";
import type { ServiceContext } from "../core/service.ts";
import type { CollectorDb } from "./collector-db.ts";
import type { Receipts } from "./outbox.ts";

const STEADY = "receipts follow the wall clock";

export function receiptsOf(
  { clock, log, metrics, status }: Pick<ServiceContext, "clock" | "log" | "metrics" | "status">,
  db: Pick<CollectorDb, "told" | "saveTold">,
): Receipts {
  const jumps = new Counter({
    name: "wache_clock_jumps_total",
    help: "Jumps of the wall clock by a second or more, or a start with a clock behind the last tick.",
    registers: [metrics],
  });
  const receipts = new ReceiptClock({
    wallMs: clock.now,
    monotonicMs: clock.monotonicMs,
    toldMs: db.told(),
    onChange: (state) => {
      const text = wordsOf(state, clock.now());
      if (state.kind === "jumped") jumps.inc();
      if (state.kind === "steady") log.info(text);
      else log.warn(text);
      status.set("clock", { ok: state.kind === "steady", ready: true, text });
    },
  });
  status.set("clock", { ok: true, text: STEADY });
  new Gauge({
    name: "wache_clock_jump_seconds",
    help: "How far the wall clock is ahead of the clock of receipts; 0 while they agree.",
    registers: [metrics],
    collect() {
      this.set(receipts.aheadMs / 1000);
    },
  });
  return { now: receipts.now, told: keptIfPossible(db.saveTold, log) };
}

/** A full disk stops no tick: what could not be kept matters only after a restart. */
export function keptIfPossible<T>(
  save: (value: T) => void,
  log: ServiceContext["log"],
): (value: T) => void {
  let isKept = true;
  return (value) => {
    try {
      save(value);
      isKept = true;
    } catch (error) {
      if (isKept)
        log.error(
          { err: error },
          "collector.db cannot be written: events that come right after a restart may count as late",
        );
      isKept = false;
    }
  };
}

function wordsOf(state: ClockState, wallMs: number): string {
  switch (state.kind) {
    case "steady":
      return STEADY;
    case "jumped": {
      const way = state.byMs > 0 ? "ahead of" : "behind";
      const until = new Date(wallMs + state.adoptInMs).toISOString();
      return `the wall clock jumped, it is ${spanOf(Math.abs(state.byMs))} ${way} the receipts; they follow it if it stays so until ${until}`;
    }
    case "standing":
      return `the wall clock was set back: receipts and ticks stand still for ${spanOf(state.forMs)}, until it has caught up; events of that time are late where they are older than time.lateness`;
  }
}

const spanOf = (ms: number): string =>
  ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;

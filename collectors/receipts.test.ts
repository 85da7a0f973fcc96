// receipts.test.ts — receipts over restarts and jumps, and who hears of them.
import { expect, onTestFinished, test } from "vitest";
import { openCollectorDb } from "./collector-db.ts";
import { makeRig, type Rig } from "./fixtures/rig.ts";
import { receiptsOf } from "./receipts.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

function open(rig: Rig) {
  const db = openCollectorDb(rig.dir);
  const receipts = receiptsOf(rig.context, db);
  const figure = async (name: string): Promise<unknown> =>
    (await rig.context.metrics.getSingleMetric(name)?.get())?.values[0]?.value;
  const words = (): string | undefined => rig.context.status.all().clock?.text;
  return { db, receipts, figure, words };
}

/** Ticks look at the clock each second. */
async function pass(rig: Rig, now: () => number, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10_000) {
    await rig.clock.advance(Math.min(left, 10_000));
    now();
  }
}

test("a process that starts with its clock an hour back stamps nothing before the ticks of its earlier life", async () => {
  const first = makeRig();
  onTestFinished(() => first.remove());
  const before = open(first);
  const toldMs = before.receipts.now();
  before.receipts.told(toldMs);
  before.db.close();
  const second = makeRig({ dir: first.dir });
  second.clock.setBack(HOUR_MS);
  const { db, receipts, words, figure } = open(second);
  onTestFinished(() => db.close());
  expect(receipts.now()).toBe(toldMs);
  expect(words()).toContain("the wall clock jumped, it is 60 min behind the receipts");
  expect([
    await figure("wache_clock_jumps_total"),
    await figure("wache_clock_jump_seconds"),
  ]).toEqual([1, -3600]);
  await pass(second, receipts.now, 6 * MINUTE_MS);
  const stoodMs = receipts.now();
  expect(stoodMs).toBe(toldMs + 5 * MINUTE_MS - 10_000); // as of the look before
  expect(words()).toContain("receipts and ticks stand still");
  await pass(second, receipts.now, 58 * MINUTE_MS);
  expect(receipts.now()).toBe(stoodMs);
  await pass(second, receipts.now, 2 * MINUTE_MS);
  expect(receipts.now()).toBe(toldMs + 6 * MINUTE_MS);
  expect([words(), await figure("wache_clock_jump_seconds")]).toEqual([
    "receipts follow the wall clock",
    0,
  ]);
});

test("a disk that takes nothing stops no receipt", () => {
  const rig = makeRig();
  onTestFinished(() => rig.remove());
  const { db, receipts } = open(rig);
  db.close();
  receipts.told(1);
  receipts.told(2);
  expect(receipts.now()).toBe(rig.clock.now());
});

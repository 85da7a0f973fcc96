// receipt-clock.test.ts — receipts whatever the wall clock does.
import { expect, test } from "vitest";
import { ADOPT_MS, type ClockState, JUMP_MS_MIN, ReceiptClock } from "./receipt-clock.ts";

const START_MS = Date.UTC(2026, 0, 15, 12);
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Time goes on by a second at a time, as ticks look at it. */
function make(toldMs?: number) {
  let monotonicMs = 5_000.4;
  let setMs = 0;
  const said: ClockState["kind"][] = [];
  const clock = new ReceiptClock({
    wallMs: () => Math.floor(START_MS + monotonicMs - 5_000.4 + setMs),
    monotonicMs: () => monotonicMs,
    toldMs,
    onChange: ({ kind }) => said.push(kind),
  });
  const at = (): number => clock.now() - START_MS;
  let last = at();
  return {
    ...{ clock, said, at },
    set: (ms: number) => {
      setMs += ms;
    },
    pass: (ms: number): number => {
      for (let left = ms; left > 0; left -= 1000) {
        monotonicMs += Math.min(left, 1000);
        const next = at();
        if (next < last) throw new Error(`the clock went back from ${last} to ${next}`);
        last = next;
      }
      return last;
    },
  };
}

test.for([
  { name: "nobody sets it", setMs: 0, soon: 60_000, later: 10 * MINUTE_MS, said: [] },
  {
    name: "a little ahead",
    ...{ setMs: JUMP_MS_MIN - 1, soon: 60_999, later: 10 * MINUTE_MS + 999, said: [] },
  },
  {
    name: "a little back: it waits for so long",
    ...{ setMs: -(JUMP_MS_MIN - 1), soon: 59_001, later: 10 * MINUTE_MS - 999, said: [] },
  },
  {
    name: "a second ahead is a jump",
    ...{ setMs: JUMP_MS_MIN, soon: 60_000, later: 10 * MINUTE_MS + 1000 },
    said: ["jumped", "steady"] as const,
  },
  {
    name: "an hour ahead",
    ...{ setMs: HOUR_MS, soon: 60_000, later: HOUR_MS + 10 * MINUTE_MS },
    said: ["jumped", "steady"] as const,
  },
  {
    name: "an hour back: it stands where it was when the jump was adopted",
    ...{ setMs: -HOUR_MS, soon: 60_000, later: ADOPT_MS },
    said: ["jumped", "standing"] as const,
  },
])("the wall clock is set: $name", ({ setMs, soon, later, said }) => {
  const made = make();
  made.set(setMs);
  expect(made.pass(60_000)).toBeGreaterThanOrEqual(soon - 1001);
  expect(made.at()).toBeLessThanOrEqual(soon);
  const lateMs = made.pass(9 * MINUTE_MS);
  expect(Math.abs(lateMs - later)).toBeLessThanOrEqual(1001);
  expect(made.said).toEqual(said);
});

test("a jump that is taken back is forgotten; the one after it waits anew", () => {
  const made = make();
  made.set(HOUR_MS);
  made.pass(ADOPT_MS - 1000);
  made.set(-HOUR_MS);
  made.pass(2 * MINUTE_MS);
  made.set(HOUR_MS);
  expect(made.pass(ADOPT_MS - 1000)).toBeLessThan(HOUR_MS);
  expect(made.said).toEqual(["jumped", "steady", "jumped"]);
  expect(made.clock.aheadMs).toBe(HOUR_MS);
});

test("a second jump is told again, and counts from its own beginning", () => {
  const made = make();
  made.set(HOUR_MS);
  made.pass(ADOPT_MS - 1000);
  made.set(HOUR_MS);
  expect(made.pass(ADOPT_MS - 1000)).toBeLessThan(HOUR_MS);
  expect(made.pass(2000)).toBeGreaterThan(2 * HOUR_MS);
  expect(made.said).toEqual(["jumped", "jumped", "steady"]);
});

test("set back for good, it stands for as long as the jump was wide, and goes on", () => {
  const made = make();
  made.set(-HOUR_MS);
  const stoodMs = made.pass(ADOPT_MS + 1000);
  expect(made.pass(50 * MINUTE_MS)).toBe(stoodMs);
  expect(made.pass(20 * MINUTE_MS)).toBeGreaterThan(stoodMs);
  expect(made.said).toEqual(["jumped", "standing", "steady"]);
  expect(made.clock.aheadMs).toBe(0);
});

test.for([
  { name: "told nothing before", told: undefined, want: 0 },
  { name: "told a while ago", told: START_MS - HOUR_MS, want: 0 },
  { name: "told what is in an hour", told: START_MS + HOUR_MS, want: HOUR_MS },
])("a new life: $name", ({ told, want }) => {
  const made = make(told);
  expect(made.at()).toBe(want);
  expect(made.pass(60_000)).toBe(want + 60_000);
  const isBack = want > 0;
  expect(made.said).toEqual(isBack ? ["jumped"] : []);
  if (isBack) expect(made.pass(30 * MINUTE_MS)).toBeLessThanOrEqual(HOUR_MS + ADOPT_MS);
});

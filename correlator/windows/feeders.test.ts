// feeders.test.ts — whose ticks make the clock, and who is waited for how long.
import { expect, test } from "vitest";
import { ENDED_MS } from "./clocks.ts";
import { Feeders } from "./feeders.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SILENT_MS = 15 * MINUTE_MS;
const START_MS = Date.UTC(2026, 0, 15, 12);

/** Ticks in the order of the log: a feeder, minutes after the start, and whether it says farewell. */
type Told = readonly [feeder: string, minutes: number, idle?: "idle"];
function clockAfter(told: readonly Told[]): {
  readonly clock: (number | undefined)[];
  readonly silent: string[];
} {
  let feeders = new Feeders(SILENT_MS);
  const clock = told.map(([feeder, minutes, idle]) => {
    const atMs = START_MS + minutes * MINUTE_MS;
    const after = feeders.tick(feeder, { atMs, ...(idle && { idle: true }) });
    feeders = new Feeders(SILENT_MS, JSON.parse(JSON.stringify(feeders.stored())));
    return after === undefined ? undefined : (after - START_MS) / MINUTE_MS;
  });
  return { clock, silent: feeders.silent().map(({ feeder }) => feeder) };
}
const minutes = (feeder: string, from: number, to: number): Told[] =>
  Array.from({ length: to - from + 1 }, (_, index) => [feeder, from + index] as const);

test.for<{
  name: string;
  told: readonly Told[];
  clock: number | undefined; // after the last tick
  silent?: string[];
}>([
  { name: "one alone is the clock", told: minutes("a", 0, 3), clock: 3 },
  {
    name: "of two the one that is behind",
    told: [["a", 0], ["b", 0], ...minutes("a", 1, 9)],
    clock: 0,
  },
  {
    name: "one that left is not waited for",
    told: [
      ["a", 0],
      ["b", 0, "idle"],
      ["a", 1],
    ],
    clock: 1,
  },
  {
    name: "one that left and speaks again is",
    told: [
      ["a", 0],
      ["b", 0, "idle"],
      ["a", 1],
      ["b", 2],
      ["a", 5],
    ],
    clock: 2,
  },
  {
    name: "the last who leaves is the clock",
    told: [
      ["a", 3],
      ["b", 2, "idle"],
      ["a", 4, "idle"],
    ],
    clock: 4,
  },
  {
    name: "a silent one is waited for",
    told: [["b", 0], ...minutes("a", 0, 14)],
    clock: 0,
  },
  {
    name: "for 15 minutes, then it is passed over and told",
    told: [["b", 0], ...minutes("a", 0, 15)],
    ...{ clock: 15, silent: ["b"] },
  },
  {
    name: "a silent one that speaks again is waited for again",
    told: [["b", 0], ...minutes("a", 0, 20), ["b", 20], ...minutes("a", 21, 30)],
    clock: 20,
  },
  {
    name: "one that stands still, for its clock was set back, is not silent",
    told: [["b", 0], ...minutes("a", 0, 30).flatMap((tick) => [tick, ["b", 0] as const])],
    clock: undefined,
  },
  {
    name: "one whose clock is an hour ahead pushes nobody out",
    told: minutes("a", 0, 5).flatMap(([name, at]) => [
      ["ahead", at + 60] as const,
      [name, at] as const,
    ]),
    clock: 5,
  },
  {
    name: "and is waited for itself, where it is behind",
    told: minutes("a", 0, 5)
      .flatMap(([name, at]) => [["behind", at - 60] as const, [name, at] as const])
      .slice(0, -1),
    clock: -55,
  },
  {
    name: "one whose clock jumps an hour pushes nobody out at once",
    told: [
      ["b", 0],
      ["a", 0],
      ["a", 1],
      ["a", 61],
    ],
    clock: 0,
  },
  {
    name: "two that wake from a sleep of an hour do not push out the third",
    told: [
      ["a", 0],
      ["b", 0],
      ["c", 0],
      ["a", 60],
      ["b", 60],
      ["a", 61],
    ],
    clock: 0,
  },
  {
    name: "a new one that brings old ticks pushes nobody out while it catches up",
    told: [...minutes("a", 0, 40), ...minutes("new", 10, 40)],
    clock: 40,
  },
])("the clock of feeders: $name", ({ told, clock, silent = [] }) => {
  const after = clockAfter(told);
  expect([after.clock.at(-1), after.silent]).toEqual([clock, silent]);
});

test("an import ends with its last feeder, and is never passed over", () => {
  const feeders = new Feeders(Number.POSITIVE_INFINITY);
  expect(feeders.tick("a", { atMs: START_MS })).toBe(START_MS);
  expect(feeders.tick("b", { atMs: START_MS + HOUR_MS })).toBe(START_MS);
  expect(feeders.tick("a", { atMs: ENDED_MS })).toBe(START_MS + HOUR_MS);
  expect(feeders.tick("b", { atMs: ENDED_MS })).toBe(ENDED_MS);
});

test("who left or fell silent a day ago is forgotten", () => {
  const feeders = new Feeders(SILENT_MS);
  for (const name of ["silent", "left"])
    feeders.tick(name, { atMs: START_MS, ...(name === "left" && { idle: true }) });
  const names = (): string[] => feeders.stored().feeders.map(([name]) => name);
  for (let at = 0; at <= 24; at += 1 / 12) feeders.tick("a", { atMs: START_MS + at * HOUR_MS });
  expect(names()).toEqual(["silent", "left", "a"]);
  for (let at = 24; at <= 25; at += 1 / 12) feeders.tick("a", { atMs: START_MS + at * HOUR_MS });
  expect(names()).toEqual(["a"]);
});

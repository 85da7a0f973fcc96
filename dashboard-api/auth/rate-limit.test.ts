import { expect, test } from "vitest";
import { createRateLimit } from "./rate-limit.ts";

test.for([
  {
    name: "room for two, a third waits for the rest of the window",
    takes: ["a", "a", "a"],
    want: [0, 0, 10],
  },
  { name: "each key for itself", takes: ["a", "b", "a", "b"], want: [0, 0, 0, 0] },
  {
    name: "the key that was begun first makes room for a fourth",
    takes: ["a", "a", "b", "c", "d", "a"],
    want: [0, 0, 0, 0, 0, 0],
  },
  {
    name: "one that stays keeps its count",
    takes: ["a", "b", "b", "c", "d", "b"],
    want: [0, 0, 0, 0, 0, 10],
  },
  { name: "nothing", takes: [], want: [] },
])("$name", ({ takes, want }) => {
  const limit = createRateLimit({ triesMax: 2, windowMs: 10_000, keysMax: 3 });
  expect(takes.map((key) => limit.take(key, 0))).toEqual(want);
});

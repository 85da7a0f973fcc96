import fc from "fast-check";
import { expect, test } from "vitest";
import { DueNames } from "./due-names.ts";

test("names are taken at the earliest time that they were put at, each once, however they come and go", () => {
  const step = fc.record({
    do: fc.constantFrom(
      "put",
      "put",
      "put",
      "put",
      "put",
      "put",
      "delete",
      "delete",
      "take",
      "take",
      "all",
    ),
    name: fc.nat(20).map((number) => `n${number}`),
    atMs: fc.integer({ min: -5, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const names = new DueNames();
      const naive = new Map<string, number>();
      for (const { do: what, name, atMs } of steps) {
        if (what === "put") {
          names.put(name, atMs);
          naive.set(name, Math.min(atMs, naive.get(name) ?? atMs));
        } else if (what === "delete") {
          names.delete(name);
          naive.delete(name);
        } else if (what === "all") {
          expect([...names.takeAll()].sort()).toEqual([...naive.keys()].sort());
          naive.clear();
        } else {
          const due = [...naive].filter(([, dueMs]) => dueMs <= atMs).map(([one]) => one);
          for (const one of due) naive.delete(one);
          expect([...names.take(atMs)].sort()).toEqual(due.sort());
        }
        expect(names.has(name)).toBe(naive.has(name));
      }
    }),
  );
});

test("names that are put and deleted again and again are found all the same", () => {
  const names = new DueNames();
  for (let number = 0; number < 5000; number++) {
    names.put(`n${number}`, 10);
    if (number > 2) names.delete(`n${number}`);
  }
  expect(names.take(9)).toEqual([]);
  expect([...names.take(10)].sort()).toEqual(["n0", "n1", "n2"]);
});

// Sums and ranks against a naive program, whatever came in between and left again.
import fc from "fast-check";
import { expect, test } from "vitest";
import { numberOf } from "../decimal.ts";
import { ExactSum } from "./exact.ts";
import { SortedNumbers } from "./sorted-numbers.ts";

test.for([
  { value: 12, want: 12 },
  { value: -0, want: 0 },
  { value: 0.1, want: 0.1 },
  { value: "12", want: 12 },
  { value: "-12.50", want: -12.5 },
  { value: "+.5", want: 0.5 },
  { value: "1e3", want: 1000 },
  { value: "1E-9999", want: 0 },
  { value: "9007199254740993", want: 9007199254740992 }, // as a number in JSON would be
  { value: "1e999", want: undefined },
  { value: "", want: undefined },
  { value: " 1", want: undefined },
  { value: "0x10", want: undefined },
  { value: "1,5", want: undefined },
  { value: "1_000", want: undefined },
  { value: "12 MB", want: undefined },
  { value: "Infinity", want: undefined },
  { value: "NaN", want: undefined },
  { value: "٣", want: undefined },
  { value: "1".repeat(65), want: undefined },
  { value: "1".repeat(1_000_000), want: undefined },
  { value: true, want: undefined },
  { value: null, want: undefined },
  { value: [1], want: undefined },
  { value: { a: 1 }, want: undefined },
  { value: Number.NaN, want: undefined },
  { value: Number.POSITIVE_INFINITY, want: undefined },
])("the number of $value", ({ value, want }) => {
  expect(numberOf(value)).toBe(want);
});

test.for([
  { name: "decimals add up as they are written", numbers: [0.1, 0.2], wanted: 0.3 },
  { name: "ten tenths are one", numbers: Array.from({ length: 10 }, () => 0.1), wanted: 1 },
  { name: "a small number beside a large one", numbers: [1e15, 0.001, -1e15], wanted: 0.001 },
  { name: "beyond 2^53", numbers: [2 ** 53 - 1, 2 ** 53 - 1, 2, -(2 ** 53)], wanted: 2 ** 53 },
  { name: "the largest and the smallest", numbers: [1e308, 1e308, -1e308, 5e-324], wanted: 1e308 },
])("$name", ({ numbers, wanted }) => {
  const sum = new ExactSum();
  for (const number of numbers) sum.add(number);
  const more = numbers.includes(5e-324) ? 1 : 0;
  expect(sum.compare(wanted)).toBe(more);
  sum.add(-0.001);
  expect(sum.compare(wanted)).toBe(-1);
  sum.add(0.002);
  expect(sum.compare(wanted)).toBe(1);
});

const ANY = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
  fc.integer({ min: -5000, max: 5000 }).map((thousandths) => thousandths / 1000),
);

test("what was added and taken out again leaves no trace, in any order", () => {
  fc.assert(
    fc.property(fc.array(ANY, { maxLength: 30 }), fc.array(ANY), ANY, (stay, leave, wanted) => {
      const [one, other] = [new ExactSum(), new ExactSum()];
      for (const number of stay) one.add(number);
      for (const number of leave) other.add(number);
      for (const number of stay.toReversed()) other.add(number);
      for (const number of leave) other.add(number, -1);
      expect(other.compare(wanted)).toBe(one.compare(wanted));
      one.add(wanted, -1);
      for (const number of stay) one.add(number, -1);
      one.add(wanted);
      expect(one.compare(0)).toBe(0);
    }),
  );
});

test("each rank, while numbers come and go", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -40, max: 40 }), { maxLength: 3000 }), (drawn) => {
      const sorted = new SortedNumbers();
      const naive: number[] = [];
      drawn.forEach((number, index) => {
        if (index % 3 === 2 && index % 1000 > 400) {
          const gone = naive.splice(index % naive.length, 1)[0] ?? 0;
          sorted.remove(gone);
          sorted.remove(99.5); // is not there
        } else {
          naive.push(number);
          sorted.add(number);
        }
      });
      naive.sort((left, right) => left - right);
      expect(sorted.length).toBe(naive.length);
      expect(naive.map((_, rank) => sorted.at(rank))).toEqual(naive);
      expect(sorted.at(naive.length)).toBeUndefined();
    }),
    {
      numRuns: 50,
      examples: [[Array.from({ length: 3000 }, (_, index) => (index * 7919) % 3001)]],
    },
  );
});

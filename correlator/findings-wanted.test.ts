import { expect, test } from "vitest";
import { areAsWanted } from "./findings-wanted.ts";
import type { FindingWanted } from "./rule-test-file.ts";

const two = { rule: "r", count: 2 };
const a = { user: "a", host: "h" };
const b = { user: "b" };
const aHigh = { ...two, group: a, level: "high", suppressed: 0 };
const aLow = { ...two, group: a, level: "low", suppressed: 3 };
const bHigh = { ...two, group: b, level: "high", suppressed: 0 };
const bLow = { ...two, group: b, level: "low", suppressed: 0 };

type Row = {
  readonly name: string;
  readonly found: readonly FindingWanted[];
  readonly wanted: readonly FindingWanted[];
  readonly same: boolean;
};
test.for<Row>([
  { name: "none, none wanted", found: [], wanted: [], same: true },
  { name: "none, one wanted", found: [], wanted: [two], same: false },
  { name: "one, none wanted", found: [aHigh], wanted: [], same: false },
  { name: "another rule", found: [aHigh], wanted: [{ ...two, rule: "q" }], same: false },
  { name: "another count", found: [aHigh], wanted: [{ ...two, count: 3 }], same: false },
  { name: "another level", found: [aHigh], wanted: [{ ...two, level: "low" }], same: false },
  { name: "a level", found: [aHigh], wanted: [{ ...two, level: "high" }], same: true },
  { name: "other episodes", found: [aLow], wanted: [{ ...two, suppressed: 0 }], same: false },
  {
    name: "a group in another order",
    found: [aHigh],
    wanted: [{ ...two, group: { host: "h", user: "a" } }],
    same: true,
  },
  { name: "half a group", found: [aHigh], wanted: [{ ...two, group: b }], same: false },
  {
    name: "only one names its level",
    found: [aHigh, bLow],
    wanted: [{ ...two, group: a, level: "high" }, two],
    same: true,
  },
  {
    name: "only one names its episodes",
    found: [aLow, bLow],
    wanted: [two, { ...two, suppressed: 3 }],
    same: true,
  },
  {
    name: "one finding for two who name it",
    found: [aHigh, bLow],
    wanted: [
      { ...two, level: "high" },
      { ...two, group: a },
    ],
    same: false,
  },
  {
    name: "each names something else, and only one way fits",
    found: [aHigh, bHigh, aLow],
    wanted: [two, { ...two, group: a }, { ...two, level: "high" }],
    same: true,
  },
  {
    name: "alike but for what one names",
    found: [bHigh, bHigh, bLow],
    wanted: [two, two, { ...two, level: "low" }],
    same: true,
  },
])("findings and what is wanted: $name", ({ found, wanted, same }) => {
  const other = (list: readonly FindingWanted[]) => list.toReversed();
  const orders = [
    [found, wanted],
    [other(found), wanted],
    [found, other(wanted)],
    [other(found), other(wanted)],
  ] as const;
  expect(orders.map(([these, those]) => areAsWanted(these, those))).toEqual(orders.map(() => same));
});

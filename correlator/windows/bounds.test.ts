// More in a group than it may have: the oldest goes, what is left decides, and the findings say so. More groups than there
// may be: what one that gives way has found is told.
import { expect, test } from "vitest";
import type { CorrelationRule } from "../../core/records.ts";
import { Bench, endTick, signalOf, tick } from "./fixtures/bench.ts";

const rule = (over: Partial<CorrelationRule>): CorrelationRule => ({
  ...{ version: "v1", about: { id: "many", title: "many", level: "high", tags: [] } },
  ...{ type: "value_count", spanMs: 100, condition: { gte: 3, field: ["x"] }, rules: ["r0"] },
  ...{ groupBy: ["user.name"], level: 0, generate: true, feeds: [] },
  ...over,
});

/** Each match has as many values as told, that no other has. */
function run(of: CorrelationRule, times: readonly number[], values = 1): Bench {
  const bench = new Bench({ latenessMs: 0, matchesMax: 20, valuesMax: 100 });
  bench.force(of);
  for (const [n, at] of times.entries()) {
    const signal = signalOf(of, { at, id: `e${n}`, group: ["ann"] });
    const own = Array.from({ length: values }, (_, index) => `${n}/${index}`);
    bench.send({ ...signal, matches: signal.matches.map((match) => ({ ...match, values: own })) });
  }
  return bench;
}
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

test.for([
  { name: "as many matches as it may have", times: upTo(20), values: 1, forgotten: 0 },
  { name: "one more", times: upTo(21), values: 1, forgotten: 6 },
  { name: "as many values as it may have", times: upTo(10), values: 10, forgotten: 0 },
  { name: "one more match with values", times: upTo(11), values: 10, forgotten: 4 },
  { name: "all at one time: no more are taken", times: upTo(40).map(() => 5), forgotten: 19 },
  {
    name: "all at one time, then others",
    times: [...upTo(40).map(() => 5), ...upTo(30).map((n) => 6 + n)],
    forgotten: 19 + 21 + 12,
  },
])("a group with $name", ({ times, values = 1, forgotten }) => {
  const bench = run(rule({}), times, values);
  bench.send(endTick);
  const [finding, ...others] = bench.told();
  expect(others).toEqual([]);
  expect(bench.counts().forgotten).toBe(forgotten);
  expect(finding?.bounded).toBe(forgotten > 0 ? true : undefined);
  expect(finding?.lastMs).toBe(times.at(-1));
});

test.for([
  { name: "as they grow", onlyLast: false, told: ["1: 3, 6"] },
  { name: "when they are complete", onlyLast: true, told: ["1: 6"] },
])(
  "a group that gives way to others tells what it found, of findings told $name",
  ({ onlyLast, told }) => {
    const bench = new Bench({ latenessMs: 0, groupsMax: 3, onlyLast });
    const count = rule({ type: "event_count", condition: { gte: 3 } });
    bench.force(count);
    const send = (group: string, at: number) =>
      bench.send(signalOf(count, { at, id: `${group}${at}`, group: [group] }));
    for (let at = 1; at <= 6; at++) send("ann", at);
    for (const [n, other] of ["ben", "cal", "dan"].entries()) send(other, 2000 + n);
    expect(bench.counts().evicted).toBe(1);
    const found = Map.groupBy(bench.revisions, ({ firstMs }) => firstMs);
    expect(
      [...found].map(([ms, all]) => `${ms}: ${all.map((one) => one.count).join(", ")}`),
    ).toEqual(told);
  },
);

test("a group that comes again when there is no more room stays, and tells what it finds", () => {
  const bench = new Bench({ latenessMs: 0, groupsMax: 4, onlyLast: true });
  const count = rule({ type: "event_count", spanMs: 100_000, condition: { gte: 2 } });
  bench.force(count);
  const send = (group: string, at: number) =>
    bench.send(signalOf(count, { at, id: `${group}${at}`, group: [group] }));
  for (const at of [0, 1000]) send("eve", at);
  send("dan", 90_000);
  bench.send(tick(102_000));
  for (const group of ["ann", "ben", "cal"]) send(group, 102_000);
  for (const at of [103_000, 104_000]) send("eve", at);
  bench.send(endTick);
  expect(bench.told().map(({ firstMs, lastMs }) => [firstMs, lastMs])).toEqual([
    [0, 1000],
    [103_000, 104_000],
  ]);
});

const threeOf = (over: Partial<CorrelationRule> = {}): CorrelationRule =>
  rule({ type: "event_count", condition: { gte: 3 }, ...over });
const inAll = ({ bench, of }: { readonly bench: Bench; readonly of: CorrelationRule }) => ({
  send: (group: string, ...times: number[]) => {
    for (const at of times) bench.send(signalOf(of, { at, id: `${group}${at}`, group: [group] }));
  },
  found: () => bench.told().map((one) => [one.group["user.name"], one.count, one.bounded]),
});

test.for([
  { name: "while more of it may come", tickMs: 0, bounded: true, forgotten: 3, late: 15 },
  { name: "when no more of it may come", tickMs: 250, bounded: undefined, forgotten: 2, late: 15 },
  { name: "and the rule waits", tickMs: 25, waits: true, bounded: true, forgotten: 2, late: 15 },
])("a finding that was told before its matches are forgotten: $name", (row) => {
  const of = threeOf(row.waits ? { condition: { gte: 2, lte: 100 } } : {});
  const bench = new Bench({ latenessMs: 0, matchesMax: 4 });
  bench.force(of);
  const { send, found } = inAll({ bench, of });
  send("ann", 10, 20, 30);
  bench.send(tick(row.tickMs));
  send("ann", 300, 310, row.late);
  const [first] = [...bench.findings.values()].filter(({ firstMs }) => firstMs === 10);
  expect([first?.count, first?.bounded]).toEqual([row.waits ? 2 : 3, row.bounded]);
  expect(bench.counts().forgotten).toBe(row.forgotten);
  expect(found()).not.toEqual([]);
});

test.for([
  { name: "while more of it may come", tickMs: 0, bounded: true },
  { name: "when no more of it may come", tickMs: 500, bounded: undefined },
])("a finding that was told before its group gave way: $name", ({ tickMs, bounded }) => {
  const of = threeOf();
  const bench = new Bench({ latenessMs: 0, groupsMax: 2 });
  bench.force(of);
  const { send, found } = inAll({ bench, of });
  send("ann", 1, 2, 3);
  bench.send(tick(tickMs));
  send("ben", 600);
  send("cal", 601);
  if (tickMs === 0) send("ann", 4);
  bench.send(endTick);
  expect(found()).toEqual([["ann", 3, bounded]]);
});

test("as many at one time as there is room for and one more: only one that is refused is missing", () => {
  const of = threeOf();
  const bench = new Bench({ latenessMs: 0, matchesMax: 4 });
  bench.force(of);
  const { found } = inAll({ bench, of });
  const send = (id: string) => bench.send(signalOf(of, { at: 5, id, group: ["ann"] }));
  for (const id of ["a", "b", "c", "d", "e", "a"]) send(id);
  bench.send(tick(6));
  expect([found(), bench.counts().forgotten]).toEqual([[["ann", 5, undefined]], 0]);
  const again = new Bench({ latenessMs: 0, matchesMax: 4 });
  again.force(of);
  for (const id of ["a", "b", "c", "d", "e", "f"])
    again.send(signalOf(of, { at: 5, id, group: ["ann"] }));
  again.send(endTick);
  expect([again.told().map((one) => [one.count, one.bounded]), again.counts().forgotten]).toEqual([
    [[5, true]],
    1,
  ]);
});

test("a finding beside suppress still names what it took in when its group gave way and came again", () => {
  const of = rule({ type: "event_count", condition: { gte: 2 }, suppressMs: 1000 });
  const bench = new Bench({ latenessMs: 0, groupsMax: 2 });
  bench.force(of);
  const { send, found } = inAll({ bench, of });
  send("ann", 12, 13, 11);
  bench.send(tick(1));
  expect(found()).toEqual([["ann", 3, undefined]]);
  send("ben", 200);
  send("ann", 11, 16);
  bench.send(endTick);
  expect(bench.counts().evicted).toBe(2);
  expect(bench.told().map(({ firstMs, lastMs }) => [firstMs, lastMs])).toEqual([[11, 16]]);
});

// Who gives way when there are too many groups: those whose last event is the oldest, whatever they are of.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CorrelationRule } from "../../core/records.ts";
import { Bench, endTick, signalOf, tick } from "./fixtures/bench.ts";
import { valuesOf } from "./group-name.ts";
import { noCounts } from "./processor.ts";
import { Suppression } from "./suppression.ts";

const SECOND_MS = 1000;
const rule = (over: Partial<CorrelationRule> = {}): CorrelationRule => ({
  ...{ version: "v1", about: { id: "many", title: "many", level: "high", tags: [] } },
  ...{ type: "event_count", spanMs: 3600 * SECOND_MS, condition: { gte: 20 }, rules: ["r0"] },
  ...{ groupBy: ["user.name"], level: 0, generate: true, feeds: [] },
  ...over,
});
const absence = rule({
  ...{ type: "absence", condition: {}, spanMs: 60 * SECOND_MS },
  absence: { what: ["beat"], rememberMs: 7200 * SECOND_MS },
});

type Sent = readonly [group: string, atS: number];
const sendTo = (bench: Bench, of: CorrelationRule, all: readonly Sent[]): void => {
  for (const [group, atS] of all)
    bench.send(signalOf(of, { at: atS * SECOND_MS, id: `${group}/${atS}`, group: [group] }));
};
/** Names of the groups that are kept. */
function kept(bench: Bench): string[] {
  const parts = bench.snapshots().map((text) => JSON.parse(text) as { kind: string; groups?: [] });
  return parts
    .flatMap(({ kind, groups = [] }): string[] => {
      if (kind === "absences")
        return groups.map(({ values: [value] }: { values: string[] }) => value ?? "");
      if (kind !== "groups") return [];
      return groups.filter((_, n) => n % 2 === 0).map((name) => valuesOf(name)[0] ?? "");
    })
    .sort();
}
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
const twice = (n: number): Sent[] => [
  [`u${n}`, 10 * n],
  [`u${n}`, 10 * n + 1],
];
const attackInNoise = (n: number): Sent[] => [
  ["attack", 60 * n],
  [`n${n}`, 60 * n + 30],
];

type Row = {
  readonly name: string;
  readonly sent: readonly Sent[];
  readonly want: readonly string[];
};
const ROWS: readonly Row[] = [
  {
    name: "the first of those that came one after the other",
    sent: upTo(15).flatMap(twice),
    want: upTo(10).map((n) => `u${n + 5}`),
  },
  {
    name: "not one that began first and goes on",
    sent: upTo(30).flatMap(attackInNoise),
    want: ["attack", ...upTo(9).map((n) => `n${n + 21}`)],
  },
  {
    name: "one whose only event is late, before those that came earlier",
    sent: [...upTo(10).map((n): Sent => [`u${n}`, 100 + n]), ["late", 5], ["new", 200]],
    want: [...upTo(9).map((n) => `u${n + 1}`), "new"],
  },
  {
    name: "of groups with events of the same time the first by name",
    sent: ["j", "i", "h", "g", "f", "e", "d", "c", "b", "a", "l", "k"].map(
      (name): Sent => [name, 7],
    ),
    want: ["c", "d", "e", "f", "g", "h", "i", "j", "k", "l"],
  },
];
test.for(ROWS)("there gives way: $name", ({ name, sent, want }) => {
  for (const restarts of [false, true]) {
    const bench = new Bench({ latenessMs: 0, groupsMax: 10 });
    bench.force(rule());
    sendTo(bench, rule(), sent.slice(0, 10));
    if (restarts) bench.restart();
    sendTo(bench, rule(), sent.slice(10));
    expect(kept(bench), name).toEqual(want.toSorted());
  }
});

test("an attack of a rare event is found though new groups come all the time", () => {
  const bench = new Bench({ latenessMs: 0, groupsMax: 10, onlyLast: true });
  bench.force(rule());
  sendTo(bench, rule(), upTo(30).flatMap(attackInNoise));
  bench.send(endTick);
  expect(bench.told()).toMatchObject([{ count: 30, group: { "user.name": "attack" } }]);
});

test.for([
  { name: "counts", of: rule() },
  { name: "an absence", of: absence },
])("of $name those stay whose last events are the newest, as a naive program says", ({ of }) => {
  const event = fc.record({
    group: fc.integer({ min: 10, max: 30 }).map((n) => `u${n}`),
    atS: fc.integer({ min: 0, max: 500 }),
    restarts: fc.integer({ max: 30 }).map((n) => n === 0),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      const bench = new Bench({ latenessMs: 3600 * SECOND_MS, groupsMax: 6 });
      bench.force(of);
      const last = new Map<string, number>();
      for (const { group, atS, restarts } of events) {
        if (restarts) bench.restart();
        sendTo(bench, of, [[group, atS]]);
        if (!last.has(group) && last.size === 6) {
          const [oldest] = [...last].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
          last.delete(oldest?.[0] ?? "");
        }
        last.set(group, Math.max(atS, last.get(group) ?? 0));
      }
      expect(kept(bench)).toEqual([...last.keys()].sort());
    }),
  );
});

test("what is awaited and is heard stays, and one that is silent gives way", () => {
  const bench = new Bench({ latenessMs: 0, groupsMax: 2 });
  bench.force(absence);
  sendTo(bench, absence, [
    ["silent", 0],
    ["heard", 1],
  ]);
  for (const atS of [50, 100, 150]) {
    sendTo(bench, absence, [["heard", atS]]);
    bench.send(tick(atS * SECOND_MS));
  }
  sendTo(bench, absence, [["new", 155]]);
  expect(kept(bench)).toEqual(["heard", "new"]);
});

test("of what is suppressed, the group whose last episode is the oldest is told again, and counted", () => {
  const of = rule({
    ...{ spanMs: 10 * SECOND_MS, condition: { gte: 1 } },
    suppressMs: 3600 * SECOND_MS,
  });
  const bench = new Bench({ latenessMs: 0, groupsMax: 6 });
  bench.force(of);
  const told = (group: string, atS: number): number => {
    const before = bench.revisions.length;
    sendTo(bench, of, [[group, atS]]);
    const told = bench.revisions.slice(before);
    return told.filter((one) => one.group["user.name"] === group).length;
  };
  expect([told("old", 0), told("busy", 1)]).toEqual([1, 1]);
  for (const atS of [100, 200]) {
    told("busy", atS);
    bench.send(tick(atS * SECOND_MS));
  }
  for (const [n, group] of ["a", "b", "c"].entries()) told(group, 300 + n);
  expect(bench.counts().evicted).toBeGreaterThan(0);
  expect([told("busy", 340), told("old", 341)]).toEqual([0, 1]);
});

test("of what is suppressed, what may still grow says that it may lack matches when its group gives way", () => {
  const of = rule({ spanMs: 10 * SECOND_MS, condition: { gte: 1 } });
  const bench = new Bench({ latenessMs: 0 });
  bench.force(of);
  sendTo(bench, of, [
    ["old", 0],
    ["new", 50],
  ]);
  const parts = { counts: noCounts(), room: { groups: 0, make: () => {} } };
  const suppression = new Suppression({ suppressMs: 3600 * SECOND_MS, spanMs: of.spanMs }, parts);
  expect(suppression.take(bench.told())).toHaveLength(2);
  const told = suppression.evict(2, 60 * SECOND_MS);
  expect(
    told.map(({ group, revision, bounded }) => [group["user.name"], revision, bounded]),
  ).toEqual([["new", 2, true]]);
  expect(parts.counts.evicted).toBe(2);
});

const LOST: readonly Sent[] = [
  ...[["u0", 1] as const, ["u0", 9] as const, ["u1", 10] as const],
  ...[["u2", 11] as const, ["u3", 12] as const],
];

test.for([
  { name: "soon", firstS: 100, want: true },
  { name: "when its first window just reaches what was lost", firstS: 3610, want: true },
  { name: "a second later", firstS: 3611, want: undefined },
])("a finding that may lack events of groups that gave way says so: $name", ({ firstS, want }) => {
  for (const of of [rule({ condition: { lte: 1 } }), rule({ condition: { gte: 1 } })]) {
    const bench = new Bench({ latenessMs: 0, groupsMax: 3 });
    bench.force(of);
    sendTo(bench, of, [...LOST, ["u0", firstS]]); // u1 goes too, whose event was at 10 s
    bench.send(endTick);
    expect(bench.counts().evicted).toBe(2);
    const found = bench.told().find(({ firstMs }) => firstMs === firstS * SECOND_MS);
    expect([found?.count, found?.bounded]).toEqual([1, want]);
  }
});

test.for([
  { name: "of its own", bounded: true, snapshot: (text: string) => text },
  {
    ...{ name: "of an older version, which did not know", bounded: undefined },
    snapshot: (text: string) => text.replace(/,"lostUntilMs":\d+/, ""),
  },
])("that events may be missing is known after a restart from a snapshot $name", (row) => {
  const of = rule({ condition: { lte: 1 } });
  const bench = new Bench({ latenessMs: 0, groupsMax: 3 });
  bench.force(of);
  sendTo(bench, of, LOST);
  bench.restart(row.snapshot);
  bench.send(endTick);
  expect(bench.told().map(({ group, bounded }) => [group["user.name"], bounded])).toEqual(
    ["u1", "u2", "u3"].map((name) => [name, row.bounded]),
  );
});

// What did not come, against a naive program that sees all times sorted; and what is awaited of whom, and until when.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CorrelationRule, Finding, Signal } from "../../core/records.ts";
import { Bench, endTick, signalOf, tick } from "./fixtures/bench.ts";

const SPAN_MS = 100;
const LATENESS_MS = 50;
const MINUTE_MS = 60_000;

const rule = (over: Partial<CorrelationRule> = {}): CorrelationRule => ({
  version: "v1",
  about: { id: "gone", title: "gone", level: "medium", tags: [] },
  type: "absence",
  spanMs: SPAN_MS,
  groupBy: ["host.name"],
  condition: {},
  rules: ["r0"],
  level: 0,
  generate: true,
  feeds: [],
  absence: { what: ["beat"], rememberMs: 1000 },
  ...over,
});
const listed = rule({ absence: { what: ["beat"], expected: [["db1"], ["db2"]] } });
const both = rule({ absence: { what: ["beat"], expected: [["db1"]], rememberMs: 250 } });
const escalating = rule({
  absence: { what: ["beat"], rememberMs: 1000 },
  escalate: [
    { count: 3, level: "high" },
    { count: 7, level: "critical" },
  ],
});
const byDeadline = rule({
  spanMs: 2 * MINUTE_MS,
  absence: {
    what: ["beat"],
    rememberMs: 3 * 86_400_000,
    expected: [["db1"]],
    deadline: { by: "00:10", timezone: "UTC", days: ["thu", "sat", "sun"] },
  },
});

type Beat = { readonly at: number; readonly id: string; readonly host: string };
type Told = readonly [host: string, first: number, last: number, count: number, end: string];
const told = ({ group, firstMs, lastMs, count, absence }: Finding): Told => [
  Object.values(group)[0] ?? "",
  firstMs,
  lastMs,
  count,
  absence?.endedMs === undefined ? "open" : absence.forgotten ? "forgotten" : "came",
];

/** Moments at which one that came last at `since` is missed, up to `until`. */
function missedMoments(of: CorrelationRule, since: number, until: number): number[] {
  const { deadline } = of.absence ?? {};
  const out: number[] = [];
  if (!deadline) {
    for (let at = since + of.spanMs; at < until; at += of.spanMs) out.push(at);
    return out;
  }
  const day = 86_400_000; // deadlines of the tests are in UTC, by ten past midnight on Thursday (1970-01-01), Saturday, Sunday
  for (let at = 10 * MINUTE_MS; at < until; at += day)
    if ([4, 6, 0].includes((Math.floor(at / day) + 4) % 7) && since < at - of.spanMs) out.push(at);
  return out;
}

/** All that came is known, and the clock stands at `clock`. */
function reference(
  of: CorrelationRule,
  beats: readonly Beat[],
  { began, clock }: { began: number; clock: number },
): Told[] {
  const out: Told[] = [];
  const { expected = [], rememberMs = 0 } = of.absence ?? {};
  const always = expected.map(([host = ""]) => host);
  const hosts = new Set([...always, ...beats.map(({ host }) => host)]);
  for (const host of hosts) {
    const isListed = always.includes(host);
    if (!isListed && rememberMs === 0) continue;
    const times = [...new Set(beats.filter((beat) => beat.host === host).map(({ at }) => at))];
    if (isListed && times.every((at) => at > began)) times.push(began);
    times.sort((a, b) => a - b);
    times.forEach((since, index) => {
      const next = times[index + 1] ?? Number.POSITIVE_INFINITY;
      const forget = isListed ? Number.POSITIVE_INFINITY : since + rememberMs;
      const first = (missed: number[]) => (of.absence?.deadline ? missed[0] : since) ?? Number.NaN;
      if (next <= forget && next < Number.POSITIVE_INFINITY) {
        const missed = missedMoments(of, since, next);
        if (missed.length > 0) out.push([host, first(missed), next, missed.length, "came"]);
      } else if (forget < Math.max(clock, next < Number.POSITIVE_INFINITY ? next : clock)) {
        const missed = missedMoments(of, since, forget + 1);
        if (missed.length > 0) out.push([host, first(missed), forget, missed.length, "forgotten"]);
      } else {
        const missed = missedMoments(of, since, clock);
        let shown = missed.length;
        if (!of.absence?.deadline) {
          const steps = [1, 2, 4, 8, 16, 32, 64, ...(of.escalate ?? []).map(({ count }) => count)];
          shown = Math.max(0, ...steps.filter((step) => step <= missed.length));
        }
        if (shown > 0) out.push([host, first(missed), missed[shown - 1] ?? 0, shown, "open"]);
      }
    });
  }
  return out.sort(byPlace);
}
const byPlace = (a: Told, b: Told): number => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1]);

const signal = ({ at, id, host }: Beat, of: CorrelationRule = rule()): Signal =>
  signalOf(of, { at, id, group: [host] });

const drawnBeats = (unitMs: number) =>
  fc.array(
    fc.record({
      at: fc.oneof(
        fc.integer({ min: 0, max: 20 }).map((n) => n * unitMs),
        fc.integer({ min: 0, max: 20 * unitMs }),
      ),
      id: fc.integer({ min: 0, max: 400 }),
      host: fc.constantFrom("db1", "db2", "web1"),
    }),
    { maxLength: 25 },
  );

test.for([
  { name: "seen groups", of: rule(), unitMs: SPAN_MS },
  { name: "listed groups", of: listed, unitMs: SPAN_MS },
  { name: "listed and seen groups", of: both, unitMs: SPAN_MS },
  { name: "rising severity", of: escalating, unitMs: SPAN_MS },
  { name: "deadlines", of: byDeadline, unitMs: 12 * 3_600_000 },
])(
  "absences equal brute force in any order, with repeats, restarts and partitions: $name",
  ({ of, unitMs }) => {
    fc.assert(
      fc.property(
        drawnBeats(unitMs),
        fc.constantFrom(1, 3),
        fc.infiniteStream(fc.nat(1000)),
        (drawn, partitions, chance) => {
          const next = () => chance.next().value ?? 0;
          const beats = [
            ...new Map(drawn.map((beat) => [beat.id, { ...beat, id: `e${beat.id}` }])).values(),
          ];
          const began = 30;
          const arrivals = beats
            .flatMap((beat) => {
              const first = Math.max(began, beat.at + (next() % (LATENESS_MS + 1)));
              return next() % 3 === 0
                ? [
                    { beat, first },
                    { beat, first: first + (next() % 800) },
                  ]
                : [{ beat, first }];
            })
            .sort((a, b) => a.first - b.first);
          const bench = new Bench({ partitions, latenessMs: LATENESS_MS });
          bench.force(of);
          bench.send(tick(began));
          for (const { beat, first } of arrivals) {
            if (next() % 2 === 0) bench.send(tick(first));
            if (next() % 8 === 0) bench.restart();
            bench.send(signal(beat, of));
          }
          const clock =
            Math.max(began, ...arrivals.map(({ first }) => first)) + 1 + (next() % (3 * unitMs));
          bench.send(tick(clock + LATENESS_MS));
          // Beats of the future are known, but not settled.
          expect(bench.told().map(told).sort(byPlace)).toEqual(
            reference(of, beats, { began, clock }),
          );
        },
      ),
      { numRuns: 300 },
    );
  },
);

test("the end of a stream decides up to what the stream reached, and no further", () => {
  const of = rule();
  const run = (untilMs: number) => {
    const bench = new Bench({ partitions: 2, latenessMs: LATENESS_MS });
    bench.force(of);
    bench.send(signal({ at: 0, id: "a", host: "web1" }), { ...endTick, untilMs });
    return bench.told().map(told);
  };
  expect(run(100)).toEqual([]);
  expect(run(101)).toEqual([["web1", 0, 100, 1, "open"]]);
  expect(run(301)).toEqual([["web1", 0, 200, 2, "open"]]);
  expect(run(1000)).toEqual([["web1", 0, 800, 8, "open"]]);
  expect(run(1001)).toEqual([["web1", 0, 1000, 10, "forgotten"]]);
});

test("an absence is told when the watermark passes, rises, and ends with the next one", () => {
  const of = escalating;
  const bench = new Bench({ latenessMs: LATENESS_MS });
  bench.force(of);
  bench.send(tick(0), signal({ at: 10, id: "a", host: "db1" }, of));
  const now = () =>
    bench
      .told()
      .map(({ revision, count, rule: { level }, absence, evidence }) => [
        ...[revision, count, level, absence?.endedMs],
        evidence.join(),
      ]);
  const steps = [
    { send: tick(160), want: [] },
    { send: tick(161), want: [[1, 1, "medium", undefined, "a"]] },
    { send: tick(300), want: [[2, 2, "medium", undefined, "a"]] },
    { send: tick(370), want: [[3, 3, "high", undefined, "a"]] },
    { send: signal({ at: 400, id: "b", host: "db1" }, of), want: [[3, 3, "high", undefined, "a"]] },
    { send: tick(451), want: [[4, 3, "high", 400, "a,b"]] },
  ];
  for (const { send, want } of steps) {
    bench.send(send);
    expect(now()).toEqual(want);
  }
});

test("who was never heard is missed from when the rule was in force", () => {
  const run = (beganMs: number) => {
    const bench = new Bench({ partitions: 3, latenessMs: LATENESS_MS });
    bench.force(listed);
    bench.send(tick(beganMs), tick(beganMs + 151));
    return bench.told();
  };
  expect(run(1000).map(told).sort(byPlace)).toEqual([
    ["db1", 1000, 1100, 1, "open"],
    ["db2", 1000, 1100, 1, "open"],
  ]);
  expect(run(1000)[0]?.absence).toEqual({
    what: ["beat"],
    spanMs: SPAN_MS,
    expectedMs: 1000,
    dueMs: 1100,
  });
});

test.for([
  { name: "begins after the wait", beganMs: 8 * MINUTE_MS - 1, want: [600_000] },
  { name: "begins with the wait, and nothing came then", beganMs: 8 * MINUTE_MS, want: [600_000] },
  { name: "begins before the wait", beganMs: 8 * MINUTE_MS + 1, want: [] },
  {
    name: "begins with the wait, and one came then",
    beganMs: 8 * MINUTE_MS,
    beats: [8 * MINUTE_MS],
    want: [],
  },
  {
    name: "begins with the wait, and one came too late",
    beganMs: 8 * MINUTE_MS,
    beats: [601_000],
    want: [600_000],
  },
])("a deadline counts where its span $name", ({ beganMs, beats = [], want }) => {
  const bench = new Bench({ latenessMs: LATENESS_MS });
  bench.force(byDeadline);
  bench.send(tick(beganMs));
  for (const at of beats) bench.send(signal({ at, id: `e${at}`, host: "db1" }, byDeadline));
  bench.send(tick(11 * MINUTE_MS));
  expect(bench.told().map(({ firstMs }) => firstMs)).toEqual(want);
});

test("what came before the rule was in force, but arrives after it, takes the place of the beginning", () => {
  const beats = [960, 1050, 1090].map((at) => signal({ at, id: `e${at}`, host: "db1" }, listed));
  const run = (order: readonly number[]) => {
    const bench = new Bench({ latenessMs: LATENESS_MS });
    bench.force(listed);
    bench.send(tick(1000), ...order.flatMap((n) => beats[n] ?? []), tick(1180));
    return bench
      .told()
      .map(told)
      .filter(([host]) => host === "db1");
  };
  expect(run([0, 1, 2])).toEqual([]);
  expect(run([1, 2, 0])).toEqual([]);
  expect(run([0, 2])).toEqual([["db1", 960, 1090, 1, "came"]]);
  expect(run([2, 0])).toEqual([["db1", 960, 1090, 1, "came"]]);
});

test("one that came before the rule was in force everywhere is missed in time, not once the wait began", () => {
  const bench = new Bench({ latenessMs: LATENESS_MS });
  bench.send({ kind: "rule", rule: listed }, signal({ at: 860, id: "a", host: "db1" }, listed));
  bench.force(listed);
  bench.send(tick(1000), tick(960 + LATENESS_MS + 1));
  expect(bench.told().map(told)).toEqual([["db1", 860, 960, 1, "open"]]);
});

test("an import awaits nobody whom it never held", () => {
  const bench = new Bench({ latenessMs: LATENESS_MS });
  bench.force(listed);
  const old = { ...tick(1000), stream: "old" };
  bench.send(
    old,
    { ...old, atMs: 5000 },
    { ...signal({ at: 5000, id: "a", host: "db1" }, listed), stream: "old" },
  );
  bench.send({ ...endTick, stream: "old", untilMs: 5101 });
  expect(bench.told().map(told)).toEqual([["db1", 5000, 5100, 1, "open"]]);
});

test("silence of a rule that was removed or changed means nothing, and that of one that only some have", () => {
  const old = rule({ version: "old" });
  const bench = new Bench({ eventPartitions: 2, latenessMs: LATENESS_MS });
  const one = { ...tick(0), feeder: "events/1" };
  bench.send({ kind: "rule", rule: old });
  bench.send({ kind: "rules", feeder: "events/0", absences: ["old"] });
  bench.send(tick(0), one, signal({ at: 0, id: "a", host: "web1" }, old));
  bench.send(tick(400), { ...one, atMs: 400 });
  expect(bench.told()).toEqual([]); // events/1 has no such rule
  bench.send({ kind: "rules", feeder: "events/1", absences: ["old"] });
  bench.send(signal({ at: 380, id: "b", host: "web2" }, old));
  bench.restart();
  bench.send({ kind: "rules", feeder: "events/0", absences: ["new"] });
  expect(bench.groups()).toBe(0);
  bench.send(tick(5000), { ...one, atMs: 5000 });
  expect(bench.told()).toEqual([]);
});

test("a source that is always heard costs little, and a flood of groups goes oldest first, but for the listed", () => {
  const of = rule({ absence: { what: ["beat"], expected: [["db1"]], rememberMs: 10_000 } });
  const bench = new Bench({ latenessMs: LATENESS_MS, groupsMax: 10 });
  bench.force(of);
  bench.send(tick(0));
  for (let at = 1; at < 2000; at++)
    bench.send(signal({ at: at % 300, id: `e${at}`, host: "db1" }, of));
  const [part = ""] = bench
    .snapshots()
    .filter((text) => text.includes('"db1"') && text.includes("absences"));
  expect(part.length).toBeLessThan(500);
  for (let n = 0; n < 40; n++)
    bench.send(signal({ at: 1000 * n, id: `w${n}`, host: `web${n}` }, of));
  expect(bench.groups()).toBe(10);
  bench.send(tick(39_060));
  expect(
    bench
      .told()
      .map(({ group }) => group["host.name"])
      .sort(),
  ).toEqual(["db1", ...Array.from({ length: 8 }, (_, n) => `web${31 + n}`)]);
});

test("an absence feeds another correlation when it is due", () => {
  const of = rule({ feeds: [{ version: "two", place: 0, groupBy: [] }] });
  const two: CorrelationRule = {
    ...rule({ version: "two", type: "event_count", level: 1, groupBy: [], condition: { gte: 2 } }),
    about: { id: "two", title: "two silent", level: "high", tags: [] },
  };
  const { absence: _, ...counting } = two;
  const bench = new Bench({ partitions: 2, latenessMs: LATENESS_MS });
  bench.force(of);
  bench.send({ kind: "rule", rule: counting });
  bench.send(
    tick(0),
    signal({ at: 0, id: "a", host: "web1" }, of),
    signal({ at: 60, id: "b", host: "web2" }, of),
  );
  bench.send(tick(151), tick(400));
  expect(
    bench
      .told()
      .filter(({ rule: { id } }) => id === "two")
      .map(({ firstMs, lastMs, count }) => [firstMs, lastMs, count]),
  ).toEqual([[100, 160, 2]]);
});

test("groups whose values run together are missed one by one", () => {
  const groups = [
    ["a\u0000b", "c"],
    ["a", "b\u0000c"],
  ];
  const of = rule({ groupBy: ["x", "y"], absence: { what: ["beat"], expected: groups } });
  const bench = new Bench({ latenessMs: LATENESS_MS });
  bench.force(of);
  bench.send(tick(0), tick(3 * SPAN_MS));
  expect(new Set(bench.told().map(({ group }) => Object.values(group)))).toEqual(new Set(groups));
});

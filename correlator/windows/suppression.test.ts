// What is told of a group's episodes where the rule suppresses, against a naive program; and severity that rises.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CorrelationRule, Finding } from "../../core/records.ts";
import { Bench, endTick, signalOf, tick } from "./fixtures/bench.ts";

const SPAN_MS = 100;
const SUPPRESS_MS = 300;
const LATENESS_MS = 50;

const rule = (over: Partial<CorrelationRule> = {}): CorrelationRule => ({
  version: "v1",
  about: { id: "many", title: "many", level: "medium", tags: [] },
  type: "event_count",
  spanMs: SPAN_MS,
  groupBy: ["user.name"],
  condition: { gte: 2 },
  rules: ["r0"],
  level: 0,
  generate: true,
  feeds: [],
  suppressMs: SUPPRESS_MS,
  ...over,
});

type Match = { readonly at: number; readonly id: string; readonly user: string };
type Told = readonly [user: string, first: number, last: number, suppressed: number];
const told = ({ group, firstMs, lastMs, suppressed = 0 }: Finding): Told => [
  Object.values(group)[0] ?? "",
  firstMs,
  lastMs,
  suppressed,
];
const byPlace = (a: Told, b: Told): number => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1]);

function reference(of: CorrelationRule, matches: readonly Match[]): Told[] {
  const out: Told[] = [];
  for (const user of new Set(matches.map((match) => match.user))) {
    const times = matches
      .filter((match) => match.user === user)
      .map(({ at }) => at)
      .sort((a, b) => a - b);
    const spans: { first: number; last: number }[] = [];
    for (const last of times) {
      const inside = times.filter((at) => at >= last - of.spanMs && at <= last);
      const { gte, eq } = of.condition;
      if (gte === undefined ? inside.length !== eq : inside.length < gte) continue;
      const first = Math.min(...inside);
      const before = spans.at(-1);
      if (before && first <= before.last) before.last = Math.max(before.last, last);
      else spans.push({ first, last });
    }
    let head: { first: number; last: number; suppressed: number; rank: number } | undefined;
    for (const { first, last } of spans) {
      const count = times.filter((at) => at >= first && at <= last).length;
      const rank = (of.escalate ?? []).filter((one) => one.count <= count).length;
      if (head && last <= head.last + SUPPRESS_MS && rank <= head.rank) {
        head.suppressed += 1;
        continue;
      }
      if (head) out.push([user, head.first, head.last, head.suppressed]);
      head = { first, last, suppressed: 0, rank };
    }
    if (head) out.push([user, head.first, head.last, head.suppressed]);
  }
  return out.sort(byPlace);
}

const escalate = [
  { count: 3, level: "high" },
  { count: 5, level: "critical" },
] as const;
test.for([rule(), rule({ condition: { eq: 2 } }), rule({ escalate })])(
  "what is told equals brute force in any order, with repeats, ticks and restarts: $condition $escalate",
  (of) => {
    const drawn = fc.array(
      fc.record({
        at: fc.oneof(
          fc.integer({ min: 0, max: 3000 }),
          fc.integer({ min: 0, max: 30 }).map((n) => n * SPAN_MS),
        ),
        user: fc.constantFrom("ann", "bob"),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(drawn, fc.infiniteStream(fc.nat(1000)), (all, chance) => {
        const next = () => chance.next().value ?? 0;
        const matches = all.map((match, n) => ({ ...match, id: `e${n}` }));
        const arrivals = matches
          .flatMap((match) => {
            const first = match.at + (next() % (LATENESS_MS + 1));
            const again = { match, first: first + (next() % 800) };
            return next() % 4 === 0 ? [{ match, first }, again] : [{ match, first }];
          })
          .sort((a, b) => a.first - b.first);
        const bench = new Bench({ partitions: 2, latenessMs: LATENESS_MS });
        bench.force(of);
        for (const { match, first } of arrivals) {
          if (next() % 2 === 0) bench.send(tick(first));
          if (next() % 8 === 0) bench.restart();
          bench.send(signalOf(of, { ...match, group: [match.user] }));
        }
        bench.send(endTick);
        expect(bench.told().map(told).sort(byPlace)).toEqual(reference(of, matches));
        expect(bench.groups()).toBe(0);
      }),
      { numRuns: 500 },
    );
  },
);

const at = (ms: number, of: CorrelationRule = rule()) =>
  signalOf(of, { at: ms, id: `e${ms}`, group: ["ann"] });
const brief = (bench: Bench) =>
  bench
    .told()
    .map(({ firstMs, lastMs, revision, suppressed }) => [
      ...[firstMs, lastMs, revision],
      suppressed ?? 0,
    ]);

test("an episode soon after one that was told is counted; one that outlasts the span is told", () => {
  const bench = new Bench({ latenessMs: LATENESS_MS });
  bench.force(rule());
  bench.send(at(0), at(10));
  expect(brief(bench)).toEqual([[0, 10, 1, 0]]);
  bench.send(at(200), at(210), tick(215));
  expect(brief(bench)).toEqual([[0, 10, 2, 1]]);
  bench.send(at(290), at(310), tick(320));
  expect(brief(bench)).toEqual([[0, 10, 2, 1]]);
  bench.send(at(311), tick(1400));
  expect(brief(bench).sort()).toEqual([
    [0, 10, 3, 0],
    [200, 311, 1, 0],
  ]);
});

test("one that was told and that a late event puts behind another is withdrawn, and told again when it stands alone", () => {
  const bench = new Bench({ latenessMs: 400 });
  bench.force(rule());
  bench.send(at(300), at(310));
  expect(brief(bench)).toEqual([[300, 310, 1, 0]]);
  bench.send(at(0), at(20), tick(330));
  expect(brief(bench)).toEqual([[0, 20, 1, 1]]);
  expect([...bench.findings.values()].find(({ firstMs }) => firstMs === 300)).toMatchObject({
    withdrawn: true,
    revision: 2,
  });
  bench.send(at(325), tick(340));
  expect(brief(bench).sort()).toEqual([
    [0, 20, 2, 0],
    [300, 325, 3, 0],
  ]);
});

test("one that is graver than the one that was told is told", () => {
  const of = rule({ escalate });
  const bench = new Bench({ latenessMs: LATENESS_MS });
  bench.force(of);
  bench.send(at(0, of), at(10, of), at(200, of), at(205, of), tick(206));
  expect(brief(bench)).toEqual([[0, 10, 2, 1]]);
  bench.send(at(210, of), tick(211), endTick);
  expect(brief(bench).sort()).toEqual([
    [0, 10, 3, 0],
    [200, 210, 1, 0],
  ]);
});

test("an episode that may still grow is not yet decided", () => {
  const bench = new Bench({ latenessMs: LATENESS_MS });
  bench.force(rule());
  bench.send(at(0), at(10), at(200), at(210), tick(300), at(290), tick(310), at(311), endTick);
  expect(brief(bench).sort()).toEqual([
    [0, 10, 3, 0],
    [200, 311, 1, 0],
  ]);
});

test("an episode whose growth waits to be told is not over", () => {
  const bench = new Bench({ latenessMs: LATENESS_MS });
  bench.force(rule());
  bench.send(tick(50), at(0), at(10));
  for (let ms = 100; ms <= 800; ms += 100) bench.send(at(ms), tick(ms + 50));
  bench.send(endTick);
  expect(bench.told().map(told)).toEqual([["ann", 0, 800, 0]]);
  expect(bench.revisions.map(({ revision }) => revision)).toEqual(
    bench.revisions.map((_, index) => index + 1),
  );
});

test("one that was told, and began earlier after all, is withdrawn where the one that replaces it is not told", () => {
  const bench = new Bench({ latenessMs: 400 });
  bench.force(rule());
  bench.send(at(200), at(210));
  expect(brief(bench)).toEqual([[200, 210, 1, 0]]);
  bench.send(at(120), at(0), at(10), tick(300));
  expect(brief(bench)).toEqual([[0, 10, 1, 1]]);
  bench.send(endTick);
  expect(brief(bench)).toEqual([[0, 10, 1, 1]]);
});

test("correlations of correlations see every episode", () => {
  const of = rule({ feeds: [{ version: "two", place: 0, groupBy: ["user.name"] }] });
  const { suppressMs: _, ...two } = rule({ version: "two", level: 1, spanMs: 1000 });
  const bench = new Bench({ latenessMs: LATENESS_MS });
  bench.force(of);
  bench.send({ kind: "rule", rule: { ...two, about: { ...two.about, id: "two" } } });
  bench.send(at(0, of), at(10, of), at(150, of), at(160, of), endTick);
  expect(
    bench
      .told()
      .map(({ rule: { id }, firstMs, lastMs, suppressed }) => [id, firstMs, lastMs, suppressed]),
  ).toEqual([
    ["many", 0, 10, 1],
    ["two", 10, 160, undefined],
  ]);
});

test("the level rises with the count, with the next tick", () => {
  const { suppressMs: _, ...base } = rule();
  const of: CorrelationRule = {
    ...base,
    escalate: [
      { count: 3, level: "high" },
      { count: 5, level: "critical" },
    ],
  };
  const bench = new Bench({ latenessMs: LATENESS_MS });
  bench.force(of);
  const levels = () => bench.told().map(({ rule: { level }, count }) => `${level} ${count}`);
  bench.send(tick(0), at(0, of), at(1, of));
  expect(levels()).toEqual(["medium 2"]);
  bench.send(at(2, of), tick(3));
  expect(levels()).toEqual(["high 3"]);
  bench.send(at(3, of), tick(4));
  expect(levels()).toEqual(["high 3"]); // it only grew: that waits
  bench.send(at(4, of), tick(5));
  expect(levels()).toEqual(["critical 5"]);
});

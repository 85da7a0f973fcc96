// The windows against a naive program that sees all members sorted and tries every window by brute force.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { BusRecord, OutRecord } from "../../core/bus/bus.ts";
import {
  type CorrelationRule,
  type Finding,
  type RuleTest,
  type Signal,
  type SignalMatch,
  type SignalRecord,
  TOPIC,
} from "../../core/records.ts";
import { WindowsProcessor } from "./processor.ts";
import { readsNumbers } from "./value-gauges.ts";

const SPAN_MS = 100;
const LATENESS_MS = 50;

const rule = (over: Partial<CorrelationRule> = {}): CorrelationRule => ({
  version: "v1",
  about: { id: "many", title: "many", level: "high", tags: [] },
  type: "event_count",
  spanMs: SPAN_MS,
  groupBy: ["user.name"],
  condition: { gte: 3 },
  rules: ["r0"],
  level: 0,
  generate: true,
  feeds: [],
  ...over,
});

type Match = {
  readonly at: number;
  readonly id: string;
  readonly group: string;
  readonly from: number;
  readonly value: string;
  readonly numbers?: readonly number[];
};
type Told = {
  readonly group: string;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly level?: string | undefined; // where it rose
  readonly suppressed?: number | undefined;
};

/** DESIGN.md, "Findings", word for word. */
function reference(of: CorrelationRule, matches: readonly Match[]): Told[] {
  const told: Told[] = [];
  for (const group of new Set(matches.map((match) => match.group))) {
    const unique = new Map(
      matches
        .filter((match) => match.group === group)
        .map((match) => [
          of.type.startsWith("temporal") ? `${match.from} ${match.id}` : match.id,
          match,
        ]),
    );
    const members = [...unique.values()].sort((a, b) => a.at - b.at);
    const spans: { first: number; last: number }[] = [];
    for (const { at: last } of members) {
      const inside = members.filter(({ at }) => at >= last - of.spanMs && at <= last);
      if (!holds(of, inside)) continue;
      const first = Math.min(...inside.map(({ at }) => at));
      const overlapping = spans.find((span) => first <= span.last && last >= span.first);
      if (overlapping) overlapping.last = Math.max(overlapping.last, last);
      else spans.push({ first, last });
    }
    for (const { first, last } of spans)
      told.push({
        group,
        first,
        last,
        count: new Set(members.flatMap(({ at, id }) => (at >= first && at <= last ? [id] : [])))
          .size,
      });
  }
  return toldOf(of, told.sort(byPlace));
}

/** Of episodes in their order those that are told: what follows one closely and is no graver is only a number there. */
function toldOf({ suppressMs, escalate = [] }: CorrelationRule, episodes: readonly Told[]): Told[] {
  const told: Told[] = [];
  for (const episode of episodes) {
    const level = escalate.findLast(({ count }) => count <= episode.count)?.level;
    const head = told.at(-1);
    const follows =
      suppressMs !== undefined &&
      head?.group === episode.group &&
      episode.last <= head.last + suppressMs &&
      (level === undefined || level === head.level);
    if (!follows) told.push({ ...episode, level });
    else told[told.length - 1] = { ...head, suppressed: (head.suppressed ?? 0) + 1 };
  }
  return told;
}

/** Thousandths, so that nothing is rounded. */
const exact = (number: number): bigint => BigInt(number.toFixed(3).replace(".", ""));
/** What a window is measured by: one of these, thousandths divided by `by`, must be as the condition wants it. */
type Measured = { readonly found: bigint; readonly by: bigint };

function holds(of: CorrelationRule, inside: readonly Match[]): boolean {
  const { match, orders } = of.condition;
  if (match) return passes(match, inside);
  if (orders)
    return orders.some(
      ({ rules, without }) =>
        !inside.some(({ from }) => without.includes(from)) && isInOrder(rules, inside),
    );
  return measuresOf(of, inside).some(({ found, by }) => {
    const is = (wanted: number | undefined, ask: (wanted: bigint) => boolean) =>
      wanted === undefined || ask(exact(wanted) * by);
    const { gte, gt, lt, lte, eq, neq } = of.condition;
    return (
      is(gte, (wanted) => found >= wanted) &&
      is(gt, (wanted) => found > wanted) &&
      is(lt, (wanted) => found < wanted) &&
      is(lte, (wanted) => found <= wanted) &&
      is(eq, (wanted) => found === wanted) &&
      is(neq, (wanted) => found !== wanted)
    );
  });
}

function passes(test: RuleTest, inside: readonly Match[]): boolean {
  if ("rule" in test) return inside.some(({ from }) => from === test.rule);
  if ("without" in test) return inside.every(({ from }) => from !== test.without);
  return "all" in test
    ? test.all.every((one) => passes(one, inside))
    : test.any.some((one) => passes(one, inside));
}

/** The earliest match of each rule that is not before the one chosen for the rule in front of it. */
function isInOrder(rules: readonly number[], inside: readonly Match[]): boolean {
  let fromMs = 0;
  for (const rule of rules) {
    const times = inside
      .filter(({ from, at }) => from === rule && at >= fromMs)
      .map(({ at }) => at);
    if (times.length === 0) return false;
    fromMs = Math.min(...times);
  }
  return true;
}

/** The most rules that match one after the other. */
function mostInOrder(rules: readonly number[], inside: readonly Match[]): number {
  if (isInOrder(rules, inside)) return rules.length;
  return Math.max(
    ...rules.map((rule) =>
      mostInOrder(
        rules.filter((one) => one !== rule),
        inside,
      ),
    ),
  );
}

function measuresOf(of: CorrelationRule, inside: readonly Match[]): readonly Measured[] {
  const count = (number: number): Measured[] => [{ found: exact(number), by: 1n }];
  const numbers = inside.flatMap((match) => (match.numbers ?? []).map(exact));
  const sum = numbers.reduce((left, right) => left + right, 0n);
  const percentile = (percent: number): Measured[] => {
    const sorted = numbers.toSorted((left, right) => (left < right ? -1 : left > right ? 1 : 0));
    const place = exact(percent) * BigInt(sorted.length - 1);
    const [rank, part, whole] = [Number(place / 100_000n), place % 100_000n, 100_000n];
    const [low = 0n, high = low] = sorted.slice(rank, rank + 2);
    return [{ found: low * (whole - part) + high * part, by: whole }];
  };
  switch (of.type) {
    case "event_count":
      return count(inside.length);
    case "value_count":
      return count(new Set(inside.map(({ value }) => value)).size);
    case "value_sum":
      return [{ found: sum, by: 1n }];
    case "value_avg":
      return [{ found: sum, by: BigInt(numbers.length) }];
    case "value_median":
      return percentile(50);
    case "value_percentile":
      return of.condition.percentile === undefined
        ? inside.map(({ value }) => ({
            found: exact(100 * inside.filter((match) => match.value === value).length),
            by: BigInt(inside.length),
          }))
        : percentile(of.condition.percentile);
    case "temporal":
      return count(new Set(inside.map(({ from }) => from)).size);
    case "temporal_ordered":
      return count(mostInOrder([...of.rules.keys()], inside));
    case "absence":
      throw new Error("an absence has no windows");
  }
}

const byPlace = (a: Told, b: Told): number =>
  a.group < b.group ? -1 : a.group > b.group ? 1 : a.first - b.first;

type Over = { matchesMax?: number; valuesMax?: number; groupsMax?: number };
const options = (over: Over = {}) => ({
  partition: 0,
  eventPartitions: 1,
  signalPartitions: 1,
  latenessMs: LATENESS_MS,
  matchesMax: 1000,
  valuesMax: 1000,
  groupsMax: 1000,
  evidenceMax: 5,
  ...over,
});

/** One partition of signals; what it sends to itself comes back to it. A restart goes through its snapshot. */
class Bench {
  readonly findings = new Map<string, Finding>();
  #processor: WindowsProcessor;
  #offset = 0;
  readonly #options;
  constructor(over: Over = {}) {
    this.#options = options(over);
    this.#processor = new WindowsProcessor(this.#options);
  }
  send(...values: SignalRecord[]): void {
    const queue = [...values];
    for (let value = queue.shift(); value; value = queue.shift()) {
      const out: OutRecord[] = [];
      const text = JSON.stringify(value);
      const record: BusRecord = {
        topic: TOPIC.signals,
        partition: 0,
        offset: this.#offset++,
        key: "",
        value: JSON.parse(text),
        text,
        timestampMs: 0,
      };
      this.#processor.process(record, out);
      for (const one of out) {
        if (one.topic === TOPIC.signals) queue.push(one.value as SignalRecord);
        else {
          const finding = one.value as Finding;
          if (finding.revision > (this.findings.get(finding.id)?.revision ?? 0))
            this.findings.set(finding.id, finding);
        }
      }
    }
  }
  groups(): number {
    return this.#processor.groups();
  }
  valueless(): number {
    return this.#processor.counts.valueless;
  }
  restart(): void {
    this.#processor = new WindowsProcessor(this.#options, [...this.#processor.snapshot()]);
  }
  /** What holds in the end: without superseded and withdrawn ones. */
  told(of?: CorrelationRule): Told[] {
    const superseded = new Set(
      [...this.findings.values()].flatMap(({ supersedes }) => supersedes ?? []),
    );
    return [...this.findings.values()]
      .filter(({ id, withdrawn }) => !superseded.has(id) && !withdrawn)
      .filter(({ ruleVersion }) => of === undefined || ruleVersion === of.version)
      .map(({ group, firstMs, lastMs, count, rule: { level }, suppressed }) => ({
        group: Object.values(group)[0] ?? "",
        first: firstMs,
        last: lastMs,
        count,
        level: level === "high" ? undefined : level,
        suppressed,
      }))
      .sort(byPlace);
  }
}

const signal = (of: CorrelationRule, match: Match): Signal => ({
  kind: "signal",
  stream: "live",
  group: [match.group],
  id: match.id,
  timeMs: match.at,
  matches: [
    {
      version: of.version,
      from: match.from,
      ...valuesOf(of, match),
    },
  ],
});
function valuesOf(of: CorrelationRule, { value, numbers = [] }: Match): Partial<SignalMatch> {
  if (!of.type.startsWith("value_")) return {};
  if (!readsNumbers(of)) return { values: [value] };
  const [number] = numbers;
  return { values: numbers.length === 1 && number !== undefined ? number : numbers };
}
const tick = (atMs: number): SignalRecord => ({
  kind: "tick",
  stream: "live",
  feeder: "events/0",
  atMs,
});
const end: SignalRecord = { kind: "tick", stream: "live", feeder: "events/0", atMs: 0, end: true };

const kinds: readonly Partial<CorrelationRule>[] = [
  { condition: { gte: 3 } },
  { condition: { gte: 1 } },
  { condition: { gt: 1 } },
  { condition: { lt: 3 } },
  { condition: { eq: 2 } },
  { condition: { gte: 2, lte: 3 } },
  { type: "value_count", condition: { gte: 3, field: ["x"] } },
  { type: "value_count", condition: { lte: 1, field: ["x"] } },
  { type: "temporal", condition: { gte: 2 }, rules: ["r0", "r1"] },
  { type: "temporal", condition: { gte: 2, lt: 3 }, rules: ["r0", "r1", "r2"] },
  {
    type: "temporal",
    condition: { match: { all: [{ any: [{ rule: 0 }, { rule: 1 }] }, { rule: 2 }] } },
    rules: ["r0", "r1", "r2"],
  },
  {
    type: "temporal",
    condition: { match: { all: [{ rule: 0 }, { any: [{ without: 1 }, { rule: 2 }] }] } },
    rules: ["r0", "r1", "r2"],
  },
  { type: "temporal_ordered", condition: { gte: 3 }, rules: ["r0", "r1", "r2"] },
  { type: "temporal_ordered", condition: { gte: 2 }, rules: ["r0", "r1", "r2", "r3"] },
  { type: "temporal_ordered", condition: { eq: 2 }, rules: ["r0", "r1", "r2", "r3"] },
  {
    type: "temporal_ordered",
    condition: { orders: [{ rules: [0, 2], without: [1] }] },
    rules: ["r0", "r1", "r2"],
  },
  {
    type: "temporal_ordered",
    condition: {
      orders: [
        { rules: [0, 2], without: [] },
        { rules: [1, 2], without: [] },
      ],
    },
    rules: ["r0", "r1", "r2"],
  },
  { type: "value_sum", condition: { gte: 0.3, field: ["x"] } },
  { type: "value_sum", condition: { gt: -0.7, lt: 5, field: ["x"] } },
  { type: "value_avg", condition: { lte: 0.1, field: ["x"] } },
  { type: "value_avg", condition: { eq: 0.15, field: ["x"] } },
  { type: "value_median", condition: { gte: 0.15, lt: 4, field: ["x"] } },
  { type: "value_percentile", condition: { gt: 4.9, percentile: 90, field: ["x"] } },
  { type: "value_percentile", condition: { neq: 0.1, percentile: 12.5, field: ["x"] } },
  { type: "value_percentile", condition: { lte: 33.4, field: ["x"] } },
  { type: "value_percentile", condition: { gt: 60, lt: 100, field: ["x"] } },
];
const NUMBERS = fc.array(
  fc.constantFrom(0.1, 0.1, 0.2, 0.2, -0.7, 0, 5, 2.5, 1e15, -9007199254740991, 9007199254740991),
  { minLength: 1, maxLength: 2 },
);
const matchesOf = (rules: number) =>
  fc.array(
    fc.record({
      at: fc.oneof(
        fc.integer({ min: 0, max: 2000 }),
        fc.integer({ min: 0, max: 20 }).map((n) => n * SPAN_MS),
      ),
      id: fc.integer({ min: 0, max: 60 }),
      group: fc.constantFrom("ann", "bob"),
      from: fc.integer({ min: 0, max: rules - 1 }),
      value: fc.constantFrom("a", "b", "c", "d"),
      numbers: NUMBERS,
    }),
    { maxLength: 60 },
  );

const telling: Partial<CorrelationRule> = {
  suppressMs: 250,
  escalate: [{ count: 4, level: "critical" }],
};
test.for([...kinds, ...kinds.map((over) => ({ ...over, ...telling }))])(
  "windows equal brute force in any order, with repeats, ticks and restarts: %j",
  (over) => {
    const of = rule(over);
    fc.assert(
      fc.property(matchesOf(of.rules.length), fc.infiniteStream(fc.nat(1000)), (drawn, chance) => {
        const next = () => chance.next().value ?? 0;
        // An id has one time, and arrives within the lateness of it; a repeat may come at any time after.
        const matches = [
          ...new Map(
            drawn.map((match) => [`${match.id}`, { ...match, id: `e${match.id}` }]),
          ).values(),
        ];
        const arrivals = matches
          .flatMap((match) => {
            const first = match.at + (next() % (LATENESS_MS + 1));
            return next() % 3 === 0
              ? [
                  { match, first },
                  { match, first: first + (next() % 800) },
                ]
              : [{ match, first }];
          })
          .sort((a, b) => a.first - b.first);
        const bench = new Bench();
        bench.send({ kind: "rule", rule: of });
        for (const { match, first } of arrivals) {
          if (next() % 2 === 0) bench.send(tick(first));
          if (next() % 8 === 0) bench.restart();
          bench.send(signal(of, match));
        }
        bench.send(end);
        expect(bench.told()).toEqual(reference(of, matches));
      }),
      { numRuns: 300 },
    );
  },
);

test.for(kinds)(
  "busy groups, whose members are forgotten on the way, equal brute force: %j",
  (over) => {
    const of = rule(over);
    const step = fc.tuple(
      fc.constantFrom(0, 1, 2, 3, 60, 101),
      fc.nat(of.rules.length - 1),
      fc.nat(LATENESS_MS),
      fc.constantFrom("a", "b", "c", "d"),
      NUMBERS,
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 400, maxLength: 600 }), (steps) => {
        let at = 0;
        const arrivals = steps
          .map(([gap, from, late, value, numbers], index) => {
            at += index % 7 === 0 ? gap : gap % 4;
            return {
              match: { at, id: `e${index}`, group: "ann", from, value, numbers },
              received: at + late,
            };
          })
          .sort((a, b) => a.received - b.received);
        const bench = new Bench();
        bench.send({ kind: "rule", rule: of });
        arrivals.forEach(({ match, received }, index) => {
          bench.send(tick(received), signal(of, match));
          if (index % 97 === 0) bench.restart();
        });
        bench.send(end);
        const matches = arrivals.map(({ match }) => match);
        expect(bench.told()).toEqual(reference(of, matches));
      }),
      { numRuns: 15, endOnFailure: true }, // making so long a run shorter takes minutes
    );
  },
);

test("evidence of an episode is the same in any order", () => {
  const of = rule();
  const matches = Array.from({ length: 40 }, (_, index) => ({
    at: index * 20,
    id: `e${(index * 7919) % 40}`,
    group: "ann",
    from: 0,
    value: "a",
  }));
  const run = (order: readonly Match[], trimmed: boolean) => {
    const bench = new Bench(trimmed ? { matchesMax: 12 } : {});
    bench.send({ kind: "rule", rule: of }, ...order.map((match) => signal(of, match)), end);
    return [...bench.findings.values()].map(({ id, evidence, count }) => ({ id, evidence, count }));
  };
  const inOrder = run(matches, false);
  expect(inOrder).toHaveLength(1);
  expect(inOrder[0]?.evidence).toHaveLength(5);
  expect(run(matches, true)).toEqual(inOrder);
  const backwards = run([...matches].reverse(), false).at(-1);
  expect(backwards).toEqual(inOrder[0]);
});

test.for([
  { over: { condition: { gte: 3 } }, count: 400 },
  { over: { condition: { gte: 3, lt: 1000 } }, count: 0 },
  { over: { type: "value_sum", condition: { gt: 5, field: ["x"] } }, count: 0 },
  { over: { type: "value_median", condition: { eq: 1, field: ["x"] } }, count: 0 },
] as const)(
  "more in a window than a group may have: what is left decides, and says so: $over",
  ({ over, count }) => {
    const of = rule(over);
    const bench = new Bench({ matchesMax: 12 });
    bench.send({ kind: "rule", rule: of });
    for (let index = 0; index < 400; index++) {
      const match = { id: `e${index}`, group: "ann", from: 0, value: "", numbers: [1] };
      bench.send(signal(of, { ...match, at: Math.floor(index / 4) }));
      if (index % 50 === 0) bench.send(tick(Math.floor(index / 4)));
      if (index === 200) bench.restart();
    }
    bench.send(end);
    const [finding, ...others] = [...bench.findings.values()];
    expect([others, finding?.bounded, finding?.lastMs]).toEqual([[], true, 99]);
    if (count > 0) expect(finding?.count).toBe(count);
  },
);

test("an episode fires at once, grows with a tick, and a late event that joins two supersedes with the next", () => {
  const of = rule();
  const at = (ms: number) => signal(of, { at: ms, id: `e${ms}`, group: "ann", from: 0, value: "" });
  const bench = new Bench();
  bench.send({ kind: "rule", rule: of }, at(0), at(10), at(20));
  expect(bench.told()).toEqual([{ group: "ann", first: 0, last: 20, count: 3 }]);
  bench.send(at(25));
  expect(bench.told()).toEqual([{ group: "ann", first: 0, last: 20, count: 3 }]);
  bench.send(tick(30));
  expect(bench.told()).toEqual([{ group: "ann", first: 0, last: 25, count: 4 }]);
  bench.send(at(150), at(160), at(170));
  expect(bench.told()).toHaveLength(2);
  bench.send(at(110), tick(180));
  expect(bench.told()).toEqual([{ group: "ann", first: 0, last: 170, count: 8 }]);
});

test("a correlation feeds another: many failures, then a success", () => {
  const many = rule({
    version: "many1",
    feeds: [{ version: "both1", place: 0, groupBy: ["user.name"] }],
  });
  const both = rule({
    version: "both1",
    about: { id: "both", title: "both", level: "critical", tags: [] },
    type: "temporal_ordered",
    condition: { gte: 2 },
    rules: ["many", "success"],
    level: 1,
  });
  const fail = (ms: number) =>
    signal(many, { at: ms, id: `f${ms}`, group: "ann", from: 0, value: "" });
  const success = (ms: number): Signal =>
    signal(both, { at: ms, id: `s${ms}`, group: "ann", from: 1, value: "" });
  const run = (values: readonly SignalRecord[]) => {
    const bench = new Bench();
    bench.send({ kind: "rule", rule: many }, { kind: "rule", rule: both }, ...values, end);
    return [...bench.findings.values()]
      .filter((finding) => finding.rule.id === "both")
      .map(({ firstMs, lastMs }) => [firstMs, lastMs]);
  };
  expect(run([fail(0), fail(1), fail(2), success(102)])).toEqual([[2, 102]]);
  expect(run([success(102), fail(0), fail(1), fail(2)])).toEqual([[2, 102]]);
  expect(run([fail(0), fail(1), fail(2), success(103)])).toEqual([]);
  expect(run([fail(0), fail(1), success(50)])).toEqual([]);
  expect(run([success(0), fail(1), fail(2), fail(3)])).toEqual([]);
});

test("a correlation counts distinct values over another: the names that it is grouped by", () => {
  const busy = rule({
    version: "busy1",
    groupBy: ["source.ip", "user.name"],
    condition: { gte: 2 },
    feeds: [
      {
        ...{ version: "many1", place: 0, groupBy: ["source.ip"] },
        values: { fields: ["user.name"], numbers: false },
      },
    ],
  });
  const many = rule({
    version: "many1",
    about: { id: "many-users", title: "many users", level: "high", tags: [] },
    type: "value_count",
    groupBy: ["source.ip"],
    condition: { gte: 2, field: ["user.name"] },
    rules: ["busy"],
    level: 1,
  });
  const at = (ms: number, user: string): Signal => ({
    ...signal(busy, { at: ms, id: `e${ms}`, group: "", from: 0, value: "" }),
    group: ["10.0.0.1", user],
  });
  const run = (values: readonly Signal[]) => {
    const bench = new Bench();
    bench.send({ kind: "rule", rule: busy }, { kind: "rule", rule: many }, ...values, end);
    return [...bench.findings.values()]
      .filter((finding) => finding.rule.id === "many-users")
      .map(({ firstMs, lastMs, count }) => [firstMs, lastMs, count]);
  };
  expect(run([at(0, "ann"), at(1, "ann"), at(2, "bob"), at(3, "bob")])).toEqual([[1, 3, 2]]);
  expect(run([at(0, "ann"), at(1, "ann"), at(2, "ann"), at(3, "bob")])).toEqual([]);
  const ofBoth = [at(0, "ann"), at(0, "bob"), at(1, "ann"), at(1, "bob")];
  expect(run(ofBoth), "one event, a list of two users: one member").toEqual([[1, 1, 1]]);
  expect(run([...ofBoth].reverse())).toEqual([[1, 1, 1]]);
});

test("a correlation adds up numbers over another, of one event all that its groups tell", () => {
  const feeds = [
    { version: "sum1", place: 0, groupBy: [], values: { fields: ["size"], numbers: true } },
  ];
  const low = rule({ version: "low1", groupBy: ["size"], condition: { gte: 1 }, feeds });
  const sum = rule({
    version: "sum1",
    type: "value_sum",
    groupBy: [],
    condition: { eq: 12, field: ["size"] },
    level: 1,
  });
  const at = (ms: number, size: string): Signal => ({
    ...signal(low, { at: ms, id: `e${ms}`, group: "", from: 0, value: "" }),
    group: [size],
  });
  const run = (values: readonly Signal[]) => {
    const bench = new Bench();
    bench.send({ kind: "rule", rule: low }, { kind: "rule", rule: sum });
    for (const value of values) {
      bench.send(value);
      bench.restart();
    }
    bench.send(end);
    return bench.told(sum).map(({ first, last, count }) => [first, last, count]);
  };
  const sizes = [at(0, "5"), at(0, "3"), at(0, "3"), at(1, "4")];
  expect(run(sizes)).toEqual([[0, 1, 2]]);
  expect(run([...sizes].reverse())).toEqual([[0, 1, 2]]);
  expect(run([at(0, "5"), at(1, "4")])).toEqual([]);
});

const chained: readonly Partial<CorrelationRule>[] = [
  { condition: { gte: 2 } },
  { condition: { lt: 3 } },
  { type: "value_sum", condition: { gt: 0.1, field: ["x"] } },
  { type: "temporal", condition: { match: { all: [{ rule: 0 }, { without: 1 }] } } },
  { type: "temporal_ordered", condition: { gte: 2 } },
];
test.for(chained.flatMap((low) => chained.map((high) => ({ low, high }))))(
  "a chain of three equals brute force in any order: $low, then $high",
  ({ low, high }) => {
    const groupBy = ["user.name"];
    const link = (version: string, over: Partial<CorrelationRule>) =>
      rule({
        ...over,
        version,
        about: { id: version, title: version, level: "high", tags: [] },
        rules: ["r0", "r1"],
        ...(over.condition?.field && { condition: { ...over.condition, field: groupBy } }),
      });
    const place = (version: string, { condition }: Partial<CorrelationRule>) => ({
      ...{ version, place: 0, groupBy },
      ...(condition?.field && { values: { fields: groupBy, numbers: true } }),
    });
    const chain = [
      { ...link("low", low), feeds: [place("high", high)] },
      { ...link("high", high), level: 1, feeds: [place("top", { condition: {} })] },
      { ...link("top", { condition: { gte: 2 } }), level: 2 },
    ] as const;
    const step = fc.record({
      at: fc.integer({ min: 0, max: 600 }),
      to: fc.nat(1),
      from: fc.nat(1),
      numbers: NUMBERS,
    });
    const chance = fc.infiniteStream(fc.nat(1000));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), chance, (steps, drawn) => {
        const next = () => drawn.next().value ?? 0;
        const own = (level: number): Match[] =>
          steps.flatMap(({ at, to, from, numbers }, index) =>
            to === level ? [{ at, id: `e${index}`, group: "7", from, value: "7", numbers }] : [],
          );
        const bench = new Bench();
        bench.send(...chain.map((one): SignalRecord => ({ kind: "rule", rule: one })));
        const arrivals = [0, 1]
          .flatMap((level) => own(level).map((match) => ({ match, level })))
          .map((one) => ({ ...one, first: one.match.at + (next() % (LATENESS_MS + 1)) }))
          .sort((a, b) => a.first - b.first);
        for (const { match, level, first } of arrivals) {
          if (next() % 2 === 0) bench.send(tick(first));
          if (next() % 8 === 0) bench.restart();
          bench.send(signal(level === 0 ? chain[0] : chain[1], match));
        }
        bench.send(end);
        // The specification of a chain: each member with which a condition held is a match of the next.
        const points = (of: CorrelationRule, matches: readonly Match[]): Match[] =>
          matches
            .filter(({ at: last }) =>
              holds(
                of,
                matches.filter(({ at }) => at >= last - of.spanMs && at <= last),
              ),
            )
            .map(({ at, id }) => ({ at, id, group: "7", from: 0, value: "7", numbers: [7] }));
        const unique = (matches: readonly Match[]) => [
          ...new Map(matches.map((match) => [`${match.from} ${match.id}`, match])).values(),
        ];
        const atLow = own(0);
        const atHigh = unique([...points(chain[0], atLow), ...own(1)]);
        const atTop = unique(points(chain[1], atHigh));
        expect(chain.map((one) => bench.told(one))).toEqual([
          reference(chain[0], atLow),
          reference(chain[1], atHigh),
          reference(chain[2], atTop),
        ]);
      }),
      { numRuns: 60 },
    );
  },
);

test("a correlation without a number for the next one is metered", () => {
  const feeds = [
    { version: "sum1", place: 0, groupBy: [], values: { fields: ["user.name"], numbers: true } },
  ];
  const low = rule({ version: "low1", condition: { gte: 1 }, feeds, generate: false });
  const sum = rule({
    version: "sum1",
    type: "value_sum",
    groupBy: [],
    condition: { gte: 5, field: ["user.name"] },
    level: 1,
  });
  const told = (group: string) => {
    const bench = new Bench();
    bench.send({ kind: "rule", rule: low }, { kind: "rule", rule: sum });
    bench.send(signal(low, { at: 0, id: "e", group, from: 0, value: "" }), end);
    return [bench.told().length, bench.valueless()];
  };
  expect([told("5"), told("4"), told("ann")]).toEqual([
    [1, 0],
    [0, 0],
    [0, 1],
  ]);
});

test("a stream that has ended takes nothing more", () => {
  const of = rule();
  const at = (ms: number) => signal(of, { at: ms, id: `e${ms}`, group: "ann", from: 0, value: "" });
  const bench = new Bench();
  bench.send({ kind: "rule", rule: of }, at(0), at(10), at(20), end);
  bench.restart();
  bench.send(at(0), at(10), at(20), at(30), tick(40), end);
  expect([...bench.findings.values()]).toMatchObject([{ count: 3, revision: 1 }]);
});

test("a flood of groups stays within the bound of all rules together, and blinds no other rule", () => {
  const flood = rule({ version: "flood1" });
  const quiet = rule({ version: "quiet1" });
  const at = (of: CorrelationRule, group: string, ms: number) =>
    signal(of, { at: ms, id: `${group}${ms}`, group, from: 0, value: "" });
  const bench = new Bench({ groupsMax: 10 });
  bench.send({ kind: "rule", rule: flood }, { kind: "rule", rule: quiet });
  bench.send(at(quiet, "ann", 0), at(quiet, "ann", 1));
  const sizes = new Set<number>();
  for (let number = 0; number < 40; number++) {
    bench.send(at(flood, `host${number}`, number));
    if (number === 20) bench.restart();
    sizes.add(bench.groups());
  }
  expect(sizes).toEqual(new Set([2, 3, 4, 5, 6, 7, 8, 9, 10]));
  bench.send(at(quiet, "ann", 41));
  expect(bench.told()).toEqual([{ group: "ann", first: 0, last: 41, count: 3 }]);
  bench.send(end);
  expect(bench.groups()).toBe(0);
});

test("a signal that comes before its rule waits for it", () => {
  const of = rule();
  const at = (ms: number) => signal(of, { at: ms, id: `e${ms}`, group: "ann", from: 0, value: "" });
  const bench = new Bench();
  bench.send(at(0), at(10), at(20));
  bench.restart();
  bench.send({ kind: "rule", rule: of });
  expect(bench.told()).toEqual([{ group: "ann", first: 0, last: 20, count: 3 }]);
});

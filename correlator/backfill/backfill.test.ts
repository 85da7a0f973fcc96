// Backfilled findings are those of one run over all events, by id and content; nothing is doubled, and nothing fuller replaced.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { EcsEvent } from "../../core/event.ts";
import type { Finding } from "../../core/records.ts";
import { openEmbeddedStore } from "../../core/store/embedded.ts";
import { FinishedStream } from "../finished-stream.ts";
import { ruleSetOf } from "../fixtures/rule-set.ts";
import { indexedMatcher } from "../match/indexed.ts";
import { findingOf } from "../signals.ts";
import { backfill } from "./backfill.ts";
import { BACKFILLED_FROM, fullnessOf } from "./fuller.ts";
import { type KeptWorld, worldOf } from "./kept-world.ts";
import { backfillLate } from "./late.ts";
import type { Rules } from "./range.ts";

const SECOND = 1000;
const T0 = Date.UTC(2026, 0, 5, 12);
const BOUNDS = { matchesMax: 1000, valuesMax: 100_000, groupsMax: 1000, evidenceMax: 5 };
const RULES = `title: Failed
name: failed
logsource: {}
detection: { s: { message: failed }, condition: s }
---
title: Alone
id: alone
logsource: {}
detection: { s: { message: alone }, condition: s }
---
title: Many failed
name: many
id: many
correlation: { type: event_count, rules: [failed], group-by: [host.name], timespan: 1m, condition: { gte: 3 } }
---
title: Many, and many again
id: chain
correlation: { type: event_count, rules: [many], group-by: [host.name], timespan: 10m, condition: { gte: 3 }, generate: true }
---
title: Silent
id: silent
correlation: { type: absence, rules: [failed], group-by: [host.name], timespan: 5m, rememberFor: 30m, expected: [never] }
`;
const set = ruleSetOf(RULES);
const rules: Rules = { set, matcher: indexedMatcher(set), bounds: BOUNDS };

type Marks = { readonly stream?: string; readonly late?: true; readonly clockMs?: number };
let ids = 0;
const event = (second: number, host: string, message = "failed", marks: Marks = {}): EcsEvent => ({
  "@timestamp": new Date(T0 + second * SECOND).toISOString(),
  message,
  event: { id: `e${ids++}` },
  host: { name: host },
  wache: { stream: "live", sources: [], clockMs: T0 + second * SECOND, ...marks },
});
const failures = (host: string, seconds: readonly number[], marks: Marks = {}): EcsEvent[] =>
  seconds.map((second) => event(second, host, "failed", marks));
const late = (host: string, seconds: readonly number[], receivedSecond: number): EcsEvent[] =>
  failures(host, seconds, { late: true, clockMs: T0 + receivedSecond * SECOND });

type Kept = {
  readonly world: KeptWorld;
  readonly put: (events: readonly EcsEvent[]) => Promise<void>;
  readonly findings: () => Promise<readonly Finding[]>;
  readonly keep: (findings: readonly Finding[]) => Promise<void>;
};

async function openKept(): Promise<Kept> {
  const folder = mkdtempSync(join(tmpdir(), "wache-backfill-"));
  const store = await openEmbeddedStore({ dir: folder });
  await store.open();
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const keep = (findings: readonly Finding[]) =>
    store.putDocuments(
      "findings",
      findings.map((one) => ({ id: one.id, revision: one.revision, body: one })),
    );
  const produce = (records: readonly { readonly value: unknown }[]) =>
    keep(records.map(({ value }) => value as Finding));
  const world = worldOf(store, { produce });
  return {
    ...{ world, keep },
    put: (events) =>
      store.putEvents(events.map((one) => ({ event: one, text: JSON.stringify(one) }))),
    findings: async () => (await world.findings(undefined)).items,
  };
}

/** What one run over all events finds, late ones or not. */
function undisturbed(events: readonly EcsEvent[], untilSecond: number): readonly Finding[] {
  const streams = new Map<string, FinishedStream>();
  const alone: Finding[] = [];
  for (const one of events) {
    const name = one.wache.stream;
    const stream =
      streams.get(name) ??
      new FinishedStream(rules.set, { ...BOUNDS, latenessMs: 0, stream: name });
    streams.set(name, stream);
    const matched = rules.matcher.match(one, []).map(({ rule }) => rule);
    stream.correlate(one, matched);
    for (const rule of matched)
      if (rule.standalone) alone.push(findingOf(one, rule).value as Finding);
  }
  streams.get("live")?.seen(T0 + untilSecond * SECOND);
  return [...alone, ...[...streams.values()].flatMap((stream) => stream.end())].filter(
    ({ group }) => group["host.name"] !== "never",
  );
}

const content = (findings: readonly Finding[]): string[] =>
  findings
    .map(({ revision: _, supersedes: __, backfilled: ___, ...one }) =>
      JSON.stringify(Object.entries(one).sort()),
    )
    .sort();
const standing = (findings: readonly Finding[]): readonly Finding[] => {
  const gone = new Set(findings.flatMap(({ supersedes }) => supersedes ?? []));
  return findings.filter(({ id, withdrawn }) => !gone.has(id) && !withdrawn);
};
const brief = (findings: readonly Finding[]): string[] =>
  findings
    .map(({ rule, group, firstMs, lastMs, count }) =>
      [
        ...[rule.id, group["host.name"], (firstMs - T0) / SECOND, (lastMs - T0) / SECOND],
        `×${count}`,
      ].join(" "),
    )
    .sort();

const quiet = { page: () => false };
const until = (second: number) => ({ ...quiet, settledMs: T0 + second * SECOND });
const between = (from: number, to: number, settled = 100_000) => ({
  ...until(settled),
  ...{ fromMs: T0 + from * SECOND, toMs: T0 + to * SECOND },
});

const LONG = Array.from({ length: 200 }, (_, n) => n * 20); // more than an hour without a gap
const EVENTS = [
  ...failures("web1", LONG),
  ...failures("web2", [0, 10, 20, 500, 510, 520, 4000]),
  ...failures("web3", [3000, 3010, 3020], { stream: "import-1" }),
  event(100, "web1", "alone"),
  event(3000, "web2", "alone"),
].sort((a, b) => (a["@timestamp"] < b["@timestamp"] ? -1 : 1));

test.for([
  { name: "all of it", from: -10_000, to: 50_000 },
  { name: "the middle of a long episode", from: 2000, to: 2001 },
  { name: "one moment at a beginning", from: 0, to: 0 },
  { name: "between two episodes", from: 600, to: 700 },
  { name: "after everything", from: 60_000, to: 61_000 },
])("a range tells what overlaps it, as all events show it: $name", async ({ from, to }) => {
  const kept = await openKept();
  await kept.put(EVENTS);
  const run = await backfill(kept.world, rules, between(from, to));
  const all = undisturbed(EVENTS, 100_000);
  const [fromMs, toMs] = [T0 + from * SECOND, T0 + to * SECOND];
  const want = all.filter(({ firstMs, lastMs }) => firstMs <= toMs && lastMs >= fromMs);
  expect(content(await kept.findings())).toEqual(content(want));
  expect(run).toMatchObject({ found: want.length, told: want.length, growing: 0 });

  const again = await backfill(kept.world, rules, between(from, to));
  expect(again).toEqual({ ...run, told: 0 });
});

test("a fuller finding stays, a poorer one grows under its id, a part is superseded, and none pages", async () => {
  const kept = await openKept();
  await kept.put(failures("a", [0, 10, 20, 30]));
  const [found] = undisturbed(failures("a", [0, 10, 20, 30]), 0).filter(
    (one) => one.rule.id === "many",
  );
  if (found === undefined) throw new Error("nothing was found");
  const told = async (before: readonly Finding[]) => {
    const one = await openKept();
    await one.put(failures("a", [0, 10, 20, 30]));
    await one.keep(before);
    const now: Finding[] = [];
    await backfill(one.world, rules, { ...between(0, 30), onTold: (finding) => now.push(finding) });
    return now
      .filter(({ rule }) => rule.id === "many")
      .map(({ id, revision, supersedes, page }) => ({ id, revision, supersedes, page }));
  };
  const { id } = found;
  const fresh = { id, revision: BACKFILLED_FROM + 4, supersedes: undefined, page: undefined };
  const other = (id: string, from: number, to: number, count: number): Finding => ({
    ...{ ...found, id, count },
    ...{ firstMs: T0 + from * SECOND, lastMs: T0 + to * SECOND },
  });
  expect(await told([])).toEqual([fresh]);
  expect(await told([found])).toEqual([]);
  expect(await told([{ ...found, revision: 7, count: 5 }])).toEqual([]);
  expect(await told([{ ...found, revision: 7, count: 3 }])).toEqual([fresh]);
  expect(await told([{ ...found, withdrawn: true }])).toEqual([]);
  expect(await told([other("part", 10, 30, 3)])).toEqual([{ ...fresh, supersedes: ["part"] }]);
  expect(await told([other("wider", -5, 30, 5)])).toEqual([]);
  expect(await told([other("longer", 10, 40, 4)])).toEqual([]);
  expect(await told([other("apart", 31, 40, 4)])).toEqual([fresh]);
  expect(await told([{ ...other("of another version", 10, 30, 3), ruleVersion: "v0" }])).toEqual([
    fresh,
  ]);
});

test("what live may still add to is left to it", async () => {
  const kept = await openKept();
  await kept.put(failures("a", [0, 10, 20]));
  expect(await backfill(kept.world, rules, between(0, 60, 30))).toMatchObject({
    told: 0,
    growing: 1,
  });
  expect(await backfill(kept.world, rules, between(0, 60, 5000))).toMatchObject({ growing: 0 });
  expect(brief(await kept.findings())).toContain("many a 0 20 ×3");
});

const inTime = failures("a", [0, 10, 20, 100, 110, 120]);
test.for([
  { name: "nothing late", events: [], want: ["many a 0 20 ×3", "many a 100 120 ×3"] },
  {
    name: "one that moves a beginning",
    events: late("a", [-30], 2000),
    want: ["chain a 10 120 ×3", "many a -30 20 ×4", "many a 100 120 ×3"],
  },
  {
    name: "one that joins two",
    events: late("a", [60], 2000),
    want: ["chain a 20 120 ×4", "many a 0 120 ×7"],
  },
  {
    name: "ones that make a finding by themselves, and of another group",
    events: late("b", [0, 60, 30], 2000),
    want: ["many a 0 20 ×3", "many a 100 120 ×3", "many b 0 60 ×3"],
  },
  {
    name: "one that changes nothing",
    events: late("a", [-61, 400], 2000),
    want: ["many a 0 20 ×3", "many a 100 120 ×3"],
  },
])("late: $name", async ({ events, want }) => {
  const kept = await openKept();
  await kept.put([...inTime, ...events]);
  const noSilence = (findings: readonly Finding[]) => findings.filter(({ absence }) => !absence);
  await kept.keep(noSilence(undisturbed(inTime, 0)));
  const before = await kept.findings();
  await backfillLate(kept.world, rules, until(50_000));
  const after = standing(await kept.findings());
  const all = [...inTime, ...events].sort((a, b) => (a["@timestamp"] < b["@timestamp"] ? -1 : 1));
  expect(content(after)).toEqual(content(noSilence(undisturbed(all, 0))));
  expect(brief(after)).toEqual(want);

  const more = { ...until(50_000), fromMs: T0 - 100 * SECOND };
  for (const wish of [until(50_000), more]) {
    expect((await backfillLate(kept.world, rules, wish)).told).toBe(0);
  }
  expect((await kept.findings()).length).toBeGreaterThanOrEqual(before.length);
});

test("late events are looked at once, and again while their windows may grow; new ones when they come", async () => {
  const kept = await openKept();
  const imported = { stream: "import-1", late: true, clockMs: T0 } as const;
  const steps: readonly {
    readonly put: readonly EcsEvent[];
    readonly settled?: number;
    readonly want: readonly [late: number, told: number, pending: number];
  }[] = [
    { put: [...failures("a", [0]), ...late("a", [10], 700)], settled: 130, want: [1, 0, 1] },
    { put: late("a", [20], 705), settled: 130, want: [2, 1, 2] },
    { put: failures("a", [30]), want: [2, 1, 0] },
    { put: [], want: [0, 0, 0] },
    { put: late("a", [40], 9000), want: [1, 2, 0] },
    { put: late("a", [50], 8000), want: [1, 2, 0] }, // received before, but on its way for longer
    { put: failures("i", [0, 1, 2], imported), want: [3, 1, 0] },
    { put: [], want: [0, 0, 0] },
    { put: failures("i", [3], imported), want: [4, 1, 0] },
    { put: late("a", [50_000], 60_000), settled: 59_000, want: [1, 0, 0] },
  ];
  for (const { put, settled = 9000, want } of steps) {
    await kept.put(put);
    const run = await backfillLate(kept.world, rules, until(settled));
    expect([run.late, run.told, run.pending]).toEqual(want);
  }
  const found = await kept.findings();
  expect(brief(found)).toEqual(["chain a 20 50 ×4", "many a 0 50 ×6", "many i 0 3 ×4"]);
  for (const one of found) expect(one.revision).toBe(BACKFILLED_FROM + fullnessOf(one));
});

test("where late events are correlated for the first time, what was received long before is left alone", async () => {
  const kept = await openKept();
  await kept.put([...late("a", [-9000, -8999, -8998], 700), ...late("b", [0, 1, 2], 2000)]);
  const sinceMs = T0 + 1000 * SECOND;
  await backfillLate(kept.world, rules, { ...until(9000), sinceMs });
  expect(brief(await kept.findings())).toEqual(["many b 0 2 ×3"]);
});

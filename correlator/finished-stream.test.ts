// A stream that is all there gives the same findings in any order, and as one that comes bit by bit within the lateness.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { EcsEvent } from "../core/event.ts";
import type { Finding } from "../core/records.ts";
import { FinishedStream } from "./finished-stream.ts";
import { ruleSetOf } from "./fixtures/rule-set.ts";
import { indexedMatcher } from "./match/indexed.ts";

const LATENESS_MS = 5000;
const START_MS = Date.UTC(2026, 2, 28, 23);
const RULES = `title: Beat
name: beat
logsource: {}
detection: { s: { message: beat }, condition: s }
---
title: Silent
correlation: { type: absence, rules: [beat], group-by: [host.name], timespan: 10s, expected: [db1, db9], rememberFor: 2m, escalate: [{ count: 3, level: high }] }
level: low
---
title: Not by half past two, which does not exist that day
correlation: { type: absence, rules: [beat], group-by: [host.name], expected: [db9], timespan: 1h, deadline: { by: "02:30", timezone: Europe/Berlin } }
---
title: Busy
correlation: { type: event_count, rules: [beat], group-by: [host.name], timespan: 4s, condition: { gte: 3 }, suppress: 20s, escalate: [{ count: 5, level: critical }] }
`;
const set = ruleSetOf(RULES);
const matcher = indexedMatcher(set);

type Drawn = { readonly at: number; readonly host: string; readonly message: string };
const eventOf = ({ at, host, message }: Drawn, n: number): EcsEvent => ({
  "@timestamp": new Date(START_MS + at).toISOString(),
  message,
  event: { id: `e${n}` },
  host: { name: host },
  wache: { stream: "live", sources: [] },
});

function run(events: readonly EcsEvent[], clock?: (event: EcsEvent) => number): readonly Finding[] {
  const stream = new FinishedStream(set ?? { version: "", detections: [], correlations: [] }, {
    ...{
      latenessMs: LATENESS_MS,
      matchesMax: 1000,
      valuesMax: 1000,
      groupsMax: 1000,
      evidenceMax: 5,
    },
  });
  for (const event of events) {
    stream.add(
      event,
      matcher.match(event, []).map(({ rule }) => rule),
    );
    if (clock) stream.clock(clock(event));
  }
  return stream.end();
}
const briefly = (findings: readonly Finding[]) =>
  findings.map(({ revision: _, supersedes: __, ...finding }) => JSON.stringify(finding)).sort();

test("what is found follows from the events, not from their order, repeats or the clock between", () => {
  const drawn = fc.array(
    fc.record({
      at: fc.oneof(
        fc.integer({ min: 0, max: 400_000 }),
        fc.integer({ min: 0, max: 30 }).map((n) => n * 10_000),
      ),
      host: fc.constantFrom("db1", "web1", "web2"),
      message: fc.constantFrom("beat", "beat", "beat", "other"),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(drawn, fc.infiniteStream(fc.nat(LATENESS_MS)), (all, chance) => {
      const next = () => chance.next().value ?? 0;
      const events = all.map(eventOf);
      const want = briefly(run(events));
      expect(briefly(run([...events].reverse()))).toEqual(want);
      const arrivals = events
        .map((event) => ({ event, atMs: Date.parse(event["@timestamp"]) + next() }))
        .sort((a, b) => a.atMs - b.atMs);
      let nowMs = 0;
      const received = arrivals.flatMap(({ event }) =>
        next() % 4 === 0 ? [event, event] : [event],
      );
      const clockOf = new Map(arrivals.map(({ event, atMs }) => [event, atMs]));
      const live = run(received, (event) => {
        nowMs = Math.max(nowMs, clockOf.get(event) ?? 0);
        return nowMs;
      });
      expect(briefly(live)).toEqual(want);
    }),
    { numRuns: 200 },
  );
});

test("an absence is missed up to the last event, whichever rule it is of", () => {
  const beat = eventOf({ at: 0, host: "web1", message: "beat" }, 0);
  const other = (at: number) => eventOf({ at, host: "web2", message: "other" }, at);
  const silent = (events: readonly EcsEvent[]) =>
    run(events)
      .filter(({ rule: { title } }) => title === "Silent")
      .map(({ group, count }) => `${group["host.name"]} ${count}`)
      .sort();
  expect(silent([beat])).toEqual([]);
  expect(silent([beat, other(10_000)])).toEqual([]);
  expect(silent([beat, other(10_001)])).toEqual(["db1 1", "db9 1", "web1 1"]);
  expect(silent([other(-1), beat, other(10_000)])).toEqual(["db1 1", "db9 1"]);
});

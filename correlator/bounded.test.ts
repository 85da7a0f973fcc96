// What a bound took shows in every finding that it touched: further up a chain too, and where one event had too much.
import { expect, test } from "vitest";
import type { EcsEvent } from "../core/event.ts";
import { FinishedStream } from "./finished-stream.ts";
import { ruleSetOf } from "./fixtures/rule-set.ts";
import { indexedMatcher } from "./match/indexed.ts";

const BASE = `title: any
name: any
logsource: { product: p }
detection: { s: { act: '*' }, condition: s }
---
`;
const below = (of: string): string => `title: below
name: below
correlation: { rules: [any], group-by: [user], timespan: 60s, ${of} }
---
`;
const above = (of: string): string => `title: above
correlation: { rules: [below], timespan: 60s, ${of} }
`;
const single = (of: string): string => `title: alone
correlation: { rules: [any], timespan: 60s, ${of} }
`;
type Said = Readonly<Record<string, unknown>>;
const some = (count: number, said: (n: number) => Said): readonly Said[] =>
  Array.from({ length: count }, (_, n) => ({ act: "x", user: "ann", ...said(n) }));
const names = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `v${n}`);

function findings(rules: string, events: readonly Said[]) {
  const set = ruleSetOf(BASE + rules);
  const matcher = indexedMatcher(set);
  const stream = new FinishedStream(set, {
    ...{ matchesMax: 8, valuesMax: 1000, groupsMax: 1000, evidenceMax: 5 },
    latenessMs: 0,
  });
  for (const [n, said] of events.entries()) {
    const sources = [{ product: "p" }];
    const event = {
      "@timestamp": new Date(n * 10).toISOString(),
      event: { id: `e${n}` },
      wache: { stream: "live", source: "s", sources },
      ...said,
    } as unknown as EcsEvent;
    const matched = matcher.match(event, sources).map(({ rule }) => rule);
    stream.correlate(event, matched);
  }
  return stream.end().map(({ count, bounded }) => ({ count, bounded }));
}

const COUNT = "type: event_count, condition: { gte: 3 }";
test.for([
  {
    name: "a chain over groups with all their matches",
    rules: below(COUNT) + above(COUNT),
    events: some(8, () => ({})),
    bounded: undefined,
  },
  {
    name: "a chain over a group that forgot some",
    rules:
      below("type: event_count, condition: { gte: 7 }") +
      above("type: event_count, condition: { gte: 4 }"),
    events: some(10, () => ({})), // the group above has four
    bounded: true,
  },
  {
    name: "an event with as many values as count",
    rules: single("type: value_count, condition: { field: v, gte: 3 }"),
    events: some(1, () => ({ v: names(64) })),
    bounded: undefined,
  },
  {
    name: "one with more",
    rules: single("type: value_count, condition: { field: v, gte: 3 }"),
    events: some(2, (n) => ({ v: names(n === 0 ? 65 : 1) })),
    bounded: true,
  },
  {
    name: "more numbers than count",
    rules: single("type: value_sum, condition: { field: v, gte: 3 }"),
    events: some(1, () => ({ v: names(257).map((_, n) => n) })),
    bounded: true,
  },
  {
    name: "more values than are carried up a chain",
    rules:
      below("type: event_count, condition: { gte: 1 }") +
      above("type: value_count, condition: { field: v, gte: 3 }"),
    events: some(1, () => ({ v: names(257) })),
    bounded: true,
  },
  {
    name: "more values than count of a match further down",
    rules:
      below("type: event_count, condition: { gte: 1 }") +
      above("type: value_count, condition: { field: v, gte: 3 }"),
    events: some(1, () => ({ v: names(65) })),
    bounded: true,
  },
])("$name: bounded is $bounded", ({ rules, events, bounded }) => {
  const found = findings(rules, events);
  expect(found.length).toBeGreaterThan(0);
  expect(found.map((one) => one.bounded)).toEqual(found.map(() => bounded));
});

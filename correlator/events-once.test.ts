// An event that several of a correlation's rules match is one event, whatever the correlation measures.
import { expect, test } from "vitest";
import type { EcsEvent } from "../core/event.ts";
import { ruleSetOf } from "./fixtures/rule-set.ts";
import { indexedMatcher } from "./match/indexed.ts";
import { findingsOf } from "./rule-tests.ts";

const BELOW = `title: any
name: any
logsource: { product: p }
detection: { s: { act: '*' }, condition: s }
---
title: bad
name: bad
logsource: { product: p }
detection: { s: { act|contains: bad }, condition: s }
`;
const rule = (of: string): string => `${BELOW}---
title: above
correlation:
  rules: [any, bad]
  group-by: [user]
  timespan: 60s
  ${of.replaceAll("\n", "\n  ")}
`;
type Said = Readonly<Record<string, unknown>>;
const bad = (n = 1): Said => ({ act: "bad", n });
const good = (n = 1): Said => ({ act: "good", n });

test.for([
  { of: "type: event_count\ncondition: { gte: 2 }", events: [bad()], counts: [] },
  { of: "type: event_count\ncondition: { gte: 2 }", events: [bad(), bad()], counts: [2] },
  { of: "type: event_count\ncondition: { lt: 2 }", events: [bad()], counts: [1] },
  { of: "type: event_count\ncondition: { eq: 3 }", events: [bad(), good(), bad()], counts: [3] },
  { of: "type: value_sum\ncondition: { field: n, gt: 9 }", events: [bad(5)], counts: [] },
  {
    of: "type: value_sum\ncondition: { field: n, gte: 9 }",
    events: [bad(5), good(4)],
    counts: [2],
  },
  {
    of: "type: value_avg\ncondition: { field: n, gte: 5 }",
    events: [bad(8), good(2)],
    counts: [2],
  },
  {
    of: "type: value_median\ncondition: { field: n, gt: 5 }",
    events: [good(1), bad(9)],
    counts: [],
  },
  { of: "type: temporal", events: [good()], counts: [] },
  { of: "type: temporal", events: [bad()], counts: [1] },
  { of: "type: temporal", events: [good(), bad(), bad()], counts: [3] },
  { of: "type: temporal_ordered", events: [bad()], counts: [1] },
])("$of: $events", ({ of, events, counts }) => {
  const set = ruleSetOf(rule(of));
  const stamped = events.map((said, index) => ({
    ...said,
    user: "bob",
    "@timestamp": new Date(Date.UTC(2026, 0, 5, 8, 0, index)).toISOString(),
    event: { id: `e${index}` },
    wache: { stream: "live", sources: [{ product: "p" }] },
  })) as unknown as EcsEvent[];
  for (const order of [stamped, stamped.toReversed()]) {
    const found = findingsOf(order, set, { matcher: indexedMatcher(set) });
    expect(found.map(({ count }) => count)).toEqual(counts);
    for (const { evidence } of found) expect(new Set(evidence).size).toBe(evidence.length);
  }
});

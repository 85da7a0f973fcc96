// A rule that a reload leaves as it is keeps its windows; whom it feeds and how it is called are those of the new set.
import { expect, test } from "vitest";
import type { CorrelationRule, SignalMatch } from "../../core/records.ts";
import { Bench, tick } from "./fixtures/bench.ts";

const SPAN_MS = 10_000;

const ruleOf = (version: string, over: Partial<CorrelationRule>): CorrelationRule => ({
  version,
  about: { id: version, title: version, level: "low", tags: [] },
  type: "event_count",
  spanMs: SPAN_MS,
  groupBy: ["user.name"],
  condition: { gte: 1 },
  rules: ["r"],
  level: 0,
  generate: true,
  feeds: [],
  ...over,
});
const feeds = (version: string): CorrelationRule["feeds"] => [
  { version, place: 0, groupBy: ["user.name"] },
];
const signal = (timeMs: number, version: string) => ({
  ...{ kind: "signal" as const, stream: "live", id: `e${timeMs}`, timeMs, group: ["ann"] },
  matches: [{ version, from: 0 } satisfies SignalMatch],
});

test.for([
  { says: "one that fires at once", condition: { gte: 2 } },
  { says: "one that waits", condition: { gte: 2, lt: 100 } },
])(
  "a rule with live windows feeds the changed one above it after a reload: $says",
  ({ condition }) => {
    const bench = new Bench({ latenessMs: 0 });
    const below = (above: string, title: string) =>
      ruleOf("below", {
        condition,
        feeds: feeds(above),
        about: { id: "below", title, level: "low", tags: [] },
      });
    bench.send({ kind: "rule", rule: below("old", "as it was") });
    bench.send({ kind: "rule", rule: ruleOf("old", { level: 1 }) });
    bench.send(tick(0), signal(1000, "below"), tick(1500));
    bench.send({ kind: "rule", rule: below("new", "as it is") });
    bench.send({ kind: "rule", rule: ruleOf("new", { level: 1 }) });
    bench.send(signal(2000, "below"), tick(3000), tick(60_000));
    const found = [...bench.findings.values()].map(({ rule, count }) => [
      rule.id,
      rule.title,
      count,
    ]);
    expect(found.sort()).toEqual([
      ["below", "as it is", 2],
      ["new", "new", 1],
    ]);
  },
);

import { expect, test } from "vitest";
import type { OutRecord } from "../core/bus/bus.ts";
import { type EventRecord, type Tick, TOPIC } from "../core/records.ts";
import { DetectProcessor } from "./detection.ts";
import { ruleSetOf } from "./fixtures/rule-set.ts";
import { indexedMatcher } from "./match/indexed.ts";

const RULES = `title: Beat
name: beat
logsource: {}
detection: { s: { message: beat }, condition: s }
---
title: Silent
name: silent
correlation: { type: absence, rules: [beat], timespan: 10s }
---
title: Busy
name: busy
correlation: { type: event_count, rules: [beat], timespan: 10s, condition: { gte: 2 } }
`;
const rulesOf = (text: string) => {
  const set = ruleSetOf(text);
  return { set, matcher: indexedMatcher(set) };
};
const tick = (over: Partial<Tick>): Tick => ({
  ...{ kind: "tick", stream: "live", feeder: "collector", atMs: 1000 },
  ...over,
});

/** What each record leads to in the first of two partitions of signals; a restart goes through the snapshot. */
function bench(rules: { current: ReturnType<typeof rulesOf> }) {
  const options = { partition: 4, latenessMs: 0, signalPartitions: 2, rules: () => rules.current };
  let processor = new DetectProcessor(options);
  const send = (value: EventRecord) => {
    const out: OutRecord[] = [];
    const base = {
      topic: TOPIC.events,
      partition: 4,
      offset: 0,
      key: "",
      text: "",
      timestampMs: 0,
    };
    processor.process({ ...base, value }, out);
    return out.filter(({ partition }) => partition === 0).map((one) => one.value);
  };
  const restart = () => {
    processor = new DetectProcessor(options, [...processor.snapshot()]);
  };
  return { send, restart };
}

test("rules are announced before anything else, then which absences are in force; again when they change", () => {
  const rules = { current: rulesOf(RULES) };
  const [silent] = rules.current.set.correlations.filter(({ type }) => type === "absence");
  const { send } = bench(rules);
  expect(send(tick({}))).toMatchObject([
    { kind: "rule" },
    { kind: "rule" },
    { kind: "rules", feeder: "events/4", absences: [silent?.version] },
    { kind: "tick", feeder: "events/4", atMs: 1000 },
  ]);
  expect(send(tick({ atMs: 2000 }))).toMatchObject([{ kind: "tick", atMs: 2000 }]);
  rules.current = rulesOf(RULES.split("---")[0] ?? "");
  expect(send(tick({ atMs: 3000 }))).toMatchObject([
    { kind: "rules", feeder: "events/4", absences: [] },
    { kind: "tick", atMs: 3000 },
  ]);
});

test("the end of a stream says how far it came, also over a restart", () => {
  const { send, restart } = bench({ current: rulesOf(RULES) });
  const old = (over: Partial<Tick>) => tick({ stream: "old", ...over });
  send(old({ feeder: "a" }));
  send(old({ feeder: "b" }));
  expect(send(old({ feeder: "a", atMs: 7000, end: true }))).toEqual([]);
  restart();
  expect(send(old({ feeder: "b", atMs: 5000, end: true })).at(-1)).toMatchObject({
    ...{ kind: "tick", stream: "old", end: true },
    untilMs: 7000,
  });
});

// What a restart between two steps, or one that fails, must not lose or double, where the simulator draws it too seldom.
import { expect, test } from "vitest";
import type { CorrelationRule } from "../../core/records.ts";
import { Bench, signalOf, tick } from "./fixtures/bench.ts";

const rule: CorrelationRule = {
  version: "v1",
  about: { id: "many", title: "many", level: "low", tags: [] },
  type: "event_count",
  spanMs: 10,
  groupBy: ["user.name"],
  condition: { gte: 2 },
  rules: ["r"],
  level: 0,
  generate: true,
  feeds: [],
};
const at = (ms: number) => signalOf(rule, { at: ms, id: `e${ms}`, group: ["ann"] });

test("signals of a rule that was not announced yet wait, over a restart too", () => {
  const bench = new Bench({ latenessMs: 1000 });
  bench.send(tick(0), at(1), at(2));
  bench.restart();
  bench.send({ kind: "rule", rule }, tick(5000));
  expect(bench.told()).toMatchObject([{ firstMs: 1, lastMs: 2, count: 2 }]);
});

test.for([false, true])(
  "an episode that joins others one after the other names all, restarted between: %s",
  (restarts) => {
    const bench = new Bench({ latenessMs: 1000 });
    bench.send({ kind: "rule", rule }, tick(0));
    for (const ms of [0, 5, 22, 26, 42, 46]) bench.send(at(ms));
    bench.send(tick(500));
    expect(bench.told()).toHaveLength(3);
    for (const ms of [14, 34]) {
      if (restarts) bench.restart();
      bench.send(at(ms), tick(600 + ms));
    }
    expect(bench.told()).toMatchObject([{ firstMs: 0, lastMs: 46, count: 8 }]);
  },
);

test("what a match caused before it failed is not told with the next one", () => {
  const feeds = [{ version: "v2", place: 0 }] as unknown as CorrelationRule["feeds"]; // lacks what it groups by
  const broken: CorrelationRule = { ...rule, version: "v0", condition: { gte: 1 }, feeds };
  const bench = new Bench({ latenessMs: 1000 });
  bench.send({ kind: "rule", rule: broken }, { kind: "rule", rule }, tick(0));
  expect(() => bench.send(signalOf(broken, { at: 1, id: "e1", group: ["ann"] }))).toThrow();
  bench.send(at(2), at(3));
  expect(bench.told()).toMatchObject([{ ruleVersion: "v1", firstMs: 2, lastMs: 3 }]);
});

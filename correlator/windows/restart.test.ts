// What a restart between two steps must not lose, where the simulator draws the moment too seldom.
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

import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { windowCounters } from "./window-counters.ts";
import { Bench, signalOf } from "./windows/fixtures/bench.ts";
import { noCounts } from "./windows/processor.ts";

const busy = {
  ...{ version: "v1", about: { id: "many", title: "many", level: "high" as const, tags: [] } },
  ...{ type: "event_count" as const, spanMs: 100, condition: { gte: 3 }, rules: ["r0"] },
  ...{ groupBy: ["user.name"], level: 0, generate: true, feeds: [] },
};

test.for([
  {
    ...{ name: "matches a group", over: { matchesMax: 4 }, groups: 1, metric: "matches_forgotten" },
    said: (matches: number): object => ({ matches }),
  },
  {
    ...{ name: "groups", over: { groupsMax: 4 }, groups: 9, metric: "groups_evicted" },
    said: (groups: number): object => ({ groups }),
  },
])("a bound that is reached is a metric and a line of the log: $name", async (reached) => {
  const metrics = new Registry();
  const lines: unknown[][] = [];
  const tell = windowCounters(metrics, { warn: (...line: unknown[]) => void lines.push(line) });
  const bench = new Bench({ latenessMs: 0, ...reached.over });
  bench.force(busy);
  const total = async () =>
    (await metrics.getSingleMetric(`wache_correlate_${reached.metric}_total`)?.get())?.values[0]
      ?.value;
  for (let n = 0; n < 4; n++)
    bench.send(signalOf(busy, { at: n, id: `e${n}`, group: [`u${n % reached.groups}`] }));
  tell(bench.counts());
  expect([await total(), lines]).toEqual([0, []]);
  for (let n = 4; n < 9; n++)
    bench.send(signalOf(busy, { at: n, id: `e${n}`, group: [`u${n % reached.groups}`] }));
  const counts = bench.counts();
  const lost = counts.evicted + counts.forgotten;
  expect(lost).toBeGreaterThan(0);
  tell(counts);
  expect(counts).toEqual(noCounts());
  tell(counts);
  expect(await total()).toBe(lost);
  expect(lines).toEqual([[reached.said(lost), expect.stringContaining("is reached")]]);
});

import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createStatus } from "../core/status.ts";
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
    said: (matches: number): object => ({ matches, rules: ["many"] }),
    text: (lost: number): string =>
      `${lost} matches were forgotten (correlator.matchesMax or valuesMax)`,
  },
  {
    ...{ name: "groups", over: { groupsMax: 4 }, groups: 9, metric: "groups_evicted" },
    said: (groups: number): object => ({ groups, rules: ["many"] }),
    text: (lost: number): string => `${lost} groups gave way (correlator.groupsMax)`,
  },
])(
  "a bound that is reached is a metric, a line of the log and in the status: $name",
  async (reached) => {
    const metrics = new Registry();
    const lines: unknown[][] = [];
    const status = createStatus();
    const log = { warn: (...line: unknown[]) => void lines.push(line) };
    const tell = windowCounters(metrics, { log, status });
    const bench = new Bench({ latenessMs: 0, ...reached.over });
    bench.force(busy);
    const total = async () =>
      (await metrics.getSingleMetric(`wache_correlate_${reached.metric}_total`)?.get())?.values[0]
        ?.value;
    for (let n = 0; n < 4; n++)
      bench.send(signalOf(busy, { at: n, id: `e${n}`, group: [`u${n % reached.groups}`] }));
    tell(bench.counts());
    expect([await total(), lines, status.all()]).toEqual([0, [], {}]);
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
    expect(status.all().windows).toMatchObject({
      text: expect.stringContaining(reached.text(lost)),
      data: { groups: 0, matches: 0, ...reached.said(lost) },
    });
    bench.force({ ...busy, version: "v2", about: { ...busy.about, id: "later" } });
    let more = lost;
    for (let n = 0; n < 60; n++) {
      const group = [`w${n % reached.groups}`];
      bench.send(signalOf({ ...busy, version: "v2" }, { at: 9 + n, id: `f${n}`, group }));
      more += bench.counts().evicted + bench.counts().forgotten;
      tell(bench.counts());
    }
    expect(status.all().windows).toMatchObject({
      text: expect.stringContaining(reached.text(more)),
      data: { rules: ["later", "many"] },
    });
  },
);

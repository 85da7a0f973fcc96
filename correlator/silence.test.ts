// silence.test.ts — a collector that falls silent is told once, and its return too.
import { pino } from "pino";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createStatus } from "../core/status.ts";
import { silenceTeller } from "./silence.ts";

test("silence is in the log once, in the metric and in the status, until it is over", async () => {
  const said: string[] = [];
  const log = pino(
    {},
    { write: (line: string) => said.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const metrics = new Registry();
  const status = createStatus();
  const tell = silenceTeller({ log, metrics, status });
  const gauge = async (): Promise<unknown> =>
    (await metrics.getSingleMetric("wache_feeders_silent")?.get())?.values[0]?.value;
  const lastMs = Date.UTC(2026, 0, 15, 12);
  tell([]);
  expect([said, await gauge()]).toEqual([[], 0]);
  for (let times = 0; times < 3; times++) tell([{ feeder: "site-b", lastMs }]);
  expect(said).toHaveLength(1);
  expect(said[0]).toContain("collector site-b is silent since 2026-01-15T12:00:00.000Z");
  expect(await gauge()).toBe(1);
  const { feeders } = status.all();
  expect(feeders).toMatchObject({ ok: false, ready: true });
  expect(feeders?.text).toContain("site-b since 2026-01-15T12:00:00.000Z");
  expect(feeders?.data).toEqual({
    silent: [{ feeder: "site-b", since: "2026-01-15T12:00:00.000Z" }],
  });
  tell([]);
  expect(said).toHaveLength(2);
  expect([await gauge(), status.all().feeders?.data]).toEqual([0, undefined]);
  expect(status.all().feeders?.ok).toBe(true);
});

import { expect, test } from "vitest";
import { TOPIC } from "../core/records.ts";
import { startApi } from "./api-under-test.ts";

test("how far a group is behind is a metric, and none at all while the bus does not say", async () => {
  const api = await startApi();
  try {
    const figures = async (): Promise<string[]> => {
      api.advance(15_000);
      const { raw } = await api.call({ url: "/metrics" });
      return raw.body
        .split("\n")
        .filter((line) => /^wache_bus_lag_records\{group="route"/.test(line));
    };
    const line = (records: number) =>
      `wache_bus_lag_records{group="route",topic="${TOPIC.findings}"} ${records}`;
    await expect.poll(figures).toEqual([line(0)]);
    await api.bus.produce([
      { topic: TOPIC.findings, key: "a", value: {} },
      { topic: TOPIC.findings, key: "b", value: {} },
    ] as never);
    await expect.poll(figures).toEqual([line(2)]);
    await api.bus.close();
    await expect.poll(figures).toEqual([]);
  } finally {
    await api.close();
  }
});

import { Value } from "typebox/value";
import { expect, test } from "vitest";
import { type Config, configSchema } from "./config-schema.ts";
import { topicSpecs } from "./topics.ts";

const DAY_MS = 86_400_000;

test.for([
  { name: "the store keeps longer", bus: "7d", store: "30d", want: [30, 7] },
  { name: "the bus keeps longer", bus: "60d", store: "30d", want: [60, 60] },
])("dead letters are kept as long as events are, in the store or on the bus: $name", (row) => {
  const given = { bus: { retention: row.bus }, store: { retention: row.store } };
  const specs = topicSpecs(Value.Default(configSchema, given) as Config);
  const daysOf = (topic: string) =>
    (specs.find(({ name }) => name === topic)?.retentionMs ?? 0) / DAY_MS;
  expect(["wache.dead-letter", "wache.events"].map(daysOf)).toEqual(row.want);
});

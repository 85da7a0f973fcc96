// What could not be parsed or processed is shown with its reason, given another try, and then is there once, however often.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { BusRecord } from "../core/bus/bus.ts";
import { openEmbeddedBus } from "../core/bus/embedded.ts";
import { systemClock } from "../core/clock.ts";
import { deadLetterOf } from "../core/dead-letter.ts";
import type { EcsEvent } from "../core/event.ts";
import { type DeadLetter, type Finding, TOPIC } from "../core/records.ts";
import { ask, everything, openHouse, until, wache } from "./house.ts";

const DEEP = 100;
const ARRAY = `${"[".repeat(DEEP)}"found again"${"]".repeat(DEEP)}`; // as a line it is text, and no parser minds
const OBJECT = `${'{"a":'.repeat(DEEP)}1${"}".repeat(DEEP)}`;
const TWICE = `title: Twice
id: 6f8e3c86-3b31-4a4e-9d4f-000000000001
status: test
logsource: { product: lost }
detection: { sel: { message: lost }, condition: sel }
level: high
---
title: Two of them
id: 6f8e3c86-3b31-4a4e-9d4f-000000000002
status: test
correlation:
  type: event_count
  rules: [6f8e3c86-3b31-4a4e-9d4f-000000000001]
  group-by: [host.name]
  timespan: 1h
  condition: { gte: 2 }
level: high
`;

async function ingestJson(data: string, body: string): Promise<Record<string, unknown>> {
  const run = JSON.parse(readFileSync(join(data, "run.json"), "utf8")) as { address: string };
  const token = readFileSync(join(data, "ingest.token"), "utf8").trim();
  const answer = await fetch(`${run.address}/ingest`, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  });
  return (await answer.json()) as Record<string, unknown>;
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

function verbsOf(house: { readonly config: string }, data: string) {
  const run = (...args: readonly string[]) =>
    wache("dead-letter", ...args, "--config", house.config, "--data", data);
  const letters = async (): Promise<DeadLetter[]> =>
    lines((await run("list", "--json")).out).map((line) => JSON.parse(line) as DeadLetter);
  const replay = async (...args: readonly string[]) => {
    const { code, out } = await run("replay", "--json", ...args);
    const items = lines(out).map((line) => JSON.parse(line) as Record<string, unknown>);
    return { code, items };
  };
  return { run, letters, replay };
}

test("a line that could not be parsed: listed with its reason, replayed twice, in the store once", async () => {
  const house = openHouse({ collectors: { syslog: { enabled: false } } });
  try {
    const { start, stop, data } = house.process("run");
    const { run, letters, replay } = verbsOf(house, data);
    await start();
    for (const body of [`[${ARRAY}]`, OBJECT])
      expect(await ingestJson(data, body)).toMatchObject({ events: 0, dead_letters: 1 });
    const found = await letters();
    const about = found.map(({ code, raw, source }) => ({ code, raw, source }));
    const same = { code: "json.too-deep", source: "local" };
    expect(about).toHaveLength(2);
    expect(about).toEqual(expect.arrayContaining([ARRAY, OBJECT].map((raw) => ({ ...same, raw }))));
    expect((await run("list")).out).toContain("64 levels");
    const [array = "", object = ""] = [ARRAY, OBJECT].map(
      (raw) => found.find((one) => one.raw === raw)?.id,
    );
    expect(await run("replay", "--code", "json.too-deep")).toMatchObject({
      code: 0,
      error: "2 dead letters would be replayed; --yes replays them\n",
    });
    for (let time = 0; time < 2; time++)
      expect(await replay(array, object)).toEqual({
        code: 1,
        items: expect.arrayContaining([
          { id: array, replayed: true },
          { id: object, replayed: false, reason: expect.stringContaining("json.too-deep") },
        ]),
      });
    expect((await replay("--code", "json.too-deep", "--yes")).items).toHaveLength(2);
    await ingestJson(data, '[{"message":"the last one"}]');
    const events = await until(
      () => everything<EcsEvent>(data, "/api/events"),
      (all) => all.some(({ message }) => message === "the last one"),
    );
    expect(events.map(({ message }) => message).toSorted()).toEqual([ARRAY, "the last one"]);
    expect(await letters()).toHaveLength(2);
    expect(await stop()).toBe(0);
    expect((await letters()).map(({ id }) => id)).toEqual(found.map(({ id }) => id));
    expect((await replay(array)).items).toEqual([
      { id: array, replayed: false, reason: expect.stringContaining("none runs with") },
    ]);
  } finally {
    await house.dispose();
  }
});

const eventAt = (id: string, timeMs: number): EcsEvent => ({
  "@timestamp": new Date(timeMs).toISOString(),
  message: "lost",
  event: { id },
  host: { name: "web" },
  wache: { stream: "live", clockMs: timeMs, source: "s", sources: [{ product: "lost" }] },
});

/** As a stage leaves them that failed on these events. */
async function leaveLetters(data: string, events: readonly EcsEvent[]): Promise<void> {
  const bus = openEmbeddedBus({ dir: data, clock: systemClock });
  const letters = events.map((event, offset) => {
    const value = { kind: "event", event };
    const at = { topic: TOPIC.events, partition: 0, offset, timestampMs: offset };
    const record: BusRecord = { ...at, key: "web", value, text: JSON.stringify(value) };
    const why = { code: "processor.failed", reason: "detect: a mistake of an older version" };
    return deadLetterOf(record, why, Date.now());
  });
  await bus.produce(letters);
  await bus.close();
}

test("a record that a stage failed on: replayed with and without a running process, it counts once", async () => {
  const house = openHouse({
    collectors: { syslog: { enabled: false } },
    correlator: { shippedRules: false, rules: [{ path: "rules" }] },
  });
  try {
    mkdirSync(join(house.dir, "rules"));
    writeFileSync(join(house.dir, "rules", "twice.yml"), TWICE);
    const { start, stop, data } = house.process("run");
    const { letters, replay } = verbsOf(house, data);
    await start();
    expect(await stop()).toBe(0);
    const nowMs = Date.now();
    await leaveLetters(data, [
      eventAt("lost-1", nowMs - 60_000),
      eventAt("lost-2", nowMs - 59_000),
    ]);
    const ids = new Map((await letters()).map(({ id, raw }) => [/lost-\d/.exec(raw)?.[0], id]));
    const one = ids.get("lost-1") ?? "";
    const two = ids.get("lost-2") ?? "";
    expect(await replay(one)).toEqual({ code: 0, items: [{ id: one, replayed: true }] });
    await start();
    expect(await replay(one)).toEqual({ code: 0, items: [{ id: one, replayed: true }] });
    await ingestJson(data, '[{"message":"between"}]');
    const kept = async () =>
      (await everything<EcsEvent>(data, "/api/events")).map(({ message }) => message).toSorted();
    expect(await until(kept, (all) => all.includes("between"))).toEqual(["between", "lost"]);
    expect(await everything<Finding>(data, "/api/findings")).toEqual([]);
    expect(await replay(two, two, one)).toMatchObject({ code: 0 });
    const findings = await until(
      () => everything<Finding>(data, "/api/findings"),
      (all) => all.length > 0,
    );
    expect(findings.map(({ count, evidence }) => [count, evidence])).toEqual([
      [2, ["lost-1", "lost-2"]],
    ]);
    expect(await ask(data, "/readyz")).toMatchObject({ ready: true });
    expect(await stop()).toBe(0);
  } finally {
    await house.dispose();
  }
});

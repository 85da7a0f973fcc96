import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openEmbeddedBus } from "../../core/bus/embedded.ts";
import { systemClock } from "../../core/clock.ts";
import { loadConfig } from "../../core/config.ts";
import { type DeadLetter, TOPIC, type TopicName } from "../../core/records.ts";
import { topicSpecs } from "../../core/topics.ts";
import { main } from "../main.ts";

const record = (id: string, topic: TopicName, offset: number): DeadLetter => ({
  ...{ kind: "dead-letter", id, source: "web", reason: "why", code: "processor.failed" },
  ...{ atMs: 1000 * offset, raw: `{"kind":"event","event":"${id}"}`, encoding: "utf8" },
  from: { topic, partition: 0, offset },
});
const { from: _, ...line } = record("line", TOPIC.events, 9);
const MANY = Array.from({ length: 130 }, (_, at) => record(`id${at}`, TOPIC.events, at));
const LETTERS: readonly DeadLetter[] = [
  ...MANY,
  record("state", TOPIC.state, 500),
  { ...line, code: "parse.failed" },
];

/** A folder with letters, in which nothing runs. */
async function folder() {
  const dir = mkdtempSync(join(tmpdir(), "wache-replay-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const opened = async <T>(use: (bus: ReturnType<typeof openEmbeddedBus>) => Promise<T>) => {
    const bus = openEmbeddedBus({ dir, clock: systemClock });
    await bus.ensureTopics(topicSpecs(loadConfig({ cwd: dir, env: {} })));
    return use(bus).finally(() => bus.close());
  };
  await opened((bus) =>
    bus.produce(LETTERS.map((value) => ({ topic: TOPIC.deadLetter, key: value.id, value }))),
  );
  const replay = async (...args: string[]) => {
    const out: string[] = [];
    const err: string[] = [];
    const to = { out: (text: string) => out.push(text), err: (text: string) => err.push(text) };
    return { code: await main(["dead-letter", "replay", "--data", dir, ...args], to), out, err };
  };
  const events = () =>
    opened(async (bus) => {
      const found: unknown[] = [];
      for await (const { value } of bus.read(TOPIC.events, 0, 0))
        found.push((value as { event: unknown }).event);
      return found;
    });
  return { replay, events };
}

test("it says what was replayed, and what was not and why", async () => {
  const { replay, events } = await folder();
  expect(await replay("id7", "state", "line", "none")).toEqual({
    code: 1,
    out: [
      expect.stringMatching(/^line {2}not replayed: it is a line .* none runs with .*: start it/),
      "id7  replayed",
      expect.stringMatching(/^state {2}not replayed: wache.state holds the latest state/),
      "none  not replayed: there is no such dead letter, or it is older than the bus keeps them",
    ],
    err: ["1 dead letter replayed, 3 not"],
  });
  expect(await events()).toEqual(["id7"]);
});

test("all of a code, the oldest first; without --yes they are only counted", async () => {
  const { replay, events } = await folder();
  const narrow = ["--code", "processor.failed", "--from", "10000", "--to", "129000"];
  expect(await replay(...narrow)).toEqual({
    code: 0,
    out: [],
    err: ["120 dead letters would be replayed; --yes replays them"],
  });
  expect(await events()).toEqual([]);
  const { code, err } = await replay(...narrow, "--yes");
  expect([code, err]).toEqual([0, ["120 dead letters replayed, 0 not"]]);
  expect(await events()).toEqual(MANY.slice(10).map(({ id }) => id));
});

test.for([
  { name: "nothing", args: [] },
  { name: "ids and a code", args: ["id1", "--code", "x", "--yes"] },
  { name: "ids and a time", args: ["id1", "--from", "2026-11-23"] },
  { name: "a time alone", args: ["--from", "2026-11-23", "--yes"] },
])("wrong usage: $name", async ({ args }) => {
  const { replay } = await folder();
  expect(await replay(...args)).toMatchObject({
    code: 2,
    err: [expect.stringContaining("name either ids")],
  });
});

import { expect, test } from "vitest";
import type { BusRecord, OutRecord } from "./bus/bus.ts";
import { deadLetterOf } from "./dead-letter.ts";
import { replayLetters } from "./dead-letter-replay.ts";
import { type DeadLetter, TOPIC, type TopicName } from "./records.ts";

const why = { code: "processor.failed", reason: "detect: a mistake" };

function letterOf(topic: TopicName, offset: number, value: unknown): DeadLetter {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const record = {
    ...{ topic, partition: 2, offset, key: `key-${offset}`, text, timestampMs: 0 },
    value,
  };
  return deadLetterOf(record, why, offset).value as DeadLetter;
}

function busWith(letters: readonly DeadLetter[], partitions = 3) {
  const produced: OutRecord[] = [];
  return {
    produced,
    partitions: (topic: TopicName) => (topic === TOPIC.deadLetter ? 1 : partitions),
    async *read(topic: TopicName, partition: number): AsyncGenerator<BusRecord> {
      for (const [offset, value] of letters.entries())
        yield { ...{ topic, partition, offset, key: "", text: "", timestampMs: 0 }, value };
    },
    produce: async (records: readonly OutRecord[]) => void produced.push(...records),
  };
}

const event = { kind: "event", event: { event: { id: "e" } } };

test.for<{ name: string; topic: TopicName; value: unknown }>([
  { name: "an event", topic: TOPIC.events, value: event },
  { name: "a signal", topic: TOPIC.signals, value: { kind: "signal", id: "e" } },
  { name: "a finding", topic: TOPIC.findings, value: { kind: "finding", id: "f" } },
  { name: "what a person asked for", topic: TOPIC.casework, value: { kind: "command", id: "c" } },
  { name: "what only a newer version knows", topic: TOPIC.casework, value: { kind: "silence" } },
])("goes to where it came from, with its key: $name", async ({ topic, value }) => {
  const letter = letterOf(topic, 7, value);
  const bus = busWith([letter]);
  expect(await replayLetters(bus, [letter.id])).toEqual([{ id: letter.id, replayed: true }]);
  expect(bus.produced).toEqual([{ topic, key: "key-7", value, partition: 2 }]);
});

test.for<{ name: string; letter: DeadLetter; want: string }>([
  { name: "state", letter: letterOf(TOPIC.state, 1, { is: "x" }), want: "latest state" },
  { name: "an incident", letter: letterOf(TOPIC.incidents, 1, event), want: "latest state" },
  { name: "a dead letter", letter: letterOf(TOPIC.deadLetter, 1, event), want: "latest state" },
  { name: "a message", letter: letterOf(TOPIC.notifications, 1, event), want: "not sent again" },
  { name: "a tick", letter: letterOf(TOPIC.events, 1, { kind: "tick" }), want: "a tick says" },
  { name: "rules", letter: letterOf(TOPIC.signals, 1, { kind: "rules" }), want: "a rules says" },
  { name: "no JSON", letter: letterOf(TOPIC.events, 1, "{"), want: "no JSON" },
  { name: "nothing", letter: letterOf(TOPIC.events, 1, ""), want: "no JSON" },
  { name: "null", letter: letterOf(TOPIC.events, 1, null), want: "no JSON" },
  {
    name: "a topic that is not known",
    letter: { ...letterOf(TOPIC.events, 1, event), from: { topic: "x", partition: 0, offset: 0 } },
    want: "x is no topic",
  },
  { name: "a line of a collector", letter: lineOnly(), want: "could not parse" },
])("is refused with a reason: $name", async ({ letter, want }) => {
  const bus = busWith([letter]);
  expect(await replayLetters(bus, [letter.id])).toEqual([
    { id: letter.id, replayed: false, reason: expect.stringContaining(want) },
  ]);
  expect(bus.produced).toEqual([]);
});

function lineOnly(): DeadLetter {
  const { from: _, ...line } = letterOf(TOPIC.events, 1, event);
  return line;
}

test("an id without a letter is told; each id once, as they were asked for", async () => {
  const letter = letterOf(TOPIC.events, 1, event);
  const bus = busWith([letter]);
  expect(await replayLetters(bus, ["x", letter.id, "x", letter.id])).toEqual([
    { id: "x", replayed: false, reason: expect.stringContaining("no such dead letter") },
    { id: letter.id, replayed: true },
  ]);
  expect(bus.produced).toHaveLength(1);
});

test("the records keep the order that they had", async () => {
  const letters = [12, 3, 40].map((offset) => letterOf(TOPIC.casework, offset, event));
  const bus = busWith(letters);
  await replayLetters(
    bus,
    letters.map(({ id }) => id),
  );
  expect(bus.produced.map(({ key }) => key)).toEqual(["key-3", "key-12", "key-40"]);
});

test("where its partition is no more, the key says where it goes", async () => {
  const letter = letterOf(TOPIC.events, 1, event);
  const bus = busWith([letter], 2);
  await replayLetters(bus, [letter.id]);
  expect(bus.produced).toEqual([{ topic: TOPIC.events, key: "key-1", value: event }]);
});

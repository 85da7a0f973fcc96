import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OutRecord } from "../../core/bus/bus.ts";
import { type Notification, type NotificationOutcome, TOPIC } from "../../core/records.ts";
import { type Process, settle, World } from "../fixtures/delivery-world.ts";
import { notification, record } from "../fixtures/findings.ts";
import { backoffMs } from "./backoff.ts";
import type { SendResult } from "./channel.ts";
import { GivenUpCounts } from "./given-up.ts";
import { DeliveryQueue } from "./queue.ts";

const notices = (count: number, channel = "a"): Notification[] =>
  Array.from({ length: count }, (_, n) => ({ ...notification(), id: `${channel}${n}`, channel }));
const brief = (world: World): string[] =>
  world.outcomes().map(({ id, outcome, attempt }) => `${id} ${outcome} ${attempt}`);
const sends = (world: World): string[] =>
  world.sent.map(
    ({ notification: { id }, attempt, message }) =>
      `${id} ${attempt}${message.repeat ? " repeat" : ""}`,
  );

describe("delivery", () => {
  test("a message is attempted, sent and noted, in this order", async () => {
    const world = new World(["a"]);
    world.add(...notices(1));
    const process = world.start();
    await settle();
    expect(sends(world)).toEqual([]); // the claim was not read yet
    await process.read();
    expect([brief(world), sends(world)]).toEqual([["a0 attempting 1"], []]);
    await process.read();
    expect([brief(world), sends(world)]).toEqual([["a0 attempting 1", "a0 delivered 1"], ["a0 1"]]);
    await world.finish(process);
    expect(sends(world)).toEqual(["a0 1"]);
  });

  test("the same notification again is not sent again", async () => {
    const world = new World(["a"]);
    world.add(...notices(1), ...notices(1));
    const process = world.start();
    await world.finish(process);
    world.add(...notices(1));
    await world.finish(process);
    expect(sends(world)).toEqual(["a0 1"]);
  });

  test("a failure waits longer each time, then goes to the dead letter with the last reason", async () => {
    const world = new World(["a"], { attemptsMax: 3 });
    world.answer = async () => ({ kind: "retry", reason: "HTTP 500" });
    world.add(...notices(1));
    await world.finish(world.start());
    const waits = world
      .outcomes()
      .flatMap(({ retryAtMs, atMs }) => (retryAtMs === undefined ? [] : [retryAtMs - atMs]));
    expect(sends(world)).toEqual(["a0 1", "a0 2", "a0 3"]);
    expect(waits).toHaveLength(2);
    expect(waits[0]).toBeGreaterThanOrEqual(500);
    expect(waits[1]).toBeGreaterThanOrEqual(1000);
    expect([...world.deadLetters.values()].map(({ value }) => value)).toEqual([
      expect.objectContaining({
        code: "alerting.not-delivered",
        reason: "a: given up after 3 attempts: HTTP 500",
        source: "a",
      }),
    ]);
  });

  test("a refusal is final at once", async () => {
    const world = new World(["a"]);
    world.answer = async () => ({ kind: "refused", reason: "invalid_auth" });
    world.add(...notices(1));
    await world.finish(world.start());
    expect([sends(world), world.deadLetters.size]).toEqual([["a0 1"], 1]);
  });

  test("a channel that is not configured any more is a dead letter", async () => {
    const world = new World(["a"]);
    world.add(...notices(1, "gone"));
    await world.finish(world.start());
    expect(brief(world)).toEqual(["gone0 failed 1"]);
    expect([...world.deadLetters.values()].map(({ value }) => value)).toMatchObject([
      {
        reason:
          "gone: the channel is not configured any more, and what waited for it is not sent later either; see to the incident on the page",
      },
    ]);
  });

  test("Retry-After holds the whole channel, and no other", async () => {
    const world = new World(["a", "b"]);
    let isLimited = true;
    world.answer = async ({ notification: { channel } }) =>
      channel === "a" && isLimited
        ? { kind: "retry", reason: "limited", retryAfterMs: 30_000 }
        : { kind: "delivered" };
    world.add(...notices(4, "a"), ...notices(3, "b"));
    const process = world.start();
    for (let n = 0; n < 5; n++) {
      await process.read();
      world.clock.advance(5000);
      await settle();
    }
    isLimited = false;
    expect(sends(world).sort()).toEqual(["a0 1", "a1 1", "b0 1", "b1 1", "b2 1"]);
    await world.finish(process);
    expect(sends(world).filter((one) => one.startsWith("a"))).toHaveLength(6);
  });

  test("a channel that never answers holds up no other, and no more than its share is under way", async () => {
    const world = new World(["a", "b"]);
    world.answer = ({ notification: { channel } }) =>
      channel === "a" ? new Promise(() => {}) : Promise.resolve({ kind: "delivered" });
    world.add(...notices(5, "a"), ...notices(5, "b"));
    const process = world.start();
    for (let n = 0; n < 12; n++) await process.read();
    expect(sends(world).sort()).toEqual(["a0 1", "a1 1", "b0 1", "b1 1", "b2 1", "b3 1", "b4 1"]);
    world.clock.advance(5000);
    await settle();
    expect(brief(world).filter((one) => one.includes("retry"))).toEqual([
      "a0 retry 1",
      "a1 retry 1",
    ]);
  });

  test.for([
    { name: "at once", ageMs: 0, want: [false] },
    { name: "after a minute", ageMs: 60_000, want: [false] },
    { name: "after more than a minute", ageMs: 60_001, want: [true] },
    { name: "at once, and again", ageMs: 0, retries: 1, want: [false, true] },
  ])("sent $name: late is $want", async ({ ageMs, retries = 0, want }) => {
    const world = new World(["a"]);
    world.answer = async ({ attempt }) =>
      attempt > retries ? { kind: "delivered" } : { kind: "retry", reason: "HTTP 500" };
    const [notice] = notices(1) as [Notification];
    const updatedMs = world.clock.now() - ageMs;
    world.add({ ...notice, incident: { ...notice.incident, updatedMs } });
    const process = world.start();
    await settle();
    for (let n = 0; n < 2; n++) await process.read(); // it is sent before any time passes
    await world.finish(process);
    expect(world.sent.map(({ message }) => message.late !== undefined)).toEqual(want);
  });

  test("after a time-out the next message says that it may be a repeat", async () => {
    const world = new World(["a"]);
    const answers: SendResult[] = [{ kind: "retry", reason: "no answer in time", uncertain: true }];
    world.answer = async () => answers.shift() ?? { kind: "delivered" };
    world.add(...notices(1));
    await world.finish(world.start());
    expect(sends(world)).toEqual(["a0 1", "a0 2 repeat"]);
  });

  test("who was put off is tried again, also after a restart; who has it is known", async () => {
    const world = new World(["a"]);
    const told: unknown[] = [];
    world.answer = async ({ receivers }) => {
      told.push(receivers);
      const taken = [...(receivers?.taken ?? []), `r${told.length}`];
      return told.length === 3
        ? { kind: "delivered" }
        : { kind: "retry", reason: "450", receivers: { taken, refused: [] } };
    };
    world.add(...notices(1));
    const first = world.start();
    while (told.length < 1 || first.next < world.log.length) await first.read();
    const saved = first.snapshot();
    first.kill();
    await world.finish(world.start(saved));
    expect(told).toEqual([
      undefined,
      { taken: ["r1"], refused: [] },
      { taken: ["r1", "r2"], refused: [] },
    ]);
    expect(sends(world)).toEqual(["a0 1", "a0 2", "a0 3"]);
  });

  test.for([
    { name: "before its claim was read", reads: 0, want: ["a0 1"] },
    { name: "once the attempt was asked for", reads: 1, want: ["a0 2 repeat"] },
    { name: "while it was sending", reads: 2, want: ["a0 1", "a0 2 repeat"] },
  ])("killed $name", async ({ reads, want }) => {
    const world = new World(["a"]);
    world.add(...notices(1));
    let isFirst = true;
    world.answer = () => {
      const answer =
        isFirst && reads === 2 ? new Promise<never>(() => {}) : { kind: "delivered" as const };
      isFirst = false;
      return Promise.resolve(answer);
    };
    const first = world.start();
    for (let n = 0; n < reads; n++) {
      await settle();
      await first.read();
    }
    first.kill();
    await world.finish(world.start());
    expect(sends(world)).toEqual(want);
  });

  test("stopped before it was sent: the next one is not said to be a repeat", async () => {
    const world = new World(["a"]);
    world.add(...notices(1));
    const first = world.start();
    await settle();
    await first.read(); // the attempt is asked for
    await first.delivery.stop();
    await world.finish(world.start());
    expect(sends(world)).toEqual(["a0 2"]);
  });

  test("stop waits for the attempt under way and notes it", async () => {
    const world = new World(["a"]);
    let deliver: (result: SendResult) => void = () => {};
    world.answer = () => new Promise((done) => (deliver = done));
    world.add(...notices(1));
    const process = world.start();
    await settle();
    await process.read();
    await process.read();
    const stopped = process.delivery.stop();
    deliver({ kind: "delivered" });
    await stopped;
    expect(brief(world)).toEqual(["a0 attempting 1", "a0 delivered 1"]);
  });

  test("of two processes that both hold the partition, the one whose claim came last sends", async () => {
    const world = new World(["a"]);
    world.add(...notices(3));
    const former = world.start();
    await settle();
    const latter = world.start();
    await settle();
    await former.read();
    await latter.read();
    await former.read();
    await latter.read();
    expect(world.sent.length).toBe(2);
    await world.finish(latter);
    expect(sends(world).sort()).toEqual(["a0 1", "a1 1", "a2 1"]);
  });

  test("a claim that came late from a former owner is answered with a new one", async () => {
    const world = new World(["a"]);
    const owner = world.start();
    await world.finish(owner);
    world.start().kill(); // its claim is lost
    const zombie = world.start();
    await settle();
    zombie.kill();
    world.add(...notices(1));
    await world.finish(owner);
    expect(sends(world)).toEqual(["a0 1"]);
  });

  test("a bus that is away holds attempts, and loses no outcome", async () => {
    const world = new World(["a"]);
    world.add(...notices(2));
    const process = world.start();
    await settle();
    await process.read();
    world.isBusDown = true;
    await process.read();
    expect(world.sent.length).toBe(2);
    world.clock.advance(10_000);
    await settle();
    world.isBusDown = false;
    await world.finish(process);
    expect(sends(world)).toEqual(["a0 1", "a1 1"]);
  });
});

test("an attempt that a former owner asked for after our claim does not count", () => {
  const [notice] = notices(1);
  const attempting = (by: string) => ({
    ...{ kind: "outcome", id: "a0", channel: "a", incidentId: "i", outcome: "attempting" },
    ...{ attempt: 1, atMs: 5, by },
  });
  const claim = (by: string) => ({ kind: "claim", by, atMs: 1 });
  const records = [claim("former"), claim("us"), notice, attempting("former")];
  const queue = new DeliveryQueue(undefined);
  const take = (value: unknown) => queue.process(record(TOPIC.notifications, value, 0), []);
  for (const value of records) take(value);
  expect(queue.pending.get("a0")).toEqual({ notification: notice, attempt: 0, dueMs: 0 });
  take(attempting("us"));
  expect(queue.pending.get("a0")).toMatchObject({ attempt: 1, attempting: { by: "us", atMs: 5 } });
  take(claim("next"));
  expect(queue.pending.get("a0")).toEqual({
    ...{ notification: notice, attempt: 1, dueMs: 0, mayHaveArrivedMs: 5 },
  });
});

test("who has it is kept, whichever of two owners noted it, and in which order", () => {
  const [notice] = notices(1);
  const outcome = (by: string, change: Partial<NotificationOutcome>) => ({
    ...{ kind: "outcome", id: "a0", channel: "a", incidentId: "i", attempt: 1, atMs: 5, by },
    ...change,
  });
  const retry = (by: string, one: string, attempt: number) =>
    outcome(by, {
      ...{ outcome: "retry", attempt, retryAtMs: 9 },
      receivers: { taken: [one, "both"], refused: [] },
    });
  const records = [
    ...[notice, { kind: "claim", by: "former", atMs: 1 }],
    outcome("former", { outcome: "attempting" }),
    { kind: "claim", by: "us", atMs: 6 },
    outcome("us", { outcome: "attempting", attempt: 2 }),
  ];
  const late = [retry("former", "x@h", 1), retry("us", "y@h", 2)];
  const kept = [late, late.toReversed()].map((order) => {
    const queue = new DeliveryQueue(undefined);
    for (const value of [...records, ...order])
      queue.process(record(TOPIC.notifications, value, 0), []);
    const { attempting, receivers } = queue.pending.get("a0") ?? {};
    return [attempting, receivers?.taken.toSorted(), receivers?.refused];
  });
  expect(kept).toEqual(Array(2).fill([undefined, ["both", "x@h", "y@h"], []]));
});

describe("what was given up", () => {
  const DAY_MS = 24 * 3600_000;
  const [notice] = notices(1);
  const outcomeOf = (change: Partial<NotificationOutcome>): NotificationOutcome => ({
    ...{ kind: "outcome", id: "a0", channel: "a", incidentId: "i", outcome: "failed" },
    ...{ attempt: 1, atMs: 5, by: "us", ...change },
  });
  const some = { taken: ["x@h"], refused: ["y@h"] };

  test.for<{ name: string; outcome: Partial<NotificationOutcome>; text?: string }>([
    { name: "delivered to all", outcome: { outcome: "delivered" } },
    {
      name: "failed",
      outcome: { detail: "HTTP 410" },
      text: "Nobody was told by a: HTTP 410",
    },
    {
      name: "failed for the rest",
      outcome: { detail: "450", receivers: some },
      text: "Not everyone was told by a: 450",
    },
    {
      name: "refused for one",
      outcome: { outcome: "delivered", detail: "550", receivers: some },
      text: "Not everyone was told by a: 550",
    },
  ])("$name: the timeline and the count tell of it once", ({ outcome, text }) => {
    const queue = new DeliveryQueue(undefined);
    const out: OutRecord[] = [];
    for (const value of [notice, outcomeOf(outcome), notice, outcomeOf(outcome)])
      queue.process(record(TOPIC.notifications, value, 7), out);
    const told = out.filter(({ topic }) => topic === TOPIC.casework).map(({ value }) => value);
    const { timestampMs } = record(TOPIC.notifications, notice, 7);
    expect(told).toEqual(
      text === undefined
        ? []
        : [
            {
              ...{ kind: "command", id: expect.any(String), incident: notice?.incident.id },
              ...{ key: notice?.incident.key, by: "Wache", atMs: timestampMs },
              action: { do: "comment", text },
            },
          ],
    );
    const count = { messages: 1, firstMs: timestampMs, lastMs: timestampMs };
    const want = text === undefined ? [] : [["a", count]];
    const restarted = new DeliveryQueue([...queue.snapshot()]);
    expect([[...queue.givenUp], [...restarted.givenUp]]).toEqual([want, want]);
  });

  test("it is forgotten seven days after the channel's last one", () => {
    const counts = new GivenUpCounts();
    counts.add("a", 0);
    counts.add("a", DAY_MS);
    counts.add("b", 0);
    counts.forget(8 * DAY_MS);
    expect([...counts.all]).toEqual([["a", { messages: 2, firstMs: 0, lastMs: DAY_MS }]]);
    counts.forget(8 * DAY_MS + 1);
    expect(counts.all.size).toBe(0);
  });
});

describe("bounds", () => {
  test("more than can wait go to the dead letter and say why", async () => {
    const world = new World(["a"]);
    world.add(...notices(4));
    const queue = new DeliveryQueue(undefined, { pendingMax: 3, finishedMax: 10 });
    const out: OutRecord[] = [];
    for (const record of world.log) queue.process(record, out);
    expect([...queue.pending.keys()]).toEqual(["a0", "a1", "a2"]);
    expect(out.map(({ topic, value }) => [topic, (value as { code: string }).code])).toEqual([
      [TOPIC.deadLetter, "alerting.queue-full"],
      [TOPIC.casework, undefined],
    ]);
    expect([...queue.givenUp]).toMatchObject([["a", { messages: 1 }]]);
  });

  test.for([
    { attempt: 1, random: "AAAAAAAAAAAAAAAAAAAAAA", want: 1000 },
    { attempt: 1, random: "_____________________w", want: 2000 },
    { attempt: 3, random: "_____________________w", want: 8000 },
    { attempt: 900, random: "_____________________w", want: 600_000 },
  ])("back-off of attempt $attempt is $want", ({ attempt, random, want }) => {
    expect(backoffMs({ backoffMs: 2000, backoffMsMax: 600_000 }, { attempt, random })).toBe(want);
  });
});

// One step of a run: what may happen next, drawn by fast-check.
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("read" as const), max: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.integer({ min: 1, max: 8000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("add" as const), again: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("snapshot" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("kill" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("bus" as const), down: fc.boolean() }) },
);

test("killed between any two steps: nothing is lost, and whatever comes twice says so", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.array(fc.constantFrom("take", "take", "later", "fail", "takeMute"), { maxLength: 20 }),
      async (steps, answers) => {
        const world = new World(["a", "b"], { attemptsMax: 1000 });
        const taken: string[] = [];
        const unmarked: string[] = [];
        world.answer = async ({ notification: { id }, message }) => {
          if (taken.includes(id) && !message.repeat) unmarked.push(id);
          const how = answers.shift() ?? "take";
          if (how === "fail") return { kind: "retry", reason: "HTTP 500" };
          taken.push(id);
          if (how === "takeMute") return new Promise(() => {});
          if (how === "later") await world.clock.sleep(700);
          return { kind: "delivered" };
        };
        let saved: ReturnType<Process["snapshot"]> = { next: 0, parts: [] };
        let process = world.start();
        let added = 0;
        let kills = 0;
        for (const one of steps) {
          switch (one.do) {
            case "read":
              await process.read(one.max);
              break;
            case "wait":
              world.clock.advance(one.ms);
              break;
            case "add": {
              const n = one.again && added > 0 ? added - 1 : added++;
              const channel = n % 2 === 0 ? "a" : "b";
              world.add({ ...notification(), id: `${n}`, channel });
              break;
            }
            case "snapshot":
              saved = process.snapshot();
              break;
            case "kill":
              kills++;
              process.kill();
              process = world.start(saved);
              break;
            case "bus":
              world.isBusDown = one.down;
              break;
          }
          await settle();
        }
        world.isBusDown = false;
        const isMute = answers.includes("takeMute");
        await world.finish(process);
        const ids = Array.from({ length: added }, (_, n) => `${n}`);
        expect([...new Set(taken)].sort()).toEqual([...ids].sort());
        expect(unmarked).toEqual([]);
        const twice = taken.length - new Set(taken).size;
        if (kills === 0 && !isMute && !world.outcomes().some(({ uncertain }) => uncertain))
          expect(twice).toBe(0);
      },
    ),
    { numRuns: 300, seed: 11 },
  );
});

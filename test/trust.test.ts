// The trust test in small: what `wache eval` and a Wache that is killed find, against the truth. `npm run trust` runs all of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { newSeed } from "./chance.ts";
import { seeded } from "./kills.ts";
import { underCrashes } from "./trust/crashes.ts";
import { evaluated } from "./trust/eval.ts";
import { ownWorkload, truthOf } from "./trust/own-workload.ts";
import { sharedMissing, sharedScore, sharedWorkload } from "./trust/shared-workload.ts";
import { type Delivery, type Episode, idsThatDiffer, scoreOf } from "./trust/truth.ts";

const dir = mkdtempSync(join(tmpdir(), "wache-trust-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const exact = ({ truth }: Delivery) => ({
  ...{ episodes: truth.length, equal: truth.length, missing: 0, surplus: 0 },
});

const episode = (over: Partial<Episode> = {}): Episode => ({
  ...{ user: "a", firstMs: 0, lastMs: 9, count: 4 },
  ...over,
});
test.for([
  { name: "nothing of nothing", found: [], score: [0, 0] },
  { name: "the same", found: [episode()], truth: [episode()], score: [0, 0] },
  { name: "one is lost", truth: [episode()], score: [1, 0] },
  { name: "one is doubled", found: [episode(), episode()], truth: [episode()], score: [0, 1] },
  { name: "too few counted", found: [episode({ count: 3 })], truth: [episode()], score: [1, 1] },
  { name: "another user", found: [episode({ user: "b" })], truth: [episode()], score: [1, 1] },
  {
    name: "a millisecond less",
    found: [episode({ lastMs: 8 })],
    truth: [episode()],
    score: [1, 1],
  },
])("the score says missing and surplus: $name", ({ found = [], truth = [], score }) => {
  const { missing, surplus } = scoreOf(found, truth);
  expect([missing, surplus]).toEqual(score);
});

test("ids that differ are named, whichever side has them", () => {
  const [a, b] = [
    { id: "a", ...episode() },
    { id: "b", ...episode() },
  ];
  expect(idsThatDiffer([a], [a])).toEqual([]);
  expect(idsThatDiffer([a], [b])).toEqual(["missing: b a 0 9 4", "too many: a a 0 9 4"]);
});

const S = 60_000;
test.for([
  { name: "exactly the span", atMs: [0, 100_000, 200_000, 300_000], want: [[0, 300_000, 4]] },
  { name: "a millisecond more", atMs: [0, 100_000, 200_000, 300_001], want: [] },
  { name: "three only", atMs: [0, 1, 2], want: [] },
  {
    name: "a chain is one episode",
    atMs: [0, S, 2 * S, 5 * S, 6 * S, 7 * S],
    want: [[0, 7 * S, 6]],
  },
  { name: "four at once", atMs: [7, 7, 7, 7], want: [[7, 7, 4]] },
])("the truth of our own workload: $name", ({ atMs, want }) => {
  const failures = atMs.map((at, n) => ({ id: `f${n}`, user: "a", atMs: at }));
  const found = truthOf([...failures, ...failures].reverse());
  expect(found.map(({ firstMs, lastMs, count }) => [firstMs, lastMs, count])).toEqual(want);
});

const seed = newSeed();
const own = ownWorkload(join(dir, "own"), { seed, users: 60, failures: 3000 });
const OWN = ["ordered", "shuffled", "doubled", "late", "ahead", "crowded"];
test.for(OWN)("eval finds exactly the truth of our own workload: %s", async (name) => {
  const delivery = deliveryOf(own, name);
  expect(delivery.truth.length).toBeGreaterThan(100);
  const score = scoreOf(await evaluated(delivery), delivery.truth);
  expect(score, `seed ${seed}`).toEqual(exact(delivery));
});

const SMALLER = { seed: 42, groups: 10_000 };
const missing = sharedMissing();
describe.skipIf(missing !== undefined)(
  `the peers' workload${missing ? ` (skipped: ${missing})` : ""}`,
  () => {
    const shared = missing === undefined ? sharedWorkload(join(dir, "shared"), SMALLER) : new Map();
    test.for(["A", "B", "C", "C2", "D", "F", "F2", "FC", "L"])(
      "eval: delivery %s",
      async (name) => {
        const delivery = deliveryOf(shared, name);
        const found = await evaluated(delivery);
        expect(sharedScore(join(dir, "shared"), { name, found })).toEqual(exact(delivery));
      },
    );
  },
);

describe("killed while it is sent", { timeout: 240_000 }, () => {
  test.concurrent.for(["stream", "live"] as const)(
    "as %s: exactly the truth, nothing doubled",
    async (as) => {
      const delivery = deliveryOf(own, "ordered");
      const chance = seeded(`trust, as ${as}`);
      const ran = await underCrashes({ delivery, as, kills: 3, chance, say });
      const { found, ids, faults, shiftMs } = ran;
      const truth = delivery.truth.map((one) => ({
        ...one,
        firstMs: one.firstMs + shiftMs,
        lastMs: one.lastMs + shiftMs,
      }));
      expect(scoreOf(found, truth)).toEqual(exact(delivery));
      expect({ ids, faults }).toEqual({ ids: [], faults: [] });
    },
  );
});

function deliveryOf(all: ReadonlyMap<string, Delivery>, name: string): Delivery {
  const delivery = all.get(name);
  if (delivery === undefined) throw new Error(`there is no delivery ${name}`);
  return delivery;
}

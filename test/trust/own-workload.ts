// own-workload.ts — sign-ins that fail, drawn from a seed, and the truth about them by brute force, where ../shared is absent.
//
// Out:   deliveries of the same failures: in order, shuffled, doubled, late, by clocks that are an hour ahead, in a crowd.
// Holds: the truth is DESIGN.md's definition tried at every event; gaps are drawn so that four failures often span
//        exactly the five minutes, a millisecond less, or a millisecond more.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Chance, chanceOf } from "../chance.ts";
import type { Delivery, Episode } from "./truth.ts";

const SPAN_MS = 300_000;
const NEEDED = 4;
const START_MS = Date.UTC(2026, 1, 3, 4, 5, 6, 7);
/** Three of them make a span: at the edge, just inside, just outside, well inside, well outside. */
const GAPS_MS = [100_000, 100_000, 99_999, 100_001, 100_000, 40_000, 1, 0, 150_000, 299_999];
const SHUFFLED_MS = 20_000;
const LATE_MS = 180_000;
const AHEAD_MS = 3_600_000;

type Failure = {
  readonly id: string;
  readonly user: string;
  readonly atMs: number;
  readonly heardMs?: number; // where its clock is wrong
};

export function ownWorkload(
  dir: string,
  {
    seed,
    users,
    failures,
    others = 2000,
  }: {
    readonly seed: number;
    readonly users: number;
    readonly failures: number;
    readonly others?: number;
  },
): ReadonlyMap<string, Delivery> {
  mkdirSync(dir, { recursive: true });
  const chance = chanceOf(seed);
  const base = byArrival(
    Array.from({ length: users }, (_, n) => failuresOf(n, failures / users, chance)).flat(),
    ({ atMs }) => atMs,
  );
  const endMs = base.at(-1)?.atMs ?? START_MS;
  const others_ = Array.from({ length: others }, (_, n) => ({
    ...{ id: `other-${n}`, user: `other${n}` },
    atMs: Math.floor(START_MS + chance() * (endMs - START_MS)),
  }));
  const ahead = base
    .filter(() => chance() < 0.01)
    .map((one) => ({
      ...one,
      id: `${one.id}-ahead`,
      atMs: one.atMs + AHEAD_MS,
      heardMs: one.atMs,
    }));
  const deliveries: Readonly<Record<string, readonly Failure[]>> = {
    ordered: base,
    shuffled: byArrival(base, ({ atMs }) => atMs + chance() * SHUFFLED_MS),
    doubled: base.flatMap((one) => [one, one]),
    late: byArrival(base, ({ atMs }) => atMs + (chance() < 0.1 ? LATE_MS : 0)),
    ahead: byArrival([...base, ...ahead], ({ atMs, heardMs = atMs }) => heardMs),
    crowded: byArrival([...base, ...others_], ({ atMs }) => atMs),
  };
  return new Map(
    Object.entries(deliveries).map(([name, all]) => [
      name,
      written(join(dir, `${name}.ndjson`), name, all),
    ]),
  );
}

function failuresOf(user: number, count: number, chance: Chance): Failure[] {
  let atMs = START_MS + Math.floor(chance() * SPAN_MS);
  return Array.from({ length: Math.ceil(count) }, (_, n) => {
    const isPause = chance() < 0.15;
    const gapMs = GAPS_MS[Math.floor(chance() * GAPS_MS.length)] ?? 0;
    atMs += isPause ? SPAN_MS + Math.floor(chance() * 3 * SPAN_MS) : gapMs;
    return { id: `${user}-${n}`, user: `user${user}`, atMs };
  });
}

/** Equal ones keep their order. */
function byArrival<T>(all: readonly T[], arrivalMs: (one: T) => number): T[] {
  return all
    .map((one) => ({ one, at: arrivalMs(one) }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

function written(file: string, name: string, all: readonly Failure[]): Delivery {
  const lines = all.map(({ id, user, atMs }) =>
    JSON.stringify({
      ...{ "@timestamp": new Date(atMs).toISOString(), event: { id } },
      ...{ EventType: "authentication_failure", User: user },
    }),
  );
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  const lateness = name === "late" ? "5m" : "60s";
  return { name, file, lines: lines.length, truth: truthOf(all), lateness };
}

/** DESIGN.md, "Findings", word for word: every window [f, t] tried, unions of those that overlap. */
export function truthOf(all: readonly Failure[]): Episode[] {
  const unique = new Map(all.map((one) => [one.id, one]));
  const byUser = new Map<string, number[]>();
  for (const { user, atMs } of unique.values()) {
    const times = byUser.get(user);
    if (times) times.push(atMs);
    else byUser.set(user, [atMs]);
  }
  return [...byUser].flatMap(([user, times]) => {
    const unions: { firstMs: number; lastMs: number }[] = [];
    for (const lastMs of times.toSorted((a, b) => a - b)) {
      const inside = times.filter((atMs) => atMs >= lastMs - SPAN_MS && atMs <= lastMs);
      if (inside.length < NEEDED) continue;
      const firstMs = Math.min(...inside);
      const last = unions.at(-1);
      if (last && firstMs <= last.lastMs) last.lastMs = lastMs;
      else unions.push({ firstMs, lastMs });
    }
    return unions.map(({ firstMs, lastMs }) => ({
      ...{ user, firstMs, lastMs },
      count: times.filter((atMs) => atMs >= firstMs && atMs <= lastMs).length,
    }));
  });
}

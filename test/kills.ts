// kills.ts — SIGKILL in the middle of `wache send`, round after round, at moments that a seed draws.
//
// Each round: some of the file is sent; the sender is halted until the bus holds nothing of it any more, so that only
// snapshots carry the state; it goes on, and the round's victims die while records are between produce and commit. One of
// the others is frozen meanwhile, and goes on with what may no longer be its own.
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Attack } from "./attack.ts";
import { type Chance, chanceOf, newSeed } from "./chance.ts";
import { type HouseProcess, startVerb, streamPosition, until } from "./house.ts";

const POLL_MS = 10;
const DELAY_MS_MAX = 80;
const LAST_SHARE_MAX = 0.7; // of the file: the last victims must die before its end
const PATIENCE_MS = 60_000;

/** The seed of WACHE_TEST_SEED, else a new one; what it draws is said, so that a failure can be repeated. */
export function seeded(name: string): Chance {
  const given = process.env.WACHE_TEST_SEED;
  const seed = given ? Number(given) : newSeed();
  process.stdout.write(`${name}: WACHE_TEST_SEED=${seed} repeats these moments\n`);
  return chanceOf(seed);
}

/** The items in `count` rounds of about the same size, in an order that chance draws. */
export function inRounds<T>(items: readonly T[], count: number, chance: Chance): T[][] {
  const drawn = items
    .map((item) => ({ item, at: chance() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
  return Array.from({ length: count }, (_, round) =>
    drawn.filter((_one, index) => index % count === round),
  );
}

export type Kills = {
  readonly attack: Attack;
  readonly collector: HouseProcess; // that takes what is sent
  readonly rounds: readonly (readonly HouseProcess[])[];
  readonly freezable?: readonly HouseProcess[];
  readonly logIsCut: () => Promise<void>;
  readonly chance: Chance;
};

/** Sends the attack and kills all rounds' victims meanwhile, and once the sender; resolves when everything was sent. */
export async function sendUnderKills(kills: Kills): Promise<void> {
  const { attack, collector, rounds, freezable = [], logIsCut, chance } = kills;
  const send = () => startVerb("send", "--data", collector.data, "--page", attack.file);
  const passed = async (lines: number): Promise<number> => {
    const at = await until(
      () => streamPosition(collector.data, attack.file),
      (position) => position >= lines,
      PATIENCE_MS,
      POLL_MS,
    );
    if (!(at >= lines)) throw new Error(`line ${lines} was not sent in time: ${at}`);
    return at;
  };
  let sending = send();
  const senderDies = Math.floor(chance() * rounds.length);
  for (const [round, victims] of rounds.entries()) {
    const share = (LAST_SHARE_MAX * (round + chance())) / rounds.length;
    await passed(Math.max(1, Math.floor(attack.lines * share)));
    sending.signal("SIGSTOP");
    await logIsCut();
    const held = await passed(1);
    sending.signal("SIGCONT");
    await passed(held + 1);
    await sleep(chance() * DELAY_MS_MAX);
    expect(sending.isEnded(), "the file is still being sent when processes die").toBe(false);
    const others = freezable.filter((one) => !victims.includes(one));
    const frozen = others[Math.floor(chance() * others.length)];
    frozen?.freeze();
    await Promise.all(victims.map((victim) => victim.kill9()));
    sending.signal("SIGSTOP"); // what is left of the file is for the rounds to come
    if (round === senderDies) sending.signal("SIGKILL");
    await Promise.all(victims.map((victim) => victim.start()));
    frozen?.thaw();
    if (round === senderDies) sending = send();
    else sending.signal("SIGCONT");
  }
  expect(await sending.ended).toMatchObject({ code: 0 });
}

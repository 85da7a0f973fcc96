// under-fire.ts — faults while deliveries are sent, round after round, at moments that chance draws.
//
// Each round: the victim dies while records are on their way, and is started again while more come. Before the first
// death, and before about half of the others, the sending is halted until the bus holds nothing of it any more, so that
// only snapshots carry the state.
import { setTimeout as sleep } from "node:timers/promises";
import type { Chance } from "../chance.ts";
import type { HouseProcess } from "../house.ts";
import type { Sending } from "./sending.ts";

const POLL_MS = 5;
const DELAY_MS_MAX = 80;
const LAST_SHARE = 0.8; // of the lines: the last victim must die before their end
const HELD_SHARE = 0.95;
const CUT_SHARE = 0.5;
const MORE_SHARE = 0.6; // of the lines up to the next death, at most: this one must come while they are sent
const PATIENCE_MS = 120_000;

/** A fault, and its end. */
export type Victim = {
  readonly name: string;
  readonly strike: () => Promise<void>;
  readonly heal: () => Promise<void>;
};

export const killed = ({ name, kill9, start }: HouseProcess): Victim => ({
  ...{ name, strike: kill9, heal: start },
});

/** Resolves when every victim was killed and runs again, and most lines are acknowledged; `allow` lets the rest go. */
export async function sendUnderFire(fire: {
  readonly sending: Sending;
  readonly victims: readonly Victim[]; // in the order of their deaths
  readonly logIsCut: () => Promise<void>;
  readonly chance: Chance;
  readonly say: (text: string) => void;
}): Promise<void> {
  const { sending, victims, logIsCut, chance, say } = fire;
  const { lines } = sending;
  const places = victims.map((_, round) =>
    Math.ceil((lines * LAST_SHARE * (round + 0.1 + 0.9 * chance())) / victims.length),
  );
  sending.allow(places[0] ?? lines);
  for (const [round, victim] of victims.entries()) {
    await passed(sending, places[round] ?? 0);
    if (round === 0 || chance() < CUT_SHARE) await logIsCut();
    const held = sending.acked();
    const place = places[round + 1] ?? Math.ceil(lines * HELD_SHARE);
    const next = Math.max(place, held + 1); // a batch may have gone beyond the place
    sending.allow(next);
    await passed(sending, held + 1 + Math.floor(chance() * MORE_SHARE * (next - held)));
    await sleep(chance() * DELAY_MS_MAX);
    const diedAt = sending.acked();
    await victim.strike();
    await victim.heal();
    say(`${victim.name} struck when ${diedAt} of ${lines} lines were acknowledged`);
  }
  await passed(sending, Math.ceil(lines * HELD_SHARE));
}

export async function passed(sending: Sending, lines: number): Promise<void> {
  const endMs = Date.now() + PATIENCE_MS;
  while (sending.acked() < lines) {
    if (Date.now() > endMs) throw new Error(`line ${lines} was not sent in time`);
    await sleep(POLL_MS);
  }
}

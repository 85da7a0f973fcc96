// drawn-events.ts — draws what happens and how it is told: events, each with when and by whom it is delivered.
//
// Holds: most come within the lateness, some at its very edge, some beyond; times stand together, at the edges of
//        windows too.
import { EVENT_ID_CHARS_MAX } from "../../core/store/indices.ts";
import type { Chance } from "./chance.ts";
import { MARKS } from "./drawn-rules.ts";

export type DrawnEvent = {
  readonly id: string;
  readonly timeMs: number;
  readonly host: string;
  readonly sim: Readonly<Record<string, SimValue>>;
};
/** null has nothing to say, a boolean no number. */
export type SimValue = string | number | boolean | null | readonly (string | number)[];
export type Delivery = {
  readonly event: DrawnEvent;
  readonly atMs: number;
  readonly feeder: number;
};

export const BUSY = 100; // events, and more: of one user, so that windows have to forget on the way
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** An id that no store takes: its event belongs into the dead letter. */
const TOO_LONG = "-".repeat(EVENT_ID_CHARS_MAX);

export type Scene = {
  readonly startMs: number;
  readonly spanMs: number; // in which things happen
  readonly latenessMs: number;
  readonly feeders: number;
};

export function drawEvents(
  chance: Chance,
  scene: Scene,
  names: { readonly prefix: string; readonly count: number },
): DrawnEvent[] {
  const users = ["ann", "bob", "eve"].slice(0, names.count > BUSY ? 1 : chance.int(1, 3));
  const stepMs = chance.one([1, 100, 500, 1000]);
  let burstMs = scene.startMs;
  return Array.from({ length: names.count }, (_, index): DrawnEvent => {
    if (chance.is(0.2))
      burstMs = scene.startMs + Math.floor(chance.int(0, scene.spanMs) / stepMs) * stepMs;
    else burstMs += chance.int(0, Math.ceil(1500 / stepMs)) * stepMs;
    if (burstMs > scene.startMs + scene.spanMs) burstMs = scene.startMs;
    return {
      id: `${names.prefix}${index}${chance.is(0.01) ? TOO_LONG : ""}`,
      timeMs: burstMs,
      host: chance.one(["web-1", "web-2", "db-1", "mail-1"]),
      sim: drawFields(chance, users),
    };
  });
}

/** As JSON and as text, and what is none. */
const NUMBERS = [1, 2, 2.5, -3, 0.1, 0.2, 0.25, -0.5, 0, "4", "-1.25", "1e1", "0.3", "many", ""];
const NO_NUMBERS: readonly SimValue[] = [null, true];

/** Some lack a field, some have a list in it. */
function drawFields(chance: Chance, users: readonly string[]): DrawnEvent["sim"] {
  const sim: Record<string, SimValue> = {
    mark: chance.is(0.1) ? chance.some(MARKS, 2) : chance.one(MARKS),
  };
  if (!chance.is(0.05)) sim.user = chance.is(0.08) ? chance.some(users, 2) : chance.one(users);
  if (!chance.is(0.05)) sim.address = chance.one(["10.0.0.1", "10.0.0.2"]);
  if (!chance.is(0.05)) sim.host = chance.one(["x", "y"]);
  if (!chance.is(0.05))
    sim.value = chance.is(0.1) ? chance.some(["p", "q", "r", "s"], 2) : chance.one(["p", "q", "r"]);
  if (!chance.is(0.2)) sim.other = chance.one(["1", "2", "3"]);
  if (!chance.is(0.1)) sim.port = chance.one([1, 2.5, -3, "2", "web"]);
  if (!chance.is(0.05))
    sim.number = chance.is(0.1)
      ? [chance.one(NUMBERS), chance.one(NUMBERS), chance.one(NUMBERS)]
      : chance.one<SimValue>(chance.is(0.05) ? NO_NUMBERS : NUMBERS);
  return sim;
}

/** When each event comes, and where some come again. */
export function drawDeliveries(
  chance: Chance,
  scene: Scene,
  events: readonly DrawnEvent[],
): Delivery[] {
  const deliveries: Delivery[] = [];
  for (const drawn of events) {
    const { event, atMs } = drawDelivery(chance, scene, drawn);
    deliveries.push({ event, atMs, feeder: chance.int(0, scene.feeders - 1) });
    for (let again = atMs; chance.is(0.12); ) {
      again += chance.int(0, 3 * scene.latenessMs);
      deliveries.push({ event, atMs: again, feeder: chance.int(0, scene.feeders - 1) });
    }
  }
  return deliveries.sort((a, b) => a.atMs - b.atMs);
}

function drawDelivery(
  chance: Chance,
  { latenessMs, startMs }: Scene,
  event: DrawnEvent,
): { readonly event: DrawnEvent; readonly atMs: number } {
  const atMs = event.timeMs;
  const roll = chance.int(0, 99);
  if (roll < 55) return { event, atMs: atMs + chance.int(0, 300) };
  if (roll < 75) return { event, atMs: atMs + chance.int(0, latenessMs) };
  if (roll < 88) return { event, atMs: atMs + latenessMs };
  if (roll < 91) return { event, atMs: atMs + latenessMs + chance.int(1, 20_000) };
  if (roll < 95) return { event, atMs: Math.max(startMs, atMs - chance.int(0, 5000)) };
  // A clock that is wrong.
  const offMs = chance.one([
    chance.int(60_000, 20 * HOUR_MS),
    -chance.int(latenessMs + 1, HOUR_MS),
    -chance.int(HOUR_MS, 400 * DAY_MS),
    DAY_MS + chance.int(HOUR_MS, 400 * DAY_MS),
  ]);
  return { event: { ...event, timeMs: atMs + offMs }, atMs };
}

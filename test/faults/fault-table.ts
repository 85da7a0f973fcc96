// fault-table.ts — the faults, each with what it does to a scene under load and where it can happen.
import { setTimeout as sleep } from "node:timers/promises";
import type { Incident } from "../../core/records.ts";
import { ask, type HouseProcess, until } from "../house.ts";
import { linesOf } from "../trust/eval.ts";
import type { Delivery } from "../trust/truth.ts";
import { killed, passed, sendUnderFire, type Victim } from "../trust/under-fire.ts";
import type { Load, Mode, Needs, Scene, Servers } from "./scene.ts";

const PATIENCE_MS = 120_000;
const HOUR_MS = 3_600_000;

export type About = {
  readonly delivery: Delivery;
  readonly servers: Servers | undefined; // none: embedded
  readonly kills: number; // in this scene
  readonly kafkaAwayMs: number;
};
export type Fault = {
  readonly name: string;
  readonly modes: readonly Mode[];
  readonly as: Load["as"];
  readonly needs?: Needs;
  /** How often it struck. */
  readonly act: (scene: Scene, about: About) => Promise<number>;
};

const BOTH: readonly Mode[] = ["embedded", "distributed"];

export const FAULTS: readonly Fault[] = [
  { name: "kill -9 of a stream", modes: BOTH, as: "stream", act: kill9 },
  { name: "kill -9 live", modes: BOTH, as: "live", act: kill9 },
  { name: "SIGTERM", modes: BOTH, as: "live", act: terminate },
  { name: "a correlator away", modes: ["distributed"], as: "live", act: correlatorAway },
  { name: "Kafka away", modes: ["distributed"], as: "live", act: kafkaAway },
  { name: "OpenSearch away", modes: ["distributed"], as: "live", act: openSearchAway },
  { name: "disk full", modes: ["embedded"], as: "live", needs: "small disk", act: diskFull },
  {
    name: "clock an hour ahead",
    ...{ modes: ["embedded"], as: "live", needs: "wall clock" },
    act: (scene) => clockJumps(scene, HOUR_MS),
  },
  {
    name: "clock an hour behind",
    ...{ modes: ["embedded"], as: "live", needs: "wall clock" },
    act: (scene) => clockJumps(scene, -HOUR_MS),
  },
];

/** All but the API, which keeps nothing, in turn; in an order that chance draws. */
async function kill9({ processes, ...scene }: Scene, { kills }: About): Promise<number> {
  const some = processes.filter(({ name }) => name !== "api");
  const victims: HouseProcess[] = [];
  while (victims.length < kills)
    victims.push(...shuffled(some, scene.chance).slice(0, kills - victims.length));
  await sendUnderFire({ ...scene, victims: victims.map(killed) });
  return kills;
}

/** Every process once; the only one of an embedded scene three times. */
async function terminate({ processes, ...scene }: Scene): Promise<number> {
  const all = processes.length === 1 ? [...processes, ...processes, ...processes] : processes;
  const victims = shuffled(all, scene.chance).map(
    ({ name, stop, start }): Victim => ({
      name,
      strike: async () => {
        const code = await stop();
        if (code !== 0) throw new Error(`${name} ended with ${code} on SIGTERM`);
      },
      heal: start,
    }),
  );
  await sendUnderFire({ ...scene, victims });
  return victims.length;
}

/** The other takes its partitions: all that comes of what is sent meanwhile is read before it is back. */
async function correlatorAway({ processes, sending, logIsCut, say }: Scene): Promise<number> {
  const lost = processes.find(({ name }) => name === "correlate-1");
  if (lost === undefined) throw new Error("there is no correlate-1");
  await upTo(sending, 0.2);
  await lost.kill9();
  say("correlate-1 killed");
  await upTo(sending, 0.6);
  await logIsCut();
  await logIsCut();
  await lost.start();
  await upTo(sending, 0.9);
  return 1;
}

async function kafkaAway(scene: Scene, { servers, kafkaAwayMs }: About): Promise<number> {
  const node = servers?.kafka.nodes[0];
  if (node === undefined) throw new Error("this Kafka is not ours to stop");
  const heal = async () => {
    await sleep(kafkaAwayMs);
    await node.start();
  };
  await sendUnderFire({ ...scene, victims: [{ name: "Kafka", strike: node.stop, heal }] });
  return 1;
}

/** Whoever must be paged for what is sent meanwhile is paged before it is back. */
async function openSearchAway(
  { sending, hook, say }: Scene,
  { servers, delivery }: About,
): Promise<number> {
  await upTo(sending, 0.02);
  await servers?.openSearch.kill9();
  const before = hook.taken.size;
  await upTo(sending, 0.6);
  const wanted = usersPagedBy(delivery, 0.6);
  const missing = async (): Promise<string[]> => {
    const paged = [...hook.taken.values()].map(
      ({ json }) => (json["incident"] as Incident).group["User"],
    );
    return wanted.filter((user) => !paged.includes(user));
  };
  const left = await until(missing, (users) => users.length === 0, PATIENCE_MS);
  if (left.length > 0)
    throw new Error(`without OpenSearch ${left.length} of ${wanted.length} pages did not go out`);
  if (before > wanted.length / 2) throw new Error("too many pages went out before it was away");
  say(`OpenSearch away: ${before} pages went out before, ${hook.taken.size - before} meanwhile`);
  await servers?.openSearch.start();
  await upTo(sending, 0.9);
  return 1;
}

/** Those with a whole episode in the first part of a delivery that is in order. */
function usersPagedBy({ file, truth }: Delivery, share: number): string[] {
  const lines = linesOf(file);
  const line = lines[Math.floor(lines.length * share) - 1] ?? "{}";
  const atMs = Date.parse((JSON.parse(line) as { "@timestamp": string })["@timestamp"]);
  return [...new Set(truth.filter(({ lastMs }) => lastMs < atMs).map(({ user }) => user))];
}

async function diskFull({ processes, sending, disk, say }: Scene): Promise<number> {
  const [run] = processes;
  if (run === undefined || disk === undefined) throw new Error("there is no small disk");
  const readiness = () =>
    ask(run.data, "/readyz").then(
      () => "ready",
      (error: Error) => error.message,
    );
  const times = 3;
  for (let round = 1; round <= times; round++) {
    await upTo(sending, (round - 1) * 0.3 + 0.05);
    disk.fill();
    sending.allow(Math.ceil(sending.lines * (round * 0.3)));
    const said = await until(readiness, (text) => text.includes("senders wait"), PATIENCE_MS);
    if (!said.includes("senders wait")) throw new Error(`a full disk was not noticed: ${said}`);
    say(`disk full when ${sending.acked()} of ${sending.lines} lines were acknowledged`);
    disk.free();
  }
  await upTo(sending, times * 0.3);
  return times;
}

async function clockJumps({ sending, clock, say }: Scene, byMs: number): Promise<number> {
  if (clock === undefined) throw new Error("there is no clock to set");
  await upTo(sending, 0.2);
  clock.jump(byMs);
  say(`the clock jumped when ${sending.acked()} of ${sending.lines} lines were acknowledged`);
  await upTo(sending, 0.6);
  clock.right();
  await upTo(sending, 0.9);
  return 1;
}

async function upTo(sending: Scene["sending"], share: number): Promise<void> {
  const lines = Math.ceil(sending.lines * share);
  sending.allow(lines);
  await passed(sending, lines);
}

function shuffled<T>(all: readonly T[], chance: Scene["chance"]): T[] {
  return all
    .map((one) => ({ one, at: chance() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

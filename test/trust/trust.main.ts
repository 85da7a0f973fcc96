// trust.main.ts — the trust test: what Wache finds, by every way that events can come, against the truth; a row each.
//
// Run by hand: npm run trust [-- --seed N | --fresh] [--only eval,crashes,live] [--users N]. Exits with 1 unless all is equal.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chanceOf, newSeed } from "../chance.ts";
import { startKafka } from "../servers/kafka.ts";
import { underCrashes } from "./crashes.ts";
import { evaluated } from "./eval.ts";
import { overKafka } from "./live.ts";
import { ownWorkload } from "./own-workload.ts";
import { sharedMissing, sharedScore, sharedWorkload } from "./shared-workload.ts";
import { type Delivery, type Found, isExact, scoreOf } from "./truth.ts";

const SEED = 42;
const KILLS = 5;
const LIVE_USERS = 2000; // as many that the input is fifty times what the queues hold
const PARTS = ["eval", "crashes", "live"];

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    fresh: { type: "boolean" },
    only: { type: "string" },
    users: { type: "string" },
  },
});
const seed = values.fresh ? newSeed() : Number(values.seed ?? SEED);
const parts = values.only?.split(",") ?? PARTS;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const noShared = sharedMissing();
const dir = mkdtempSync(join(tmpdir(), "wache-trust-"));
const chance = chanceOf(seed);
let allEqual = true;

type Made = { readonly dir: string; readonly deliveries: ReadonlyMap<string, Delivery> };

/** By ../shared where that is there, else by our own generator. */
function workload(name: string, users: number, groups: number): Made {
  const at = join(dir, name);
  const deliveries =
    noShared === undefined
      ? sharedWorkload(at, { seed, users, groups })
      : ownWorkload(at, { seed, users, failures: users * 44, others: groups });
  return { dir: at, deliveries };
}

function picked(
  { deliveries }: Made,
  names: readonly string[],
  own: readonly string[],
): Delivery[] {
  return (noShared === undefined ? names : own).flatMap((name) => deliveries.get(name) ?? []);
}

type Row = {
  readonly made: Made;
  readonly delivery: Delivery;
  readonly mode: string;
  readonly found: readonly Found[];
  readonly beganMs: number;
  readonly shiftMs?: number;
  readonly faults?: readonly string[];
  readonly more?: string;
};

function tell({
  made,
  delivery,
  mode,
  found,
  beganMs,
  shiftMs = 0,
  faults = [],
  more = "",
}: Row): void {
  const { name, lines, truth } = delivery;
  const score =
    noShared === undefined
      ? sharedScore(made.dir, { name, found, shiftMs })
      : scoreOf(
          found,
          truth.map((one) => ({
            ...one,
            firstMs: one.firstMs + shiftMs,
            lastMs: one.lastMs + shiftMs,
          })),
        );
  const { episodes, equal, missing, surplus } = score;
  const seconds = ((Date.now() - beganMs) / 1000).toFixed(1);
  const cells = [name, mode, lines, episodes, equal, missing, surplus, seconds, more];
  say(`| ${cells.join(" | ")} |`);
  for (const fault of faults.slice(0, 10)) say(`    NOT AS IT MUST BE: ${fault}`);
  allEqual &&= isExact(score) && faults.length === 0;
}

async function evalRows(): Promise<void> {
  const made = workload("eval", 300, noShared === undefined ? 200_000 : 20_000);
  for (const delivery of made.deliveries.values()) {
    const beganMs = Date.now();
    const found = await evaluated(delivery);
    tell({ made, delivery, mode: `eval --lateness ${delivery.lateness}`, found, beganMs });
  }
}

type Kafka = { readonly brokers: string[] };

async function crashRows(kafka: Kafka | undefined): Promise<void> {
  const made = workload("crashes", Number(values.users ?? 300), 0);
  const [delivery] = picked(made, ["A"], ["ordered"]);
  if (delivery === undefined) throw new Error("the workload has no delivery in order");
  for (const bus of kafka === undefined ? ["embedded"] : ["embedded", "kafka"])
    for (const as of ["stream", "live"] as const) {
      const beganMs = Date.now();
      const on =
        bus === "kafka" && kafka !== undefined
          ? { kafka: { brokers: kafka.brokers, prefix: `e-${as}` } }
          : {};
      const told = (text: string) => say(`    ${text}`);
      const ran = await underCrashes({ delivery, as, ...on, kills: KILLS, chance, say: told });
      const { found, ids, faults, kills, repeats, shiftMs } = ran;
      tell({
        ...{ made, found, beganMs, shiftMs },
        delivery: { ...delivery, name: delivery.name },
        mode: `E: ${bus}, as ${as}, ${kills} × kill -9`,
        faults: [...ids, ...faults],
        more: `${repeats} posts repeated; ids as eval's; an incident and a page a user; every event stored once`,
      });
    }
}

async function liveRows(kafka: Kafka): Promise<void> {
  const made = workload("live", Number(values.users ?? LIVE_USERS), 0);
  const all = picked(made, ["B", "C2", "D", "L"], ["shuffled", "ahead", "doubled", "late"]);
  for (const lateness of ["60s", "5m"]) {
    const deliveries = all.filter((one) => one.lateness === lateness);
    const beganMs = Date.now();
    const told = (text: string) => say(`    ${text}`);
    const on = { brokers: kafka.brokers, prefix: `live-${lateness}` };
    for (const ran of await overKafka({ deliveries, kafka: on, chance, say: told }))
      tell({
        ...{ made, beganMs, delivery: ran.delivery, found: ran.found },
        mode: "live: Kafka, 8 partitions, 2 detect and 2 correlate, all killed",
        faults: [
          ...ran.ids,
          ...(ran.contradictions === 0
            ? []
            : [`${ran.contradictions} revisions told twice, differently`]),
        ],
        more: `${ran.early} findings before the stream ended; ids as eval's`,
      });
  }
}

say(`seed ${seed}${noShared === undefined ? "" : `; our own workload, for ${noShared}`}`);
say("| delivery | mode | events | episodes | equal | missing | surplus | seconds | |");
say("|---|---|---:|---:|---:|---:|---:|---:|---|");
try {
  if (parts.includes("eval")) await evalRows();
  if (parts.includes("crashes") || parts.includes("live")) {
    const kafka = await startKafka();
    const running = "skip" in kafka ? undefined : kafka;
    if ("skip" in kafka) say(`    without Kafka: ${kafka.skip}`);
    try {
      if (parts.includes("crashes")) await crashRows(running);
      if (parts.includes("live") && running !== undefined) await liveRows(running);
    } finally {
      await running?.stop();
    }
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
say(allEqual ? "all equal" : "NOT all equal");
process.exitCode = allEqual ? 0 : 1;

// faults.main.ts — real faults under load, a row each: what came of it, held against a run that nothing disturbed.
//
// Run by hand: npm run faults [-- --seed N | --fresh] [--kills N] [--only PART,…] [--short] [--report FILE]. `--only` takes
// parts of faults' names and modes. The two modes go side by side. Exits with 1 unless all is as without faults; the report counts rows for .ci/run.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chanceOf, newSeed } from "../chance.ts";
import { startKafka } from "../servers/kafka.ts";
import { startRestartableOpenSearch } from "../servers/opensearch.ts";
import { untilNow } from "../trust/crashes.ts";
import { ownWorkload } from "../trust/own-workload.ts";
import type { Delivery } from "../trust/truth.ts";
import { FAULTS, type Fault } from "./fault-table.ts";
import { type Load, type Mode, played, type Servers } from "./scene.ts";
import { type Comparison, compared, faultsOf, type Told } from "./told.ts";

const SEED = 42;
const USERS = 150;
const FAILURES = 8000; // about 50 a user, in three hours
const CLOCK_FAILURES = 1800; // 12 a user, in less than an hour: a clock that jumps by one must matter
const CLOCK_SLACK_MS = 1_200_000; // that such a scene may take
const LATENESS = "1d"; // of live events otherwise: they are as old as the run and three hours
const MODES: readonly Mode[] = ["embedded", "distributed"];
const KILLS_MAX = 20; // in one scene
const SHOWN_MAX = 8;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    fresh: { type: "boolean" },
    kills: { type: "string" },
    only: { type: "string" },
    short: { type: "boolean" },
    report: { type: "string" },
  },
});
const seed = values.fresh ? newSeed() : Number(values.seed ?? SEED);
const kills = Number(values.kills ?? (values.short ? 20 : 200)); // in each mode
const kafkaAwayMs = values.short ? 10_000 : 60_000;
const only = values.only?.split(",").map((part) => part.trim());
const dir = mkdtempSync(join(tmpdir(), "wache-faults-"));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const count = { passed: 0, failed: 0, skipped: 0 };
const table: string[] = [];

type Reference = { readonly load: Load; readonly told: Told };
const references = new Map<string, Promise<Reference>>();

/** What comes of the same load when nothing disturbs it: one run for all rows that can share it. */
function referenceOf({ as, needs }: Fault): Promise<Reference> {
  const name = needs === "wall clock" ? needs : as;
  const found = references.get(name) ?? undisturbed(name, as);
  if (needs !== "wall clock") references.set(name, found); // it must be about now
  return found;
}

async function undisturbed(name: string, as: Load["as"]): Promise<Reference> {
  const at = mkdtempSync(join(dir, "load-"));
  const load = { as, delivery: name === "wall clock" ? clockDelivery(at) : deliveryOf(as, at) };
  const chance = chanceOf(seed);
  const told = await played({ load, servers: undefined, chance, say }, async () => {});
  const faults = faultsOf(told, load.delivery);
  if (faults.length > 0) throw new Error(`without any fault: ${faults.join("; ")}`);
  return { load, told };
}

function deliveryOf(as: Load["as"], at: string, failures = FAILURES): Delivery {
  const delivery = ownWorkload(at, { seed, users: USERS, failures }).get("ordered");
  if (delivery === undefined) throw new Error("the workload has no delivery in order");
  return as === "stream" ? delivery : { ...untilNow(delivery, at), lateness: LATENESS };
}

/** Live events of the last minutes: what is received an hour later is late. */
function clockDelivery(at: string): Delivery {
  const delivery = deliveryOf("live", at, CLOCK_FAILURES);
  const firstMs = Math.min(...delivery.truth.map((one) => one.firstMs));
  const minutes = Math.ceil((Date.now() - firstMs + CLOCK_SLACK_MS) / 60_000);
  return { ...delivery, lateness: `${minutes}m` };
}

type Row = {
  readonly fault: Fault;
  readonly mode: Mode;
  readonly times: number;
  readonly sent: number;
  readonly seconds: number;
  readonly all: readonly Comparison[];
};

function tableRow({ fault, mode, times, sent, seconds, all }: Row): string {
  const sum = (of: (one: Comparison) => number): number =>
    all.reduce((total, one) => total + of(one), 0);
  const cells = [
    ...[fault.name, mode, times, sent, sum(({ stored }) => stored)],
    ...[sum(({ expected }) => expected), sum(({ found }) => found)],
    ...[sum(({ pagesExpected }) => pagesExpected), sum(({ pages }) => pages)],
    ...[sum(({ doubled }) => doubled), seconds.toFixed(0)],
  ];
  return `| ${cells.join(" | ")} |`;
}

let scenes = 0;

/** Plays a fault in as many scenes as its kills need. */
async function rowOf(fault: Fault, mode: Mode, servers: Servers | undefined): Promise<void> {
  const { load, told: expected } = await referenceOf(fault);
  const beganMs = Date.now();
  const isKill = fault.name.startsWith("kill");
  const rounds = isKill ? killsOf(fault) : [0];
  const all: Comparison[] = [];
  let times = 0;
  for (const [round, killsNow] of rounds.entries()) {
    const chance = chanceOf(seed + 1000 * FAULTS.indexOf(fault) + round);
    const prefix = `faults-${scenes++}`;
    const on = mode === "distributed" && servers ? { ...servers, prefix } : undefined;
    const about = { delivery: load.delivery, servers: on, kills: killsNow, kafkaAwayMs };
    const tell = (text: string): void => say(`    ${mode}: ${text}`);
    const play = { load, servers: on, needs: fault.needs, expected, chance, say: tell };
    const told = await played(play, async (scene) => {
      times += await fault.act(scene, about);
    });
    all.push(compared(told, expected));
  }
  const sent = load.delivery.lines * rounds.length;
  const seconds = (Date.now() - beganMs) / 1000;
  table.push(tableRow({ fault, mode, times, sent, seconds, all }));
  say(table.at(-1) ?? "");
  const faults = all.flatMap((one) => one.faults);
  if (faults.length > 0) throw new Error(faults.slice(0, SHOWN_MAX).join("\n    "));
}

/** Half of a mode's kills are of a stream, half of live events; so many in each scene. */
function killsOf({ as }: Fault): number[] {
  const mine = as === "stream" ? Math.ceil(kills / 2) : Math.floor(kills / 2);
  const rounds = Math.ceil(mine / KILLS_MAX);
  return Array.from({ length: rounds }, (_, n) =>
    Math.floor((mine * (n + 1)) / rounds - Math.floor((mine * n) / rounds)),
  );
}

const isWanted = ({ name }: Fault, mode: Mode): boolean =>
  only === undefined || only.some((part) => `${name} ${mode}`.includes(part));

async function started(): Promise<Servers | { readonly skip: string }> {
  const kafka = await startKafka();
  if ("skip" in kafka) return kafka;
  if (kafka.nodes.length === 0) return { skip: "that of WACHE_TEST_KAFKA is not ours to stop" };
  const openSearch = await startRestartableOpenSearch();
  if ("skip" in openSearch) await kafka.stop();
  return "skip" in openSearch ? openSearch : { kafka, openSearch };
}

type Wanted = { readonly fault: Fault; readonly mode: Mode };

async function counted({ fault, mode }: Wanted): Promise<void> {
  if (mode === "distributed" && "skip" in servers) {
    count.skipped += 1;
    say(`SKIPPED ${fault.name} ${mode}: ${servers.skip}`);
    return;
  }
  try {
    await rowOf(fault, mode, running);
    count.passed += 1;
  } catch (error) {
    count.failed += 1;
    const how = `--seed ${seed} --kills ${kills} --only "${fault.name} ${mode}"`;
    say(`FAILED ${fault.name} ${mode}: ${error instanceof Error ? error.message : String(error)}`);
    say(`    again: npm run faults -- ${how}${values.short ? " --short" : ""}`);
  }
}

const rows: readonly Wanted[] = FAULTS.flatMap((fault) =>
  fault.modes.map((mode) => ({ fault, mode })),
).filter(({ fault, mode }) => isWanted(fault, mode));
say(`seed ${seed}`);
const isDistributed = rows.some(({ mode }) => mode === "distributed");
const servers = isDistributed ? await started() : { skip: "not asked for" };
const running = "skip" in servers ? undefined : servers;
try {
  await Promise.all(
    MODES.map(async (lane) => {
      for (const row of rows) if (row.mode === lane) await counted(row);
    }),
  );
} finally {
  await running?.kafka.stop();
  await running?.openSearch.stop();
  rmSync(dir, { recursive: true, force: true });
}
say("");
say(
  "| fault | mode | times | events sent | events stored | findings expected | findings got | pages expected | pages got | doubled | seconds |",
);
say("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
for (const row of table) say(row);
say(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(count));
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;

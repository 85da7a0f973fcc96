// correlate.ts — detection and windows beside rsigma, on the same sign-ins and rules in the same run.
//
// Usage: npm run bench:correlate -- [--groups 1000,10000,100000,1000000] [--kinds event_count,…,all] [--rounds 3]
//        [--data ../shared/data] [--lanes FOLDER] [--peer-seconds 120] [--no-state]
// Holds: processor time of all threads, net of loading, of one process each, in turn; medians. Wache does all twice in a
//        process: `cold` is the first time, with V8 still compiling, all else the second. rsigma, which is compiled, costs
//        the same each time. It is named by RSIGMA or PATH; a run of it that takes longer is stopped, and its rate is said
//        to be less.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { packageRoot } from "../core/package-root.ts";
import { type Lane, laneOf, readKinds } from "./correlate-lanes.ts";
import type { StateFigures } from "./correlate-state.ts";
import type { CorrelateTask, FindingFigures } from "./correlate-work.ts";
import { median, rowsOf, shown } from "./figures.ts";
import { NODE_FLAGS } from "./node-flags.ts";
import { findPeer, type PeerFigures, runPeer } from "./peer.ts";

// For a million groups, and their weight.
const ROOM = ["--max-old-space-size=6000", "--expose-gc"];
const BOUNDS = { matchesMax: 10_000, valuesMax: 10_000, groupsMax: 2_000_000, evidenceMax: 20 };
const LATENESS_MS = 60_000;
const row = rowsOf(28, 16);
const SNAPSHOT_EVERY_S = 60;
const REPLAYED_A_SECOND = 20_000;

const { values } = parseArgs({
  options: {
    groups: { type: "string", default: "1000,10000,100000,1000000" },
    kinds: { type: "string" },
    rounds: { type: "string", default: "3" },
    data: { type: "string", default: join(packageRoot(), "../shared/data") },
    lanes: { type: "string" },
    "peer-seconds": { type: "string", default: "120" },
    "no-state": { type: "boolean", default: false },
  },
});
const data = resolve(values.data);
const rounds = Number(values.rounds);
const peerSeconds = Number(values["peer-seconds"]);
const folder = mkdtempSync(join(tmpdir(), "wache-bench-"));
const peer = findPeer(process.env);

async function main(): Promise<void> {
  const kinds = readKinds(data, folder);
  if (kinds === undefined) {
    console.log(
      `${data} has no lanes/make-correlation.py and correlation-rules.yml: name it by --data`,
    );
    return;
  }
  console.log(`${rounds} rounds, processor time net of loading, medians; lateness 60 s`);
  if (peer === undefined) console.log("rsigma is not installed (RSIGMA or PATH): Wache runs alone");
  const wanted = values.kinds?.split(",") ?? [...kinds.keys()];
  const costs = new Map<string, number>(); // µs an event with the fewest groups, by kind
  row("rules, groups", [
    "wache ev/s",
    "rsigma ev/s",
    "ratio",
    "cold",
    "cost",
    "findings",
    "rsigma's",
    "dropped",
  ]);
  for (const groups of values.groups.split(",").map(Number)) {
    const lane = await laneOf(groups, { data, folder: values.lanes ?? folder });
    for (const kind of wanted) {
      const rules = kinds.get(kind);
      if (rules === undefined) throw new Error(`${kind}: there are ${[...kinds.keys()].join()}`);
      await compare(`${kind}, ${shown(groups)}`, { kind, lane, rules, costs });
    }
    if (!values["no-state"]) await state(lane, kinds.get("event_count") ?? "");
    if (values.lanes === undefined) rmSync(lane.path);
  }
}

async function compare(
  name: string,
  of: {
    readonly kind: string;
    readonly lane: Lane;
    readonly rules: string;
    readonly costs: Map<string, number>;
  },
): Promise<void> {
  const { kind, lane, rules, costs } = of;
  const ours: FindingFigures[] = [];
  const theirs: PeerFigures[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await work<FindingFigures>({ kind: "findings", lane: lane.path, rules }));
    if (peer !== undefined && !theirs.at(-1)?.isCut)
      theirs.push(await runPeer(peer, { rules, lane: lane.path, cpuSecondsMax: peerSeconds }));
  }
  const costUs = (cpuMs: readonly number[]): number => (median(cpuMs) * 1000) / lane.events;
  const cost = costUs(ours.map(({ warmCpuMs }) => warmCpuMs));
  const coldCost = costUs(ours.map(({ coldCpuMs }) => coldCpuMs));
  const theirCost = costUs(theirs.map(({ cpuMs }) => cpuMs));
  const least = costs.get(kind) ?? cost;
  costs.set(kind, least);
  const isCut = theirs.at(-1)?.isCut === true;
  const [first] = ours;
  row(name, [
    shown(1e6 / cost),
    theirs.length === 0 ? "–" : `${isCut ? "< " : ""}${shown(1e6 / theirCost)}`,
    ...[cost, coldCost].map((own) =>
      theirs.length === 0 ? "–" : `${isCut ? "> " : ""}${(theirCost / own).toFixed(2)}×`,
    ),
    `${(cost / least).toFixed(2)}×`,
    `${shown(first?.findings ?? 0)}${first?.bounded ? ` (${shown(first.bounded)} bounded)` : ""}`,
    peerAlerts(theirs),
    `${shown(first?.evicted ?? 0)}, ${shown(first?.overdue ?? 0)} late`,
  ]);
}

/** What the windows weigh; what it costs to keep them, and to make them again after a crash. */
async function state(lane: Lane, rules: string): Promise<void> {
  const figures = await work<StateFigures>({ kind: "state", lane: lane.path, rules });
  const { groups, bytesAGroup, signals, processMs, snapshotMs, snapshotBytes, restoreMs } = figures;
  const rate = signals / (processMs / 1000);
  const replayS = restoreMs / 1000 + (SNAPSHOT_EVERY_S * REPLAYED_A_SECOND) / rate;
  row(`  state, ${shown(groups)} groups`, [
    `${shown(bytesAGroup)} B/group`,
    `${shown(rate)} sig/s`,
    `snapshot ${(snapshotMs / 1000).toFixed(2)} s`,
    `${shown(snapshotBytes / 2 ** 20)} MiB`,
    `${((snapshotMs / 1000 / SNAPSHOT_EVERY_S) * 100).toFixed(1)} % of 60 s`,
    `restore ${(restoreMs / 1000).toFixed(2)} s`,
    `replay ${replayS.toFixed(1)} s`,
  ]);
}

async function work<T>(task: Pick<CorrelateTask, "kind" | "lane" | "rules">): Promise<T> {
  const file = join(import.meta.dirname, "correlate-work.ts");
  const whole: CorrelateTask = { ...task, bounds: BOUNDS, latenessMs: LATENESS_MS };
  const args = [...NODE_FLAGS, ...ROOM, file, JSON.stringify(whole)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as T;
}

/** Its last line on standard error tells them: one an event, not one an episode. */
function peerAlerts([first]: readonly PeerFigures[]): string {
  const found = /(\d+) correlation matches/.exec(first?.said ?? "")?.[1];
  if (found === undefined) return "–";
  return `${shown(Number(found))}${/evict/i.test(first?.said ?? "") ? " (evicts)" : ""}`;
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true });
}

// match.ts — Wache's matcher beside rsigma and the floor (reading and JSON.parse alone), on the same events in the same run.
//
// Usage: npm run bench:match -- [--lanes a,b] [--rounds 5] [--events 100000] [--data ../shared/data] [--no-scale]
// Holds: processor time of all threads, net of loading the rules, of one process each, in turn; medians. Wache and the
//        floor read each lane three times in a process: `cold` is the first time, with V8 still compiling; all else is the
//        third. rsigma, which is compiled, costs the same each time. It is named by RSIGMA or PATH.
import { execFile } from "node:child_process";
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs, promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { loadMappings, shippedMappings } from "../core/mappings.ts";
import { packageRoot } from "../core/package-root.ts";
import { formOf } from "../correlator/event-forms.ts";
import { median, rowsOf, shown } from "./figures.ts";
import type { Figures, Task } from "./match-work.ts";
import { NODE_FLAGS } from "./node-flags.ts";
import { findPeer, type PeerFigures, runPeer } from "./peer.ts";

const LANES = [
  ...["lab_windows", "recorded_flat", "recorded_nested", "structured_windows", "match_heavy"],
  ...["sysmon_file_event", "mixed_schema", "raw_windows", "cisco_syslog", "syslog", "no_match"],
];
const SHARES = [0.1, 1, 10];
const row = rowsOf(20, 14);

const { values } = parseArgs({
  options: {
    lanes: { type: "string", default: LANES.join() },
    rounds: { type: "string", default: "5" },
    events: { type: "string", default: "100000" },
    data: { type: "string", default: join(packageRoot(), "../shared/data") },
    "no-scale": { type: "boolean", default: false },
  },
});
const data = resolve(values.data);
const rules = join(data, "sigma/rules");
const rounds = Number(values.rounds);
const wantedEvents = Number(values.events);
const folder = mkdtempSync(join(tmpdir(), "wache-bench-"));
const emptyLane = join(folder, "empty");
const peer = findPeer(process.env);
const mappings = await loadMappings([shippedMappings()]);

type Rounds = {
  readonly wache: Figures[];
  readonly floor: Figures[];
  readonly peer: PeerFigures[];
  readonly peerLoad: PeerFigures[]; // each beside the one of `peer`, as slow or fast as the machine is then
};

async function main(): Promise<void> {
  console.log(`${rounds} rounds, ${wantedEvents.toLocaleString("en")} events a lane, ${rules}`);
  if (peer === undefined) console.log("rsigma is not installed (RSIGMA or PATH): Wache runs alone");
  writeFileSync(emptyLane, "");
  row("lane", [
    ...["wache ev/s", "rsigma ev/s", "ratio", "cold ev/s", "cold ratio"],
    ...["floor ev/s", "of floor", "matches"],
  ]);
  const all: Rounds[] = [];
  for (const lane of values.lanes.split(",")) {
    const path = await cycled(lane);
    const found = await runLane(path);
    all.push(found);
    laneRow(lane, found);
    if (lane === "lab_windows" && !values["no-scale"]) await scale(path);
    rmSync(path);
  }
  loadRows(all);
}

/** The three in turn, so that what else the machine does concerns all alike. */
async function runLane(lane: string): Promise<Rounds> {
  const found: Rounds = { wache: [], floor: [], peer: [], peerLoad: [] };
  for (let round = 0; round < rounds; round++) {
    found.floor.push(await work({ kind: "floor", lane, rules, share: 1 }));
    found.wache.push(await work({ kind: "wache", lane, rules, share: 1 }));
    if (peer === undefined) continue;
    found.peerLoad.push(await runPeer(peer, { rules, lane: emptyLane }));
    found.peer.push(await runPeer(peer, { rules, lane }));
  }
  return found;
}

async function work(task: Task): Promise<Figures> {
  const file = join(import.meta.dirname, "match-work.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...NODE_FLAGS,
    file,
    JSON.stringify(task),
  ]);
  return JSON.parse(stdout) as Figures;
}

/** The lane again and again, as a file of so many events. */
async function cycled(lane: string): Promise<string> {
  const text = gunzipSync(readFileSync(join(data, `lanes/${lane}.ndjson.gz`))).toString("utf8");
  const lines = text.trimEnd().split("\n");
  const path = join(folder, `${lane}.ndjson`);
  function* parts(): Generator<string> {
    for (let left = wantedEvents; left > 0; left -= lines.length)
      yield `${lines.slice(0, left).join("\n")}\n`;
  }
  await pipeline(Readable.from(parts()), createWriteStream(path));
  writeFileSync(`${path}.sources`, JSON.stringify(sourcesOf(lines)));
  return path;
}

/** The distinct sets of log sources that the events belong to. */
function sourcesOf(lines: readonly string[]): readonly unknown[] {
  const names = lines.map((line) => {
    const event = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return JSON.stringify(formOf(event, mappings).sources);
  });
  return [...new Set(names)].map((name) => JSON.parse(name) as unknown);
}

function laneRow(lane: string, { wache, floor, peer: others, peerLoad }: Rounds): void {
  const rate = (cpuMs: readonly number[]): number => wantedEvents / (median(cpuMs) / 1000);
  const ours = rate(wache.map(({ warmCpuMs }) => warmCpuMs));
  const cold = rate(wache.map(({ coldCpuMs }) => coldCpuMs));
  const least = rate(floor.map(({ warmCpuMs }) => warmCpuMs));
  const theirs = rate(others.map(({ cpuMs }, round) => cpuMs - (peerLoad[round]?.cpuMs ?? 0)));
  const ratio = (own: number): string =>
    others.length === 0 ? "–" : `${(own / theirs).toFixed(2)}×`;
  row(lane, [
    ...[shown(ours), others.length === 0 ? "–" : shown(theirs), ratio(ours)],
    ...[shown(cold), ratio(cold)],
    ...[shown(least), `${Math.round((ours / least) * 100)} %`, shown(wache[0]?.matches ?? 0)],
  ]);
}

async function scale(lane: string): Promise<void> {
  const found = new Map<number, Figures[]>(SHARES.map((share) => [share, []]));
  for (let round = 0; round < rounds; round++)
    for (const share of SHARES)
      found.get(share)?.push(await work({ kind: "wache", lane, rules, share }));
  const costUs = (share: number): number =>
    (median((found.get(share) ?? []).map(({ warmCpuMs }) => warmCpuMs)) * 1000) / wantedEvents;
  for (const share of SHARES) {
    const [first] = found.get(share) ?? [];
    row(`  ${share * 100} % of the rules`, [
      `${costUs(share).toFixed(1)} µs/ev`,
      `${(costUs(share) / costUs(1)).toFixed(2)}× of 100 %`,
      `${shown(first?.rules ?? 0)} rules`,
      `${shown(median((found.get(share) ?? []).map(({ memoryMiB }) => memoryMiB)))} MiB`,
    ]);
  }
}

function loadRows(all: readonly Rounds[]): void {
  const ours = all.flatMap(({ wache }) => wache);
  const most = (some: readonly { readonly memoryMiB: number }[]): string =>
    `${shown(Math.max(0, ...some.map(({ memoryMiB }) => memoryMiB)))} MiB`;
  row("load", [
    `${shown(median(ours.map(({ loadMs }) => loadMs)))} ms`,
    peer === undefined
      ? "–"
      : `${shown(median(all.flatMap(({ peerLoad }) => peerLoad.map(({ cpuMs }) => cpuMs))))} ms CPU`,
    `(wache ${shown(median(ours.map(({ loadCpuMs }) => loadCpuMs)))} ms CPU)`,
  ]);
  const theirs = peer === undefined ? "–" : most(all.flatMap(({ peer: others }) => others));
  row("memory, the most", [most(ours), theirs]);
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true });
}

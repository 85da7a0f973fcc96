// match-work.ts — one measured run of the matcher, alone in its process: loads rules, reads a lane, prints figures as JSON.
//
// In:    the task as JSON: what to do, the lane's file, the rules' folder, how much of the rules.
import { createReadStream, readFileSync } from "node:fs";
import { Evaluation } from "../cli/eval/evaluation.ts";
import { eachLine } from "../cli/eval/text-lines.ts";
import type { LogSource } from "../core/event.ts";
import { loadMappings, shippedMappings } from "../core/mappings.ts";
import { ruleDisk } from "../correlator/sigma/disk.ts";
import { loadRules } from "../correlator/sigma/load.ts";
import { multiplied } from "./more-rules.ts";
import { mostMemoryMiB } from "./peer.ts";

export type Task = {
  readonly kind: "wache" | "floor"; // floor: reading and JSON.parse alone
  readonly lane: string;
  readonly rules: string;
  readonly share: number; // of the rules: 0.1, 1, 10
};
export type Figures = {
  readonly events: number;
  readonly matches: number;
  readonly rules: number;
  readonly loadMs: number;
  readonly loadCpuMs: number;
  readonly cpuMs: number; // net of loading
  readonly memoryMiB: number; // the most
};

const CHUNK_BYTES = 256 * 1024;
const BOUNDS = { matchesMax: 10_000, valuesMax: 100_000, groupsMax: 500_000, evidenceMax: 20 };
const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};
const read = (path: string) => createReadStream(path, { highWaterMark: CHUNK_BYTES });

async function floor({ lane }: Task): Promise<Figures> {
  let events = 0;
  const start = process.cpuUsage();
  await eachLine(read(lane), (line) => {
    JSON.parse(line ?? "");
    events += 1;
  });
  const none = { matches: 0, rules: 0, loadMs: 0, loadCpuMs: 0 };
  return { events, ...none, cpuMs: cpuMs(start), memoryMiB: mostMemoryMiB("self") };
}

/** A running Wache knows them when rules are reloaded, and makes its index for them as a part of loading. */
function sourcesIn(lane: string): readonly (readonly LogSource[])[] {
  return JSON.parse(readFileSync(`${lane}.sources`, "utf8")) as LogSource[][];
}

async function wache({ lane, rules, share }: Task): Promise<Figures> {
  const loadStart = process.cpuUsage();
  const fromMs = performance.now();
  const mappings = await loadMappings([shippedMappings()]);
  const folders = [{ path: rules, lenient: true }];
  const { set } = await loadRules(folders, ruleDisk, { mapField: mappings.field });
  if (!set) throw new Error(`no rule loads from ${rules}`);
  const whole = multiplied(set, share);
  const evaluation = new Evaluation(whole, { mappings, bounds: BOUNDS });
  evaluation.prepare(sourcesIn(lane));
  const loaded = { loadMs: performance.now() - fromMs, loadCpuMs: cpuMs(loadStart) };
  const start = process.cpuUsage();
  let written = 0;
  await eachLine(read(lane), (line, number) => {
    written += evaluation.evaluate(line, number).length;
  });
  const { events, matches } = evaluation.counts;
  if (matches > 0 && written === 0) throw new Error("nothing was written");
  const figures = { cpuMs: cpuMs(start), memoryMiB: mostMemoryMiB("self") };
  return { events, matches, rules: whole.detections.length, ...loaded, ...figures };
}

const task = JSON.parse(process.argv[2] ?? "{}") as Task;
console.log(JSON.stringify(await (task.kind === "floor" ? floor(task) : wache(task))));

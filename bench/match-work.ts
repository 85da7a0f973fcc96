// match-work.ts — one measured run of the matcher, alone in its process: loads rules, reads a lane, prints figures as JSON.
//
// In:    the task as JSON: what to do, the lane's file, the rules' folder, how much of the rules.
import { readFileSync } from "node:fs";
import { Evaluation } from "../cli/eval/evaluation.ts";
import { eachLine } from "../cli/eval/text-lines.ts";
import { openBytes } from "../cli/lines.ts";
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
  readonly coldCpuMs: number; // net of loading, of a process that has just started
  readonly warmCpuMs: number; // of the same events the third time
  readonly memoryMiB: number; // the most
};

const BOUNDS = { matchesMax: 10_000, valuesMax: 100_000, groupsMax: 500_000, evidenceMax: 20 };
const PASSES = 3;
const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};

async function floor({ lane }: Task): Promise<Figures> {
  const passes = await inPasses(lane, (line) => void JSON.parse(line));
  const none = { matches: 0, rules: 0, loadMs: 0, loadCpuMs: 0 };
  return { ...none, ...passes, memoryMiB: mostMemoryMiB("self") };
}

/** V8 compiles what runs often while the first events go by: a server pays for that once. */
async function inPasses(
  lane: string,
  each: (line: string, number: number) => void,
): Promise<Pick<Figures, "events" | "coldCpuMs" | "warmCpuMs">> {
  let events = 0;
  let coldCpuMs: number | undefined;
  let warmCpuMs = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    const start = process.cpuUsage();
    events = 0;
    await eachLine(await openBytes(lane), (line, number) => {
      each(line ?? "", number);
      events += 1;
    });
    warmCpuMs = cpuMs(start);
    coldCpuMs ??= warmCpuMs;
  }
  return { events, coldCpuMs: coldCpuMs ?? 0, warmCpuMs };
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
  let written = 0;
  const passes = await inPasses(lane, (line, number) => {
    written += evaluation.evaluate(line, number).length;
  });
  const matches = evaluation.counts.matches / PASSES;
  if (matches > 0 && written === 0) throw new Error("nothing was written");
  const rulesCount = whole.detections.length;
  return { ...loaded, ...passes, matches, rules: rulesCount, memoryMiB: mostMemoryMiB("self") };
}

const task = JSON.parse(process.argv[2] ?? "{}") as Task;
console.log(JSON.stringify(await (task.kind === "floor" ? floor(task) : wache(task))));

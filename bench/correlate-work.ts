// correlate-work.ts — one measured run of detection and windows, alone in its process: reads a lane, prints figures as JSON.
//
// In:    the task as JSON: what to do, the lane's file, the rules' file, the bounds.
// Why:   one file a run, so that no run finds another's garbage or compiled code.
import { Evaluation } from "../cli/eval/evaluation.ts";
import { eachLine } from "../cli/eval/text-lines.ts";
import { openBytes } from "../cli/lines.ts";
import { loadMappings, shippedMappings } from "../core/mappings.ts";
import { ruleDisk } from "../correlator/sigma/disk.ts";
import { loadRules } from "../correlator/sigma/load.ts";
import type { Bounds } from "../correlator/windows/rule-windows.ts";
import { measureState, type StateFigures } from "./correlate-state.ts";

export type CorrelateTask = {
  readonly kind: "findings" | "state";
  readonly lane: string;
  readonly rules: string;
  readonly bounds: Bounds;
  readonly latenessMs: number;
};
export type FindingFigures = {
  readonly events: number;
  readonly coldCpuMs: number; // net of loading the rules, of a process that has just started
  readonly warmCpuMs: number; // of one that did the same before
  readonly findings: number;
  readonly bounded: number; // findings that say so
  readonly evicted: number; // groups
  readonly overdue: number;
};

const task = JSON.parse(process.argv[2] ?? "{}") as CorrelateTask;
const mappings = await loadMappings([shippedMappings()]);
const loaded = await loadRules([{ path: task.rules, lenient: false }], ruleDisk, {
  mapField: mappings.field,
});
if (!loaded.set) throw new Error(`${task.rules} does not load`);
const { set } = loaded;
const figures: FindingFigures | StateFigures =
  task.kind === "findings"
    ? await measureFindings()
    : await measureState({ ...task, set, mappings, chunks: await openBytes(task.lane) });
console.log(JSON.stringify(figures));

/** As `wache eval --lateness` does it: every line, then the findings. Twice: V8 compiles during the first time. */
async function measureFindings(): Promise<FindingFigures> {
  const { cpuMs: coldCpuMs } = await measureOnce();
  const { cpuMs: warmCpuMs, ...figures } = await measureOnce();
  return { ...figures, coldCpuMs, warmCpuMs };
}

async function measureOnce(): Promise<
  Omit<FindingFigures, "coldCpuMs" | "warmCpuMs"> & { readonly cpuMs: number }
> {
  const { bounds, latenessMs } = task;
  const evaluation = new Evaluation(set, { mappings, bounds, latenessMs });
  const start = process.cpuUsage();
  await eachLine(await openBytes(task.lane), (line, number) => {
    evaluation.evaluate(line, number);
  });
  let findings = 0;
  let bounded = 0;
  for (const line of evaluation.end()) {
    findings += 1;
    if (line.includes('"bounded":true')) bounded += 1;
  }
  const { user, system } = process.cpuUsage(start);
  const { evicted = 0 } = evaluation.streamCounts ?? {};
  const { overdue } = evaluation.counts;
  return {
    events: evaluation.counts.events,
    cpuMs: (user + system) / 1000,
    findings,
    bounded,
    evicted,
    overdue,
  };
}

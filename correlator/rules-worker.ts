// rules-worker.ts — runs in a worker: reads and links the rules of folders, and hands the set over slice by slice.
//
// Holds: no slice is much larger than `nodesPerSlice`, so that taking one in holds nobody up.
import { parentPort } from "node:worker_threads";
import { answerCalls } from "../core/worker-calls.ts";
import { ruleDisk } from "./sigma/disk.ts";
import { loadRules } from "./sigma/load.ts";
import type { DetectionRule, Expression, LoadedRules, RuleSet } from "./sigma/rule.ts";

const nodesPerSlice = 1000;

export type RuleFolders = readonly { readonly path: string; readonly lenient: boolean }[];
export type RulesReading = {
  readonly mappings: readonly string[]; // folders
  readonly assets: readonly string[]; // folders
  readonly placeholders: ReadonlyMap<string, readonly string[]>;
};
/** What was loaded, without the detections: they come in slices. */
export type Outline = Omit<LoadedRules, "set" | "mappings"> & {
  readonly set?: Omit<RuleSet, "detections">;
};

let left: readonly DetectionRule[] = [];

const calls = {
  load: async (folders: RuleFolders, reading: RulesReading): Promise<Outline> => {
    const { set, mappings: _, ...rest } = await loadRules(folders, ruleDisk, reading);
    if (set === undefined) return rest;
    const { detections, ...outline } = set;
    left = detections;
    return { ...rest, set: outline };
  },
  /** The next detections; none when all were given. */
  slice: (): readonly DetectionRule[] => {
    let nodes = 0;
    let count = 0;
    for (; count < left.length && nodes < nodesPerSlice; count += 1)
      nodes += nodesOf(left[count]?.condition);
    const slice = left.slice(0, count);
    left = left.slice(count);
    return slice;
  },
  close: () => {},
};
export type RulesWorker = typeof calls;

function nodesOf(expression: Expression | undefined): number {
  switch (expression?.kind) {
    case "and":
    case "or":
      return expression.of.reduce((sum, one) => sum + nodesOf(one), 1);
    case "not":
    case "selection":
      return 1 + nodesOf(expression.of);
    default:
      return 1;
  }
}

if (parentPort) answerCalls(parentPort, calls);

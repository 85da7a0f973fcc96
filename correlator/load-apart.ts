// load-apart.ts — loads rules in a worker, so that matching goes on meanwhile.
import { besideModule, startWorker } from "../core/worker-calls.ts";
import type { RuleFolders, RulesReading, RulesWorker } from "./rules-worker.ts";
import type { DetectionRule, LoadedRules } from "./sigma/rule.ts";

export async function loadApart(folders: RuleFolders, reading: RulesReading): Promise<LoadedRules> {
  const worker = startWorker<RulesWorker>("the reader of rules", {
    url: besideModule(import.meta.url, "rules-worker"),
    data: undefined,
  });
  try {
    const { set, ...rest } = await worker.call("load", folders, reading);
    if (set === undefined) return rest;
    const detections: DetectionRule[] = [];
    for (;;) {
      const slice = await worker.call("slice");
      if (slice.length === 0) return { ...rest, set: { ...set, detections } };
      detections.push(...slice);
    }
  } finally {
    await worker.close();
  }
}

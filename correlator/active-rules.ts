// active-rules.ts — the rules in force, and their replacement while running.
//
// Holds: a set goes live as a whole or not at all; what is refused is said with file, line and reason, and the running
//        set stays. A start with a set that does not compile is refused.
import { stat } from "node:fs/promises";
import { Gauge } from "prom-client";
import { messageOf, UserError } from "../core/errors.ts";
import { idOf } from "../core/event.ts";
import { mappingFolders } from "../core/mappings.ts";
import type { ServiceContext } from "../core/service.ts";
import type { ActiveRules } from "./detection.ts";
import { loadApart } from "./load-apart.ts";
import { indexedMatcher } from "./match/indexed.ts";
import { ruleDisk } from "./sigma/disk.ts";
import type { LoadedRules, Problem } from "./sigma/rule.ts";
import { thresholdWarnings } from "./threshold-warnings.ts";

const LOOK_EVERY_MS = 2000;
const SLICE_MS = 10;
const PROBLEMS_SHOWN_MAX = 20;
const RULES_LISTED_MAX = 10_000;

export type RulesInForce = { readonly current: () => ActiveRules; readonly stop: () => void };

export async function rulesInForce(context: ServiceContext): Promise<RulesInForce> {
  const { clock, rulesDirs, log, metrics } = context;
  const placeholders = new Map(Object.entries(context.config.correlator.placeholders));
  const refused = new Gauge({
    name: "wache_rules_refused",
    help: "1 while the rules on disk are refused and the set before stays in force",
    registers: [metrics],
  });
  const mappings = mappingFolders(context.config);
  const { assets } = context.config.correlator;
  const reading = { mappings, placeholders, assets };
  const watched = [...rulesDirs.map(({ path }) => path), ...mappings, ...assets];
  let mark = await markOf(watched);
  const first = await loadApart(rulesDirs, reading);
  if (!first.set)
    throw new UserError(
      "rules.refused",
      `the rules do not load, so nothing would be detected:\n${listed(first.problems)}\nmend them, or check with: wache rules validate`,
      { exitCode: 1 },
    );
  let matcher = indexedMatcher(first.set);
  let active: ActiveRules = { set: first.set, matcher };
  show(context, active, first);
  let looking = false;
  let isRefused = false;
  const look = async () => {
    const next = await markOf(watched);
    if (next === mark) return;
    mark = next;
    const loaded = await loadApart(rulesDirs, reading);
    const wasRefused = isRefused;
    isRefused = loaded.set === undefined;
    refused.set(isRefused ? 1 : 0);
    if (!loaded.set) return showRefused(context, active, loaded);
    if (loaded.set.version === active.set.version) {
      if (wasRefused) log.info("the rules load again, and are those that are in force");
      return show(context, active, loaded);
    }
    const fresh = indexedMatcher(loaded.set);
    await inSlices(fresh.prepare(matcher.seen()), clock);
    matcher = fresh;
    active = { set: loaded.set, matcher };
    log.info(
      { detections: loaded.set.detections.length, correlations: loaded.set.correlations.length },
      "rules reloaded",
    );
    show(context, active, loaded);
  };
  const stop = clock.every(LOOK_EVERY_MS, () => {
    if (looking) return;
    looking = true;
    look()
      .catch((error: unknown) =>
        log.error({ err: error }, `looking for changed rules failed: ${messageOf(error)}`),
      )
      .finally(() => {
        looking = false;
      });
  });
  return { current: () => active, stop };
}

/** Works through the steps and lets others work in between. */
async function inSlices(steps: Iterable<void>, clock: ServiceContext["clock"]): Promise<void> {
  let sinceMs = clock.now();
  for (const _ of steps) {
    if (clock.now() - sinceMs < SLICE_MS) continue;
    await clock.sleep(0);
    sinceMs = clock.now();
  }
}

function showRefused(
  { log, status }: ServiceContext,
  active: ActiveRules,
  loaded: LoadedRules,
): void {
  log.error(
    { problems: loaded.problems.slice(0, PROBLEMS_SHOWN_MAX) },
    "the changed rules are refused; the running set stays",
  );
  status.set("rules", {
    ...{ ok: false, ready: true },
    text: `changed rules refused, the set before stays: ${listed(loaded.problems)}`,
    data: summary(active, loaded),
  });
}

function show(
  { config, log, status }: ServiceContext,
  active: ActiveRules,
  loaded: LoadedRules,
): void {
  const { detections, correlations } = active.set;
  const isEmpty = detections.length + correlations.length === 0;
  const nothing = isEmpty ? ", so nothing is detected" : "";
  if (isEmpty) log.warn("no rule is in force, so nothing is detected: look into the rule folders");
  const warnings = thresholdWarnings(loaded, config.correlator);
  if (warnings.length > 0)
    log.warn(
      { rules: warnings.slice(0, PROBLEMS_SHOWN_MAX) },
      `thresholds that a bound of groups is too low for:\n${listed(warnings)}`,
    );
  const left =
    loaded.leftOut.length === 0 ? "" : `, ${loaded.leftOut.length} left out of lenient folders`;
  status.set("rules", {
    ...(isEmpty ? { ok: false, ready: true } : { ok: true }),
    text: `${detections.length} detections and ${correlations.length} correlations in force${left}${nothing}`,
    data: summary(active, loaded),
  });
  if (loaded.assets !== undefined)
    status.set("assets", {
      ok: true,
      text: `${loaded.assets} known${loaded.assets === 0 ? ", as the files of correlator.assets list none" : ""}`,
      data: { count: loaded.assets },
    });
}

function summary({ set }: ActiveRules, { problems, leftOut }: LoadedRules): unknown {
  const rules = [...set.detections, ...set.correlations]
    .slice(0, RULES_LISTED_MAX)
    .map(({ about, version }) => ({ ...about, version }));
  return {
    version: set.version,
    count: set.detections.length + set.correlations.length,
    rules,
    problems: problems.slice(0, PROBLEMS_SHOWN_MAX),
    leftOut: leftOut.slice(0, PROBLEMS_SHOWN_MAX),
  };
}

const listed = (problems: readonly Problem[]): string =>
  problems
    .slice(0, PROBLEMS_SHOWN_MAX)
    .map(({ at, message }) => `  ${at}: ${message}`)
    .join("\n");

/** Changes whenever a file of the folders does: names, sizes and times of change. */
async function markOf(folders: readonly string[]): Promise<string> {
  const files = await Promise.all(folders.map((path) => ruleDisk.list(path).catch(() => [])));
  const marks = await Promise.all(
    files.flat().map(async (path) => {
      const found = await stat(path).catch(() => undefined);
      return found ? `${path} ${found.size} ${found.mtimeMs}` : path;
    }),
  );
  return idOf(...marks);
}

// indexed.ts — the matcher: a plan for each set of log sources that events come from, made when the first such event comes.
import type { LogSource } from "../../core/event.ts";
import type { RuleSet } from "../sigma/rule.ts";
import { BySources } from "./by-sources.ts";
import { Haystack } from "./haystack.ts";
import { KNOWN_VALUES_MAX } from "./known-values.ts";
import { looksAt, type Match, type Matcher } from "./matcher.ts";
import { Plan } from "./plan.ts";

const PLANS_MAX = 1000;
const NONE: readonly Match[] = [];

export type IndexedMatcher = Matcher & {
  /** The sets of log sources that events came from. */
  readonly seen: () => readonly (readonly LogSource[])[];
  /** Makes plans for them before the first event, in steps of some milliseconds. */
  readonly prepare: (seen: readonly (readonly LogSource[])[]) => Generator<void>;
};
type Planned = { readonly plan: Plan | undefined }; // none where no rule looks at the events

let ownHaystack: Haystack | undefined;

/** Matchers of a thread take turns with one haystack, event by event. */
export function indexedMatcher(set: RuleSet, haystack?: Haystack): IndexedMatcher {
  ownHaystack ??= new Haystack();
  const shared = { haystack: haystack ?? ownHaystack, room: { values: KNOWN_VALUES_MAX } };
  const words = set.detections.flatMap(({ logsource }) => Object.values(logsource));
  const bySources = new BySources<Planned>(new Set(words));
  const byRules = new Map<string, Plan>(); // sources that meet the same rules share a plan
  function* planned(sources: readonly LogSource[]): Generator<void, Planned> {
    const rules = set.detections.filter(({ logsource }) => looksAt(logsource, sources));
    if (rules.length === 0) return { plan: undefined };
    const same = rules.map(({ version }) => version).join();
    let plan = byRules.get(same);
    if (!plan) {
      plan = new Plan(shared);
      yield* plan.prepare(rules);
      if (byRules.size >= PLANS_MAX) byRules.clear();
      byRules.set(same, plan);
    }
    return { plan };
  }
  const atOnce = (sources: readonly LogSource[]): Planned => {
    const making = planned(sources);
    let step = making.next();
    while (!step.done) step = making.next();
    return step.value;
  };
  return {
    match: (event, sources, json) =>
      bySources.of(sources, () => atOnce(sources)).plan?.match(event, json) ?? NONE,
    seen: () => bySources.all(),
    prepare: function* (all) {
      for (const sources of all) bySources.set(sources, yield* planned(sources));
    },
  };
}

// indexed.ts — the matcher: a plan for each set of log sources that events come from, made when the first such event comes.
import type { LogSource } from "../../core/event.ts";
import type { RuleSet } from "../sigma/rule.ts";
import { Haystack } from "./haystack.ts";
import { KNOWN_VALUES_MAX } from "./known-values.ts";
import { looksAt, type Matcher } from "./matcher.ts";
import { Plan } from "./plan.ts";

const PLANS_MAX = 1000;

export type IndexedMatcher = Matcher & {
  /** The sets of log sources that events came from. */
  readonly seen: () => readonly (readonly LogSource[])[];
  /** Makes plans for them before the first event, in steps of some milliseconds. */
  readonly prepare: (seen: readonly (readonly LogSource[])[]) => Generator<void>;
};

export function indexedMatcher(set: RuleSet): IndexedMatcher {
  const shared = { haystack: new Haystack(), room: { values: KNOWN_VALUES_MAX } };
  const plans = new Map<string, Plan | undefined>();
  const seen = new Map<string, readonly LogSource[]>();
  const byRules = new Map<string, Plan>(); // sources that meet the same rules share a plan
  function* planned(name: string, sources: readonly LogSource[]): Generator<void> {
    const rules = set.detections.filter(({ logsource }) => looksAt(logsource, sources));
    const same = rules.map(({ version }) => version).join();
    let plan = byRules.get(same);
    if (!plan && rules.length > 0) {
      plan = new Plan(shared);
      yield* plan.prepare(rules);
    }
    if (plans.size >= PLANS_MAX) for (const map of [plans, seen, byRules]) map.clear();
    plans.set(name, plan);
    seen.set(name, sources);
    if (plan) byRules.set(same, plan);
  }
  return {
    match: (event, sources) => {
      const name = nameOf(sources);
      if (!plans.has(name)) for (const _ of planned(name, sources));
      return plans.get(name)?.match(event) ?? [];
    },
    seen: () => [...seen.values()],
    prepare: function* (all) {
      for (const sources of all) yield* planned(nameOf(sources), sources);
    },
  };
}

function nameOf(sources: readonly LogSource[]): string {
  let name = "";
  for (const { product, category, service } of sources)
    name += `${product ?? ""}\u0001${category ?? ""}\u0001${service ?? ""}\u0002`;
  return name;
}

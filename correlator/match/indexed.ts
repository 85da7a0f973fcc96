// indexed.ts — the matcher: a plan for each set of log sources that events come from, made when the first such event comes.
import type { LogSource } from "../../core/event.ts";
import type { RuleSet } from "../sigma/rule.ts";
import { Haystack } from "./haystack.ts";
import { looksAt, type Matcher } from "./matcher.ts";
import { Plan } from "./plan.ts";

const PLANS_MAX = 1000;

export function indexedMatcher(set: RuleSet): Matcher {
  const haystack = new Haystack();
  const plans = new Map<string, Plan | undefined>();
  const byRules = new Map<string, Plan>(); // sources that meet the same rules share a plan
  const planFor = (name: string, sources: readonly LogSource[]): Plan | undefined => {
    const rules = set.detections.filter(({ logsource }) => looksAt(logsource, sources));
    const same = rules.map(({ version }) => version).join();
    const plan = byRules.get(same) ?? (rules.length > 0 ? new Plan(rules, haystack) : undefined);
    if (plans.size >= PLANS_MAX) {
      plans.clear();
      byRules.clear();
    }
    plans.set(name, plan);
    if (plan) byRules.set(same, plan);
    return plan;
  };
  return {
    match: (event, sources) => {
      const name = nameOf(sources);
      const plan = plans.has(name) ? plans.get(name) : planFor(name, sources);
      return plan ? plan.match(event) : [];
    },
  };
}

function nameOf(sources: readonly LogSource[]): string {
  let name = "";
  for (const { product, category, service } of sources)
    name += `${product ?? ""}\u0001${category ?? ""}\u0001${service ?? ""}\u0002`;
  return name;
}

// rules.tsx — the rules in force.
import { get, type RuleAbout } from "../api.ts";
import { Severity } from "../parts/badges.tsx";
import { Failure } from "../parts/failure.tsx";
import { useLoaded } from "../use-loaded.ts";

export function RulesView() {
  const rules = useLoaded("rules", () => get<{ items: readonly RuleAbout[] }>("/rules"));
  return (
    <>
      <h1>Rules</h1>
      <Failure failure={rules.failure} />
      {rules.isLoading && <p>Loading …</p>}
      {rules.value !== undefined && <p class="dim">{rules.value.items.length} rules.</p>}
      <ul class="rules">
        {rules.value?.items.map((rule) => (
          <li key={rule.id}>
            <Severity level={rule.level} />
            <div>
              <strong>{rule.title}</strong>
              {rule.description !== undefined && <p class="prose">{rule.description}</p>}
              <p class="dim">{rule.tags.join(" · ")}</p>
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

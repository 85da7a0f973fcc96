// filter.ts — lays filters under the condition of the rules that they name.
//
// Why:   the specification's example suppresses what `condition: selection` describes; the reference tools let pass
//        what `condition: not selection` describes. A condition made of negations says what passes; any other says
//        what is suppressed. Both ways of writing the same filter suppress the same events (docs/sigma.md).
import type { Expression } from "./rule.ts";

type Filtering = { readonly body: { readonly condition: Expression } };

export function filtered(condition: Expression, filters: readonly Filtering[]): Expression {
  if (filters.length === 0) return condition;
  const passes = filters.map(
    ({ body }): Expression =>
      negative(body.condition) ? body.condition : { kind: "not", of: body.condition },
  );
  return { kind: "and", of: [condition, ...passes] };
}

function negative(expression: Expression): boolean {
  if (expression.kind === "not") return true;
  return (expression.kind === "and" || expression.kind === "or") && expression.of.every(negative);
}

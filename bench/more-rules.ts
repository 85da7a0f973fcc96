// more-rules.ts — a tenth of a rule set, or many times as many rules with changed values.
import type { DetectionRule, Expression, Predicate, RuleSet } from "../correlator/sigma/rule.ts";

/** `share` is 0.1, 1, 10, …: below 1 every n-th rule, above it so many copies of which each looks for other texts. */
export function multiplied(set: RuleSet, share: number): RuleSet {
  if (share === 1) return set;
  const { detections } = set;
  const rules =
    share < 1
      ? detections.filter((_, place) => place % Math.round(1 / share) === 0)
      : Array.from({ length: share }, (_, copy) =>
          copy === 0 ? detections : detections.map((rule) => changed(rule, copy)),
        ).flat();
  return { ...set, version: `${set.version}-${share}`, detections: rules, correlations: [] };
}

function changed(rule: DetectionRule, copy: number): DetectionRule {
  const known = new Map<Expression, Expression>(); // a selection that is used twice stays one object
  const walk = (expression: Expression): Expression => {
    const before = known.get(expression);
    if (before) return before;
    const after = walkInto(expression);
    known.set(expression, after);
    return after;
  };
  const walkInto = (expression: Expression): Expression => {
    switch (expression.kind) {
      case "predicate":
        return { ...expression, predicate: otherText(expression.predicate, copy) };
      case "and":
      case "or":
        return { ...expression, of: expression.of.map(walk) };
      case "not":
        return expression; // what a rule leaves out stays: otherwise copies match what the rule itself does not
      case "selection":
        return { ...expression, of: walk(expression.of) };
    }
  };
  return {
    ...rule,
    about: { ...rule.about, id: `${rule.about.id}-${copy}` },
    version: `${rule.version}-${copy}`,
    condition: walk(rule.condition),
  };
}

/** `\cmd.exe` becomes `\cmd1.exe`: what a text begins and ends with stays usual. */
const inside = (text: string, copy: number): string => {
  const middle = text.length >> 1;
  return `${text.slice(0, middle)}${copy}${text.slice(middle)}`;
};

function otherText(predicate: Predicate, copy: number): Predicate {
  switch (predicate.kind) {
    case "text":
      return { ...predicate, text: inside(predicate.text, copy) };
    case "pattern":
      return {
        ...predicate,
        tokens: predicate.tokens.map((token) =>
          token.kind === "text" ? { ...token, text: inside(token.text, copy) } : token,
        ),
      };
    case "regex":
      return { ...predicate, source: otherSource(predicate.source, copy) };
    default:
      return predicate;
  }
}

/** Flags stand at the beginning, as rules write them. */
function otherSource(source: string, copy: number): string {
  const [flags = ""] = /^\(\?[ims]+\)/.exec(source) ?? [];
  return `${flags}(?:${source.slice(flags.length)})${copy}`;
}

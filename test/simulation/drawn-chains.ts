// drawn-chains.ts — what an absence feeds: correlations that ask whether something did not come, and absences of that.
//
// Holds: what is drawn here moves no other draw of the seed: its chance is made from the rules.
import { type Chance, chanceOf, hashed } from "./chance.ts";
import {
  type DrawnCorrelation,
  type DrawnRule,
  drawAbsence,
  drawCorrelation,
  GROUP_FIELDS,
} from "./drawn-rules.ts";

const SHARE = 0.3; // of the seeds that await something

/** With one or two above an absence, at times. */
export function withChains(rules: readonly DrawnRule[]): readonly DrawnRule[] {
  const chance = chanceOf(hashed(JSON.stringify(rules), 6));
  const absences = rules.filter((rule) => rule.kind === "correlation" && rule.awaiting);
  if (absences.length === 0 || !chance.is(SHARE)) return rules;
  const done = [...rules];
  for (let index = 0; index < chance.one([1, 1, 2]); index++) {
    const below = chance.one([...absences, ...done.slice(rules.length)]);
    const others = chance.shuffled(done.filter((rule) => rule !== below));
    const name = `u${index}`;
    done.push(
      chance.is(0.3)
        ? drawAbsence(chance, name, below)
        : asking(chance, drawCorrelation(chance, name, [below, ...others]), done),
    );
  }
  return done;
}

/** At times for any fields that come up to it, which the rules below need not be grouped by. */
function asking(
  chance: Chance,
  rule: DrawnCorrelation,
  before: readonly DrawnRule[],
): DrawnCorrelation {
  if (!chance.is(0.5)) return rule;
  const known = carriedFrom(rule, before);
  const most = Math.min(known.length, chance.int(1, 2));
  return { ...rule, groupBy: chance.some(known, most) };
}

/** What is there of each match that the rules below make. */
const carriedFrom = (rule: DrawnCorrelation, rules: readonly DrawnRule[]): readonly string[] =>
  GROUP_FIELDS.filter((field) =>
    rules.every(
      (one) =>
        !rule.rules.includes(one.name) ||
        one.kind === "detection" ||
        one.groupBy.includes(field) ||
        (!one.awaiting && carriedFrom(one, rules).includes(field)),
    ),
  );

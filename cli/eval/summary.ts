// summary.ts — what an evaluation tells at its end: how much was read and matched, and what no rule could read.
import { COMBINATIONS_MAX } from "../../correlator/combinations.ts";
import type { LeftOut } from "../../correlator/sigma/rule.ts";
import { noneMissed } from "../../correlator/signals.ts";
import { noCounts } from "../../correlator/windows/processor.ts";
import { counted, printable } from "../table.ts";
import { APART, type Evaluation, NO_SOURCE } from "./evaluation.ts";

const SHOWN_MAX = 10;

export type Summary = {
  readonly lines: number;
  readonly events: number;
  readonly forms: Readonly<Record<string, number>>;
  readonly matches: number;
  readonly matchedEvents: number;
  readonly matchedRules: number;
  readonly findings: number;
  readonly timeless: number;
  readonly implausible: number;
  readonly ahead: number;
  readonly groupless: number;
  readonly valueless: number;
  readonly cutGroups: number; // matches of which not all groups, or values, were counted
  readonly cutValues: number;
  readonly overdue: number;
  readonly repeated: number; // counted once
  readonly evicted: number; // groups that gave way to others
  readonly forgotten: number; // matches of groups that had too many
  readonly unreadable: number;
  readonly faults: readonly { readonly line: number; readonly reason: string }[];
  readonly noRule: number;
  readonly noRuleSources: readonly { readonly source: string; readonly events: number }[];
};

const NOTHING = { ...noCounts(), ...noneMissed() };

export function summaryOf(evaluation: Evaluation, findings: number): Summary {
  const { forms, unmatched, ...counts } = evaluation.counts;
  const seen = evaluation.streamCounts ?? NOTHING;
  const { missedGroups, missedValues, groupless, valueless } = seen;
  const { cutGroups, cutValues, evicted, forgotten } = seen;
  const sources = [...unmatched].map(([source, { count }]) => ({ source, events: count }));
  return {
    ...counts,
    forms: Object.fromEntries(Object.entries(forms).filter(([, count]) => count > 0)),
    matchedRules: evaluation.matchedRules.size,
    findings,
    groupless: missedGroups + groupless,
    valueless: missedValues + valueless,
    ...{ cutGroups, cutValues, evicted, forgotten },
    noRule: sources.reduce((sum, { events }) => sum + events, 0),
    noRuleSources: sources.sort((a, b) => b.events - a.events).slice(0, SHOWN_MAX),
  };
}

export function summaryLines(summary: Summary): string[] {
  const { events, matches, matchedRules, matchedEvents, forms } = summary;
  const shown = Object.entries(forms).map(([form, count]) => `${count} ${form}`);
  return [
    `${counted(events, "event")}${shown.length === 0 ? "" : ` (${shown.join(", ")})`}, ${matches} matched by ${counted(matchedRules, "rule")} in ${counted(matchedEvents, "event")}${summary.findings === 0 ? "" : `, ${counted(summary.findings, "finding")} of correlations`}`,
    ...unreadLines(summary),
    ...boundLines(summary),
  ];
}

/** What no rule could read, and what correlations could not count. */
function unreadLines(summary: Summary): string[] {
  const { unreadable, faults, noRule, noRuleSources, timeless, groupless } = summary;
  const { valueless, overdue, repeated, implausible, ahead } = summary;
  const lines: string[] = [];
  if (unreadable > 0) {
    const more = unreadable > faults.length ? `; and ${unreadable - faults.length} more` : "";
    const named = faults.map(({ line, reason }) => `line ${line + 1}: ${reason}`).join("; ");
    lines.push(`${counted(unreadable, "line")} left out, no JSON objects: ${named}${more}`);
    const isApart = faults.some(({ reason }) => reason === APART);
    if (isApart) lines.push("write each event as one line, as `jq -c '.[]?'` does of a list");
    else if (summary.events === 0)
      lines.push("if these are lines of a log, --logs reads them as wache send does");
  }
  if (noRule > 0) {
    const named = noRuleSources.map(
      ({ source, events }) =>
        `${source === NO_SOURCE ? "none, as they say no product, category or service and no mapping knows them" : printable(source)} (${events})`,
    );
    lines.push(`log sources that no rule looks at: ${named.join(", ")}; in all ${noRule}`);
  }
  if (timeless > 0)
    lines.push(
      `${counted(timeless, "event")} without a time: not correlated (a running Wache takes the time of receipt, --logs that of the line before)`,
    );
  if (implausible > 0)
    lines.push(
      `${counted(implausible, "event")} before 1980 or, when it came, more than a day ahead: not correlated`,
    );
  if (ahead > 0)
    lines.push(
      `${counted(ahead, "event")} more than a day ahead of now: a running Wache does not correlate such events`,
    );
  if (groupless > 0)
    lines.push(`${counted(groupless, "time")} the field of a group-by was missing: not correlated`);
  if (valueless > 0)
    lines.push(
      `${counted(valueless, "time")} the field of a condition had no value (or no number): not correlated`,
    );
  if (summary.cutGroups > 0)
    lines.push(
      `${counted(summary.cutGroups, "time")} an event had more groups than one may add: the first ${COMBINATIONS_MAX} were correlated`,
    );
  if (summary.cutValues > 0)
    lines.push(
      `${counted(summary.cutValues, "time")} an event had more values of a condition than one may add: the first ones were correlated`,
    );
  if (overdue > 0) lines.push(`${counted(overdue, "event")} later than --lateness: not correlated`);
  if (repeated > 0)
    lines.push(
      `${counted(repeated, "event")} had an id that came before: in a group each counts once`,
    );
  return lines;
}

/** What correlations could not keep. */
function boundLines({ evicted, forgotten }: Summary): string[] {
  const lines: string[] = [];
  if (evicted > 0)
    lines.push(
      `${counted(evicted, "group")} gave way to others, as correlator.groupsMax was reached: findings that may lack matches say bounded`,
    );
  if (forgotten > 0)
    lines.push(
      `${counted(forgotten, "counted event")} forgotten, as their groups reached correlator.matchesMax or correlator.valuesMax: their findings say bounded`,
    );
  return lines;
}

export function leftOutLines(leftOut: readonly LeftOut[]): string[] {
  const lines = leftOut
    .slice(0, SHOWN_MAX)
    .map(
      ({ at, problems: [first] }) => `${first?.at ?? at}: left out: ${first?.message ?? "refused"}`,
    );
  const more = leftOut.length - lines.length;
  return more > 0 ? [...lines, `… and ${more} more are left out`] : lines;
}

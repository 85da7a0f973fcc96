// points.ts — what a correlation hands to those above it: each match with which its condition held.
//
// Holds: a field that the correlation is grouped by has the group's value, another one those of the match's event. What is
//        carried further up is the event's too, whatever group it was in; rules below that name the field differently each
//        add what they mean, and the match is told again with that.
import type {
  Carried,
  CorrelationFeed,
  CorrelationRule,
  EventValues,
  Signal,
} from "../../core/records.ts";
import { areCut, asEventValues, combinationsOf, distinctOf } from "../combinations.ts";
import { numberOf } from "../decimal.ts";
import type { Group } from "./group.ts";
import { carriedIn, type Member } from "./members.ts";
import { matchOf, Signals } from "./signal-records.ts";

export type Point = {
  readonly group: Pick<Group, "values"> & { readonly page?: boolean };
  readonly member: Member;
  readonly bounded: boolean; // its correlation may lack matches
};
type Lacking = { groupless: number; valueless: number };

export function pointSignals(
  stream: string,
  rule: CorrelationRule,
  { group, member, bounded }: Point,
  counts: Lacking,
): readonly Signal[] {
  const { id, timeMs, carried = NONE } = member;
  const base = { stream, id, timeMs, ...(group.page && { page: true as const }) };
  const ofEvent = (name: string): readonly string[] => carriedIn(carried, name);
  const known = (name: string): readonly string[] => {
    const place = rule.groupBy.indexOf(name);
    return place < 0 ? ofEvent(name) : [group.values[place] ?? ""];
  };
  const signals = new Signals(base);
  for (const { version, place, groupBy, values: wanted, carried: further } of rule.feeds) {
    const groups = combinationsOf(groupBy.map((name) => distinct(known(name))));
    if (groups.length === 0) {
      counts.groupless += 1;
      continue;
    }
    const values = wanted && fedValues(wanted.fields.map(known), wanted.numbers);
    if (wanted && values === undefined) {
      counts.valueless += 1;
      continue;
    }
    // What did not come has no event: its group says what there is.
    const carriedOn = further && carriedFrom(further, rule.type === "absence" ? known : ofEvent);
    const isCut = wanted?.numbers === false && areCut(wanted.fields.map(known).map(distinct));
    const match = matchOf({ version, from: place }, values, carriedOn, bounded || isCut);
    for (const one of groups) signals.add(one, match);
  }
  return signals.all;
}

const NONE: Carried = {};

const carriedFrom = (
  further: NonNullable<CorrelationFeed["carried"]>,
  valuesOf: (name: string) => readonly string[],
): Carried => Object.fromEntries(further.map(({ name, from }) => [name, valuesOf(from)]));

function fedValues(
  fields: readonly (readonly string[])[],
  numbers: boolean,
): EventValues | undefined {
  return asEventValues(
    numbers
      ? (fields[0] ?? []).flatMap((text) => numberOf(text) ?? [])
      : distinctOf(fields.map(distinct)),
  );
}

const distinct = (values: readonly string[]): readonly string[] =>
  values.length > 1 ? [...new Set(values)] : values;

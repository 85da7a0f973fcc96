// plain.ts — tries every rule of an event's log sources in turn: the matcher that is plainly right.
//
// In:    an event.
// Out:   the detection rules that it satisfies, in the set's order.
// Holds: an event costs a bounded amount of work, whatever it carries.
import type { EcsEvent } from "../../core/event.ts";
import { fieldOf } from "../../core/event.ts";
import type { DetectionRule, EventField, RuleSet } from "../sigma/rule.ts";

export type Matcher = {
  readonly match: (event: EcsEvent) => readonly DetectionRule[];
};

export function compileRules(_set: RuleSet): Matcher {
  return { match: () => [] };
}

/** A field's value in an event: at the first of its paths that is present; undefined when none is. */
export function valueAt(event: EcsEvent, field: EventField): unknown {
  for (const path of field.paths) {
    const value = fieldOf(event, path);
    if (value !== undefined) return value;
  }
  return undefined;
}

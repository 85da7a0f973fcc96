// matcher.ts — what a matcher is: an event in, the rules that it satisfies out.
import type { LogSource } from "../../core/event.ts";
import type { DetectionRule } from "../sigma/rule.ts";

/** An event as a matcher reads it: plain JSON; nothing is changed. */
export type Readable = Readonly<Record<string, unknown>>;

export type Match = {
  readonly rule: DetectionRule;
  readonly event: Readable;
  readonly selections: readonly string[]; // those of the rule's condition that hold, in its order
};

export type Matcher = {
  /**
   * The matches of an event that belongs to these log sources, in the order of the rule set. With the event's JSON, where
   * that is at hand, matching costs less: it has each text of the event, written once or, as JSON in a text, twice, and
   * may have more; a number may be written otherwise.
   */
  readonly match: (
    event: Readable,
    sources: readonly LogSource[],
    json?: string,
  ) => readonly Match[];
};

/** A rule looks at an event if one of the event's sources has every word of the rule's. */
export function looksAt(wanted: LogSource, sources: readonly LogSource[]): boolean {
  const { product, category, service } = wanted;
  if (product === undefined && category === undefined && service === undefined) return true;
  return sources.some(
    (source) =>
      (product === undefined || source.product === product) &&
      (category === undefined || source.category === category) &&
      (service === undefined || source.service === service),
  );
}

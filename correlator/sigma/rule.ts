// rule.ts — what a Sigma rule is once it has been read: plain data that every matcher compiles from.
//
// Holds: nothing here refers to YAML; field names are already mapped; a condition is one tree, in which a selection
//        used twice is the same object twice.
import type { LogSource } from "../../core/event.ts";
import type { MappedField, Mappings } from "../../core/mappings.ts";
import type { CorrelationRule, RuleAbout } from "../../core/records.ts";

/** A field as the rule names it, and the event's paths that it may stand at: the first that is present counts. */
export type EventField = MappedField;

/** A wildcard pattern in pieces: literal text, `*` (any run of characters), `?` (one character). */
export type Token =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "any" }
  | { readonly kind: "one" };

export type Place = "whole" | "start" | "end" | "within";
export type TimePart = "minute" | "hour" | "day" | "week" | "month" | "year";
export type CompareOperator = "lt" | "lte" | "gt" | "gte" | "eq";

/** `field: null` is a keyword: any field of the event may hold it. Text of an uncased predicate is already folded. */
export type Predicate =
  | {
      readonly kind: "text"; // no wildcard in it
      readonly field: EventField | null;
      readonly place: Place;
      readonly text: string;
      readonly cased: boolean;
    }
  | {
      readonly kind: "pattern"; // covers the whole value
      readonly field: EventField | null;
      readonly tokens: readonly Token[];
      readonly cased: boolean;
    }
  | {
      readonly kind: "regex"; // found anywhere in the value unless anchored
      readonly field: EventField | null;
      readonly source: string;
      readonly flags: string; // of i, m, s, in this order
    }
  | {
      readonly kind: "number"; // a number, or its text
      readonly field: EventField | null;
      readonly value: number;
    }
  | { readonly kind: "boolean"; readonly field: EventField; readonly value: boolean }
  | { readonly kind: "null"; readonly field: EventField } // absent, or null
  | { readonly kind: "exists"; readonly field: EventField } // the key is there, whatever its value
  | {
      readonly kind: "cidr";
      readonly field: EventField;
      readonly network: string; // as written
      readonly bytes: readonly number[]; // 4 or 16
      readonly bits: number;
    }
  | {
      readonly kind: "compare";
      readonly field: EventField;
      readonly operator: CompareOperator;
      readonly value: number;
      readonly part?: TimePart; // compares this part of the field's date, in the zone that it is written in
    }
  | {
      readonly kind: "fieldref";
      readonly field: EventField;
      readonly other: EventField;
      readonly place: Place;
      readonly cased: boolean;
    };

export type Expression =
  | { readonly kind: "predicate"; readonly predicate: Predicate }
  | { readonly kind: "and"; readonly of: readonly Expression[] }
  | { readonly kind: "or"; readonly of: readonly Expression[] }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "selection"; readonly name: string; readonly of: Expression };

/** What `detect` needs in order to turn a match of this rule into a signal for one correlation. */
export type DetectionFeed = {
  readonly version: string; // of the correlation that is fed
  readonly place: number; // of this rule among those that feed it
  readonly groupBy: readonly EventField[]; // in the correlation's order, aliases resolved for this rule
  readonly valueFields: readonly EventField[]; // value_*: whose values count; else empty
  readonly numbers: boolean; // they count as numbers
  readonly carried: readonly { readonly name: string; readonly field: EventField }[]; // for correlations further up
};

/** A filter document in force over a rule. */
export type RuleFilter = {
  readonly title: string;
  readonly at: string; // file:line:column, for people
};

export type DetectionRule = {
  readonly about: RuleAbout;
  readonly version: string; // hash of log source and condition
  readonly logsource: LogSource;
  readonly condition: Expression; // its own, and what each filter lets pass
  readonly filters?: readonly RuleFilter[];
  readonly standalone: boolean; // a match is a finding by itself
  readonly feeds: readonly DetectionFeed[];
  readonly at: string; // file:line:column, for people
};

/** Every rule in force. Correlations stand in the order of their levels: what feeds comes before what is fed. */
export type RuleSet = {
  readonly version: string; // hash of everything in it, titles and texts too
  readonly detections: readonly DetectionRule[];
  readonly correlations: readonly CorrelationRule[];
};

/** Something wrong in a rule file, for the person who wrote it. */
export type Problem = {
  readonly code: string; // `rule.…`, stable
  readonly at: string; // file:line:column
  readonly message: string; // what was found, what is allowed
  readonly rule?: string; // id or title of the rule, where known
};

export type RuleFile = {
  readonly path: string;
  readonly text: string;
  readonly lenient: boolean;
};

export type LeftOut = {
  readonly at: string; // file:line:column of the document
  readonly rule?: string;
  readonly problems: readonly Problem[];
};

/** `set` is absent when a strict folder has a problem: the whole set is refused. */
export type LoadedRules = {
  readonly set?: RuleSet;
  readonly problems: readonly Problem[]; // what refuses the set
  readonly leftOut: readonly LeftOut[]; // of lenient folders
  readonly mappings?: Mappings; // where they were asked for
  readonly assets?: number; // that are known, where files of them are named
  readonly places?: ReadonlyMap<string, string>; // file:line:column of each correlation of the set, by its id
};

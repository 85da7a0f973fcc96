// records.ts — what each topic carries. Every value is plain JSON, told apart by `kind`.
import type { EcsEvent, LogSource } from "./event.ts";

export const TOPIC = {
  events: "wache.events",
  signals: "wache.signals",
  findings: "wache.findings",
  casework: "wache.casework",
  incidents: "wache.incidents",
  notifications: "wache.notifications",
  state: "wache.state",
  deadLetter: "wache.dead-letter",
} as const;
export type TopicName = (typeof TOPIC)[keyof typeof TOPIC];

/** "Nothing whose clock is before `atMs` will still come from `feeder` in this partition." */
export type Tick = {
  readonly kind: "tick";
  readonly stream: string;
  readonly feeder: string;
  readonly atMs: number; // live: receipt time; import: the stream's clock
  readonly level?: number; // signals only: 0 (absent) from detect, n from the correlations of level n - 1
  readonly idle?: true; // the feeder leaves until it speaks again
  readonly end?: true; // the stream ends here; nothing follows
  readonly fromMs?: number; // a stream that is all there: the earliest time of its events so far
  readonly untilMs?: number; // with `end`: how far the stream came; what is missing after it is nobody's fault
};

export type EventRecord = { readonly kind: "event"; readonly event: EcsEvent } | Tick;

export const LEVELS = ["informational", "low", "medium", "high", "critical"] as const;
export type Level = (typeof LEVELS)[number];

/** What people need to know of a rule, wherever its finding is read. */
export type RuleAbout = {
  readonly id: string;
  readonly name?: string;
  readonly title: string;
  readonly level: Level;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly references?: readonly string[];
  readonly falsepositives?: readonly string[];
};

export type Operator = "gt" | "gte" | "lt" | "lte" | "eq" | "neq";
export type CountCondition = {
  readonly [op in Operator]?: number;
} & {
  readonly field?: readonly string[]; // value_*: the fields that it is about
  readonly percentile?: number; // value_percentile: which one; absent: the share of a value, in percent
  readonly match?: RuleTest; // temporal, in place of numbers
  readonly orders?: readonly InOrder[]; // temporal_ordered, in place of numbers: one of these
};

/** Which rules must have matched in a window, by their places in `rules`; `without`: must not have. */
export type RuleTest =
  | { readonly rule: number }
  | { readonly without: number }
  | { readonly all: readonly RuleTest[] }
  | { readonly any: readonly RuleTest[] };
export type InOrder = { readonly rules: readonly number[]; readonly without: readonly number[] };

/** A correlation rule as `correlate` needs it: it travels in the signals topic, so that state follows from the log alone. */
export type CorrelationRule = {
  readonly version: string; // hash of its logic and of the logic of all that it refers to
  readonly about: RuleAbout;
  readonly type:
    | "event_count"
    | "value_count"
    | "value_sum"
    | "value_avg"
    | "value_median"
    | "value_percentile"
    | "temporal"
    | "temporal_ordered"
    | "absence";
  readonly spanMs: number;
  readonly groupBy: readonly string[];
  readonly condition: CountCondition;
  readonly rules: readonly string[]; // the ids of the rules that feed it
  readonly level: number; // 0: fed by detections only; n: fed by a correlation of level n - 1
  readonly generate: boolean; // its findings are shown even where another correlation uses it
  readonly feeds: readonly CorrelationFeed[]; // the correlations that use its findings
  readonly absence?: AbsenceRule; // of an absence
  readonly suppressMs?: number; // an episode that ends within it after one that was told is not told
  readonly escalate?: readonly Escalation[]; // counts from which the level is higher; both rise
  readonly assetLevels?: AssetLevels; // of groups that name one of them
};
export const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
export type Deadline = {
  readonly by: string; // HH:MM on the zone's clock
  readonly timezone: string; // IANA
  readonly days: readonly (typeof WEEKDAYS)[number][];
};
export type AbsenceRule = {
  readonly what: readonly string[]; // the names of the rules whose matches are waited for
  readonly deadline?: Deadline; // absent: the next match must come within the timespan
  readonly expected?: readonly (readonly string[])[]; // groups that always are, each as values in the order of groupBy
  readonly rememberMs?: number; // a group that was seen is expected as long
};
export type Escalation = { readonly count: number; readonly level: Level };
/** Names of assets in lower case, each with the level that a finding about it has at least. */
export type AssetLevels = readonly (readonly [name: string, level: Level])[];
export type CorrelationFeed = {
  readonly version: string; // of the correlation that is fed
  readonly place: number; // of this rule among those that feed it
  readonly groupBy: readonly string[]; // its group's names, each as this rule's findings know it
  readonly values?: { readonly fields: readonly string[]; readonly numbers: boolean }; // as DetectionFeed's
  readonly carried?: readonly { readonly name: string; readonly from: string }[]; // as this rule's events have it
};
/** Of an event, for correlations further up: the fields that those are grouped by or count, by the names of the next one. */
export type Carried = Readonly<Record<string, readonly string[]>>;

/** What an event means for one group: the matches that all correlations which so group count in it. */
export type Signal = {
  readonly kind: "signal";
  readonly stream: string;
  readonly group: readonly string[]; // the values of each correlation's groupBy, in its order
  readonly id: string; // the event's id; from a correlation: the event with which its condition held
  readonly timeMs: number;
  readonly matches: readonly SignalMatch[];
  readonly page?: true;
};
export type SignalMatch = {
  readonly version: string; // of the correlation rule
  readonly from: number; // which of its rules matched, by its place in `rules`
  readonly values?: EventValues; // value_*
  readonly carried?: Carried; // where a correlation further up asks for more than this one's groups tell
  readonly bounded?: true; // a bound was reached below: there may be less of it than there was
};
/** What one event adds: its distinct values, or its numbers; one number stands for itself. */
export type EventValues = readonly (string | number)[] | number;
export type RuleRecord = { readonly kind: "rule"; readonly rule: CorrelationRule };
/** From which rules a feeder's signals come now: that nothing came means something of these only. */
export type RulesRecord = {
  readonly kind: "rules";
  readonly feeder: string;
  readonly absences: readonly string[]; // versions
};
export type SignalRecord = Signal | RuleRecord | RulesRecord | Tick;

export type Finding = {
  readonly kind: "finding";
  readonly id: string;
  readonly revision: number; // the newest revision of an id counts
  readonly fingerprint: string; // rule and group, in one stream
  readonly stream: string;
  readonly rule: RuleAbout;
  readonly ruleVersion: string;
  readonly group: Readonly<Record<string, string>>;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly evidence: readonly string[]; // ids of events, the first and the last among them
  readonly supersedes?: readonly string[]; // earlier findings that this one replaces
  readonly withdrawn?: true; // told before it was seen that suppression covers it
  readonly bounded?: true; // a bound was reached, and matches may be missing: the count is a lower one
  readonly page?: true; // an import whose sender, or a backfill whose starter, asked for pages
  readonly backfilled?: true; // found in kept events, later than live would have: pages only where that was asked for
  readonly suppressed?: number; // further episodes that are not told; a lower bound while they go on
  readonly absence?: AbsenceAbout; // that something did not come; the count says how often it was missed
};
export type AbsenceAbout = {
  readonly what: readonly string[];
  readonly spanMs: number;
  readonly deadline?: Deadline;
  readonly sinceMs?: number; // when the last one came; absent: none ever did
  readonly expectedMs?: number; // where none ever came: since when it is expected
  readonly dueMs: number; // when one should have come at the latest
  readonly endedMs?: number; // when it came again, or when it was no longer expected
  readonly forgotten?: true; // it ended because it is no longer expected
};

/** How the casework partition learns who asked for what. `id` makes a repeated command harmless. */
export type Command = {
  readonly kind: "command";
  readonly id: string;
  readonly incident: string; // the incident's id
  readonly by: string; // who asked
  readonly atMs: number;
  readonly action:
    | { readonly do: "acknowledge" }
    | { readonly do: "assign"; readonly to: string }
    | { readonly do: "comment"; readonly text: string }
    | { readonly do: "close"; readonly reason: string };
};
export type CaseworkRecord =
  | {
      readonly kind: "case";
      readonly key: string;
      readonly finding: Finding;
      readonly atMs: number;
    }
  | (Command & { readonly key: string })
  | Tick;

export type IncidentStatus = "open" | "acknowledged" | "closed";
export type TimelineEntry = {
  readonly atMs: number;
  readonly kind:
    | "opened"
    | "finding"
    | "acknowledged"
    | "assigned"
    | "commented"
    | "closed"
    | "raised";
  readonly by?: string;
  readonly text: string;
  readonly ref?: string; // the finding's or command's id
};
export type Incident = {
  readonly kind: "incident";
  readonly id: string; // hash of the grouping key and how many came before it
  readonly revision: number;
  readonly key: string; // grouping key
  readonly number: number; // 1 for the key's first incident
  readonly stream: string;
  readonly replay: boolean; // from an import: marked, and pages only on request
  readonly status: IncidentStatus;
  readonly title: string;
  readonly severity: Level;
  readonly rule: RuleAbout;
  readonly group: Readonly<Record<string, string>>;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly openedMs: number;
  readonly updatedMs: number;
  readonly assignee?: string;
  readonly findings: readonly Finding[]; // unsuperseded, newest revisions
  readonly timeline: readonly TimelineEntry[];
  readonly bounded?: true;
};

export type Notification = {
  readonly kind: "notification";
  readonly id: string; // hash of incident, reason and channel
  readonly incident: Incident; // as it was when the message was written
  readonly reason: "opened" | "raised";
  readonly channel: string; // a name under alerting.channels
};
export type NotificationOutcome = {
  readonly kind: "outcome";
  readonly id: string;
  readonly channel: string;
  readonly incidentId: string;
  readonly outcome: "attempting" | "delivered" | "retry" | "failed";
  readonly attempt: number;
  readonly atMs: number;
  readonly retryAtMs?: number;
  readonly detail?: string;
  readonly by?: string; // whose attempt it is, as in its claim
  readonly uncertain?: true; // retry: the message may have arrived all the same (a time-out)
  readonly receivers?: Receivers;
};
/** Of a message to several: who needs no further attempt. */
export type Receivers = {
  readonly taken: readonly string[]; // they have it
  readonly refused: readonly string[]; // the other side refused them for good
};
/** Written by whoever takes over a partition of notifications: attempts that come after it count only when they are its own. */
export type NotificationClaim = {
  readonly kind: "claim";
  readonly by: string; // drawn anew each time
  readonly atMs: number;
};
export type NotificationRecord = Notification | NotificationOutcome | NotificationClaim;

export type DeadLetter = {
  readonly kind: "dead-letter";
  readonly id: string;
  readonly source: string;
  readonly reason: string; // for people
  readonly code: string; // stable
  readonly atMs: number;
  readonly from?: { readonly topic: string; readonly partition: number; readonly offset: number };
  readonly raw: string; // the bytes, base64 where they are not UTF-8
  readonly encoding: "utf8" | "base64";
  readonly line?: LetterLine; // of a collector's
};
/** What a line came with, for when it is parsed again. */
export type LetterLine = {
  readonly stream: string;
  readonly zone: string;
  readonly logSource?: LogSource; // the sender's own
  readonly address?: string;
  readonly path?: string;
  readonly page?: true;
  readonly yearHintMs?: number;
  readonly timeMs?: number;
  readonly shiftMs?: number;
  readonly truncatedBytes?: number; // how much of it is not in `raw`
};

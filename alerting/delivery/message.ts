// message.ts — what is said of an incident, for someone who was just woken: what, who, when, how much, where to look.
//
// In:    a notification. Out: words and facts that every channel renders in its own way.
// Holds: the same notification gives the same words; nothing in them can break a line of a header, and no character in them
//        turns others around or hides.
import type { Incident, Level, Notification } from "../../core/records.ts";
import { absenceFacts, absenceText, isMissing } from "../incidents/absence.ts";
import { utc } from "../incidents/timeline.ts";

export type Fact = { readonly label: string; readonly value: string };
export type Message = {
  readonly subject: string; // one line
  readonly severity: Level;
  readonly intro: string;
  readonly replay?: string; // said first where the incident comes from old logs
  readonly repeat?: string; // said first where the message may have arrived before
  readonly late?: string; // said first where it comes later than it was meant to
  readonly facts: readonly Fact[];
  readonly about?: string; // what the rule looks for
  readonly checks: readonly string[]; // what may be harmless
  readonly references: readonly string[];
  readonly url?: string;
  readonly where: string; // where to go on, also without a link
};

/** Over what the rule's description says: what happened, and what to do. */
export const ABOUT = "What the rule says";

const lineCharsMax = 200;
const valueCharsMax = 500;
const aboutCharsMax = 1500;
const groupsToldMax = 6;
const listToldMax = 5;

export function messageFor(
  { incident, reason }: Notification,
  options: {
    readonly publicUrl?: string | undefined;
    readonly repeatOfMs?: number | undefined;
    readonly isLate?: boolean;
  },
): Message {
  const { severity, rule } = incident;
  const url = incidentUrl(options.publicUrl, incident.id);
  const mark = incident.replay ? "Replay: " : "";
  return {
    subject: oneLine(`[${severity.toUpperCase()}] ${mark}${incident.title}`, lineCharsMax),
    severity,
    intro: introOf(incident, reason),
    ...(incident.replay && {
      replay: `Replay: found in old logs that were imported as ${oneLine(incident.stream, lineCharsMax)}, not in what happens now.`,
    }),
    ...(options.repeatOfMs !== undefined && {
      repeat: `This may be a repeat: an attempt at ${utc(options.repeatOfMs)} ended without an answer.`,
    }),
    ...(options.isLate && {
      late: `This message is late: it was meant for ${utc(incident.updatedMs)} and tells how the incident stood then; somebody may have acknowledged or closed it since.`,
    }),
    facts: factsOf(incident),
    ...(rule.description && { about: cut(visible(rule.description.trim()), aboutCharsMax) }),
    checks: listed(rule.falsepositives),
    references: listed(rule.references),
    ...(url !== undefined && { url }),
    where:
      url === undefined
        ? `Open /incidents/${encodeURIComponent(incident.id)} on Wache's page (set api.publicUrl to get a link here).`
        : `Evidence, timeline and acknowledging: ${url}`,
  };
}

/** What must be known before all else. */
export const marksOf = ({ repeat, late, replay }: Message): readonly string[] =>
  [repeat, late, replay].filter((text) => text !== undefined);

function introOf(incident: Incident, reason: Notification["reason"]): string {
  const { severity } = incident;
  const news =
    reason === "opened"
      ? `A new incident of severity ${severity}.`
      : `An incident grew graver: its severity is now ${severity}.`;
  const missing = missingOf(incident);
  return missing === undefined ? news : `${oneLine(absenceText(missing), valueCharsMax)} ${news}`;
}

/** What did not come, where the incident is about that: as it was told last. */
function missingOf({ findings, rule }: Incident) {
  const standing = findings.filter((one) => !one.withdrawn && one.rule.id === rule.id);
  return standing
    .filter(isMissing)
    .toSorted((a, b) => b.lastMs - a.lastMs || (a.id < b.id ? -1 : 1))
    .at(0);
}

export const incidentUrl = (publicUrl: string | undefined, id: string): string | undefined =>
  publicUrl === undefined
    ? undefined
    : `${publicUrl.replace(/\/+$/, "")}/incidents/${encodeURIComponent(id)}`;

/** Control characters and line ends become spaces: such a text fits into a header or a title. */
export const oneLine = (text: string, charsMax: number): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go.
  cut(visible(text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim()), charsMax);

/** Controls of direction and characters without width stand as their codes: a name with one is not the name without. */
const visible = (text: string): string =>
  text.replace(/\p{Cf}/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);

/** Cuts between characters, never inside one. */
export function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const end = /[\ud800-\udbff]/.test(text[charsMax - 2] ?? "") ? charsMax - 2 : charsMax - 1;
  return `${text.slice(0, end)}…`;
}

function factsOf(incident: Incident): readonly Fact[] {
  const groups = Object.entries(incident.group);
  const counted = incident.count === 1 ? "1 event" : `${incident.count} events`;
  const missing = missingOf(incident);
  const again = incident.number === 1 ? "" : ` (number ${incident.number} of its kind)`;
  return [
    { label: "Severity", value: incident.severity },
    { label: "Rule", value: `${incident.rule.title} (${incident.rule.id})` },
    ...groups.slice(0, groupsToldMax).map(([label, value]) => ({ label, value })),
    ...(groups.length > groupsToldMax
      ? [{ label: "and more", value: `${groups.length - groupsToldMax} fields on the page` }]
      : []),
    ...(missing === undefined
      ? [
          { label: "First seen", value: utc(incident.firstMs) },
          { label: "Last seen", value: utc(incident.lastMs) },
          { label: "Count", value: `${incident.bounded ? "at least " : ""}${counted} so far` },
        ]
      : absenceFacts(missing).map(([label, value]) => ({ label, value }))),
    { label: "Incident", value: `${incident.id}${again}` },
  ].map(({ label, value }) => ({
    label: oneLine(label, lineCharsMax),
    value: oneLine(value, valueCharsMax),
  }));
}

const listed = (texts: readonly string[] | undefined): readonly string[] =>
  (texts ?? []).slice(0, listToldMax).map((text) => oneLine(text, valueCharsMax));

// incident.ts — the life of the incidents of one grouping key: findings and commands in, the incidents' newest states out.
//
// In:    findings in any order, again and again; what people ask for.
// Out:   the incidents that changed. A record that was seen already changes nothing.
// Holds: an incident's findings, count, times and severity follow from the set of its findings (newest revisions, without
//        the superseded ones), not from the order or number of revisions that led there.
// Why:   `known` outlives `findings`: it is what makes a redelivered finding harmless after its incident was closed.
import { idOf, LIVE } from "../../core/event.ts";
import type {
  Command,
  Finding,
  Incident,
  IncidentStatus,
  TimelineEntry,
} from "../../core/records.ts";
import { LEVELS } from "../../core/records.ts";
import { rankOf } from "../routing/routes.ts";
import { absenceText, isMissing } from "./absence.ts";
import type { Paged } from "./paging.ts";
import { cutText, shortened, timelineWith, utc } from "./timeline.ts";

/** What is remembered of each finding of a key, also when its incident no longer carries it whole. */
export type Known = {
  readonly revision: number;
  readonly incident: number; // 0: of none
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly rank: number; // its severity's place in LEVELS
  readonly superseded?: true;
  readonly withdrawn?: true;
  readonly bounded?: true;
  readonly page?: true;
  readonly ended?: true; // what did not come came again
};
export type IncidentState = {
  readonly incident: Incident;
  readonly paged: Paged;
  readonly folded?: Folded;
};
/** What remains of an incident's findings that are not known one by one any more. */
type Folded = { readonly count: number; readonly firstMs: number; readonly rank: number };
/** All that is kept of one grouping key. */
export type Thread = {
  readonly key: string;
  readonly number: number; // of its last incident
  readonly incidents: readonly IncidentState[]; // oldest first; older closed ones are forgotten
  readonly known: ReadonlyMap<string, Known>;
  readonly floorMs: number; // findings that ended before are forgotten
  readonly commands: readonly string[]; // ids of the last ones, oldest first
};
export type Change = { readonly thread: Thread; readonly changed: readonly Incident[] };
export type Limits = {
  readonly knownMax: number; // findings remembered of a key
  readonly findingsMax: number; // that an incident carries whole
  readonly findingsCharsMax: number; // of them as JSON
  readonly commandsMax: number; // command ids remembered of a key
  readonly incidentsMax: number; // of a key, in full
};
export const limitsByDefault: Limits = {
  knownMax: 1000,
  findingsMax: 20,
  findingsCharsMax: 65_536,
  commandsMax: 200,
  incidentsMax: 4,
};

export const newThread = (key: string, number = 0): Thread => ({
  key,
  number,
  incidents: [],
  known: new Map(),
  floorMs: Number.MIN_SAFE_INTEGER,
  commands: [],
});

export const isOpen = (status: IncidentStatus): boolean => status !== "closed";

export function applyFinding(
  thread: Thread,
  { finding, atMs }: { readonly finding: Finding; readonly atMs: number },
  limits: Limits = limitsByDefault,
): Change {
  const before = thread.known.get(finding.id);
  if (before && before.revision >= finding.revision) return same(thread);
  if (before === undefined && finding.lastMs < thread.floorMs) return same(thread);

  const replaced = before?.superseded ? before : undefined; // what it replaces is replaced, it counts no more itself
  const { home, opens } = replaced ? { home: 0, opens: false } : homeOf(thread, finding);
  const known = new Map(thread.known);
  const touched = new Set(home === 0 ? [] : [home]);
  for (const id of finding.supersedes ?? []) {
    if (id === finding.id) continue;
    const old = known.get(id);
    if (old && !old.superseded && old.incident !== 0) touched.add(old.incident);
    known.set(id, { ...(old ?? { ...knownOf(finding, 0), revision: 0 }), superseded: true });
  }
  const own = knownOf(finding, home);
  known.set(finding.id, replaced ? { ...own, incident: replaced.incident, superseded: true } : own);
  const gone = forgetOldest(known, limits.knownMax);
  const floorMs = Math.max(thread.floorMs, ...gone.map(({ lastMs }) => lastMs + 1));

  const opened = opens ? [firstState(thread.key, { number: home, finding, atMs })] : [];
  const incidents = [...thread.incidents, ...opened]
    .slice(-limits.incidentsMax)
    .map((state) => gone.reduce(fold, state));
  const next = { ...thread, number: opens ? home : thread.number, incidents, known, floorMs };
  const news = replaced ? undefined : newsOf(before, finding);
  return rebuilt(next, { touched, home, finding, atMs, news }, limits);
}

export function applyCommand(
  thread: Thread,
  command: Command,
  limits: Limits = limitsByDefault,
): Change {
  const state = thread.incidents.find(({ incident }) => incident.id === command.incident);
  if (state === undefined || thread.commands.includes(command.id)) return same(thread);
  const { incident } = state;
  const { entry, ...patch } = effectOf(command, incident);
  const changed: Incident = {
    ...incident,
    ...patch,
    revision: incident.revision + 1,
    updatedMs: Math.max(incident.updatedMs, command.atMs),
    timeline: timelineWith(incident.timeline, [
      { atMs: command.atMs, by: cutText(command.by), ref: command.id, ...entry },
    ]),
  };
  const commands = [...thread.commands, command.id].slice(-limits.commandsMax);
  return { thread: withIncidents({ ...thread, commands }, [changed]), changed: [changed] };
}

export function withIncidents(thread: Thread, changed: readonly Incident[]): Thread {
  const incidents = thread.incidents.map((state) => {
    const incident = changed.find(({ id }) => id === state.incident.id);
    return incident === undefined ? state : { ...state, incident };
  });
  return { ...thread, incidents };
}

const same = (thread: Thread): Change => ({ thread, changed: [] });

/** The incident that a finding belongs to: where it was, where what it replaces was, the open one, or the next. */
function homeOf(thread: Thread, finding: Finding): { home: number; opens: boolean } {
  const was = thread.known.get(finding.id)?.incident ?? 0;
  if (was !== 0) return { home: was, opens: false };
  const replaced = (finding.supersedes ?? []).map((id) => thread.known.get(id)?.incident ?? 0);
  const heir = Math.max(0, ...replaced);
  if (heir !== 0) return { home: heir, opens: false };
  if (finding.withdrawn) return { home: 0, opens: false };
  const last = thread.incidents.at(-1)?.incident;
  if (last && isOpen(last.status)) return { home: last.number, opens: false };
  return { home: thread.number + 1, opens: true };
}

function knownOf(finding: Finding, incident: number): Known {
  const { revision, firstMs, lastMs, count } = finding;
  return {
    ...{ revision, incident, firstMs, lastMs, count, rank: rankOf(finding.rule.level) },
    ...(finding.withdrawn && { withdrawn: true }),
    ...(finding.bounded && { bounded: true }),
    ...(finding.page && { page: true }),
    ...(finding.absence?.endedMs !== undefined && { ended: true }),
  };
}

/** Forgets the findings that ended first, a tenth at a time (it sorts), and gives them. */
function forgetOldest(known: Map<string, Known>, max: number): readonly Known[] {
  if (known.size <= max) return [];
  const oldestFirst = [...known].sort(
    ([idA, a], [idB, b]) => a.lastMs - b.lastMs || (idA < idB ? -1 : 1),
  );
  const gone = oldestFirst.slice(0, known.size - Math.floor(max * 0.9));
  for (const [id] of gone) known.delete(id);
  return gone.map(([, one]) => one);
}

function fold(state: IncidentState, gone: Known): IncidentState {
  if (gone.incident !== state.incident.number || gone.superseded || gone.withdrawn) return state;
  const { count, firstMs, rank } = state.folded ?? gone;
  if (state.folded === undefined) return { ...state, folded: { count, firstMs, rank } };
  const folded = {
    count: count + gone.count,
    firstMs: Math.min(firstMs, gone.firstMs),
    rank: Math.max(rank, gone.rank),
  };
  return { ...state, folded };
}

function firstState(
  key: string,
  { number, finding, atMs }: { number: number; finding: Finding; atMs: number },
): IncidentState {
  const incident: Incident = {
    kind: "incident",
    id: idOf(key, number),
    revision: 0,
    key,
    number,
    stream: finding.stream,
    replay: finding.stream !== LIVE,
    status: "open",
    title: titleOf(finding),
    severity: finding.rule.level,
    rule: finding.rule,
    group: finding.group,
    firstMs: finding.firstMs,
    lastMs: finding.lastMs,
    count: finding.count,
    openedMs: atMs,
    updatedMs: atMs,
    findings: [],
    timeline: [],
  };
  return { incident, paged: { channels: {}, rank: -1, asked: false } };
}

export const titleOf = (finding: Finding): string => {
  const values = Object.values(finding.group);
  return shortened(
    [finding.rule.title, ...(values.length > 0 ? [values.join(", ")] : [])].join(": "),
  );
};

/** What the timeline says of a finding: that it came, that it was withdrawn, that an absence ended; not each revision. */
function newsOf(before: Known | undefined, finding: Finding): string | undefined {
  if (finding.withdrawn && !before?.withdrawn)
    return `Withdrawn, a late event took its ground away: ${finding.rule.title}`;
  if (isMissing(finding)) {
    const isOver = finding.absence.endedMs !== undefined && !before?.ended;
    return before === undefined || isOver ? absenceText(finding) : undefined;
  }
  if (before !== undefined) return undefined;
  const how = finding.backfilled ? ", found in stored events" : "";
  return `${finding.rule.title}, from ${utc(finding.firstMs)}${how}`;
}

type Cause = {
  readonly touched: ReadonlySet<number>;
  readonly home: number;
  readonly finding: Finding;
  readonly atMs: number;
  readonly news: string | undefined;
};

function rebuilt(thread: Thread, cause: Cause, limits: Limits): Change {
  const changed: Incident[] = [];
  for (const { incident, folded } of thread.incidents) {
    if (!cause.touched.has(incident.number)) continue;
    const ofHome = incident.number === cause.home;
    const carried = incident.findings.filter(
      ({ id }) => id !== cause.finding.id && !thread.known.get(id)?.superseded,
    );
    const findings = newest(ofHome ? [...carried, cause.finding] : carried, limits);
    changed.push(summed(incident, { thread, findings, cause, ofHome, folded }));
  }
  return { thread: withIncidents(thread, changed), changed };
}

/** The findings that ended last, as many as an incident carries, in the order of their beginning. */
function newest(findings: readonly Finding[], limits: Limits): readonly Finding[] {
  const byEnd = [...findings].sort((a, b) => b.lastMs - a.lastMs || (a.id < b.id ? -1 : 1));
  const kept: Finding[] = [];
  let chars = 0;
  for (const finding of byEnd.slice(0, limits.findingsMax)) {
    chars += JSON.stringify(finding).length;
    if (kept.length > 0 && chars > limits.findingsCharsMax) break;
    kept.push(finding);
  }
  return kept.sort((a, b) => a.firstMs - b.firstMs || (a.id < b.id ? -1 : 1));
}

function summed(
  incident: Incident,
  args: {
    readonly thread: Thread;
    readonly findings: readonly Finding[];
    readonly cause: Cause;
    readonly ofHome: boolean;
    readonly folded: Folded | undefined;
  },
): Incident {
  const { thread, findings, cause, ofHome, folded } = args;
  const own = [...thread.known.values()].filter(
    (known) => known.incident === incident.number && !known.superseded,
  );
  const standing = own.filter((known) => !known.withdrawn);
  const counted = standing.length > 0 ? standing : own;
  const summands = folded === undefined ? counted : [folded, ...counted];
  const severity = LEVELS[Math.max(...summands.map(({ rank }) => rank))] ?? incident.severity;
  const first = incident.revision === 0;
  const entries: TimelineEntry[] = [];
  if (ofHome && cause.news !== undefined)
    entries.push({
      atMs: cause.atMs,
      kind: first ? "opened" : "finding",
      text: cause.news,
      ref: cause.finding.id,
    });
  if (!first && rankOf(severity) > rankOf(incident.severity))
    entries.push({ atMs: cause.atMs, kind: "raised", text: `Severity rose to ${severity}` });
  const told = ledBy(findings, incident);
  const bounded =
    own.some((known) => known.bounded) ||
    own.length > findings.length ||
    thread.floorMs > Number.MIN_SAFE_INTEGER;
  return {
    ...incident,
    ...told,
    ...(counted.length > 0 && {
      firstMs: Math.min(...summands.map(({ firstMs }) => firstMs)),
      lastMs: Math.max(...counted.map(({ lastMs }) => lastMs)),
      count: summands.reduce((sum, { count }) => sum + count, 0),
    }),
    severity,
    revision: incident.revision + 1,
    updatedMs: Math.max(incident.updatedMs, cause.atMs),
    findings,
    timeline: timelineWith(incident.timeline, entries),
    ...(bounded && { bounded: true }),
  };
}

/** The gravest finding, of equals the latest, gives the incident its title and rule. */
function ledBy(
  findings: readonly Finding[],
  incident: Incident,
): Pick<Incident, "title" | "rule" | "group"> {
  const standing = findings.filter(({ withdrawn }) => !withdrawn);
  const [lead] = (standing.length > 0 ? standing : [...findings]).sort(
    (a, b) =>
      rankOf(b.rule.level) - rankOf(a.rule.level) || b.lastMs - a.lastMs || (a.id < b.id ? -1 : 1),
  );
  if (lead === undefined) return incident;
  return { title: titleOf(lead), rule: lead.rule, group: lead.group };
}

type Effect = { readonly entry: Pick<TimelineEntry, "kind" | "text"> } & Partial<
  Pick<Incident, "status" | "assignee">
>;

/** What a command does to an incident. One that comes too late leaves a line, so that who asked can see why. */
function effectOf(command: Command, { status }: Incident): Effect {
  const { action } = command;
  const late = (kind: TimelineEntry["kind"]): Effect => ({
    entry: { kind, text: `Had no effect: the incident was ${status} already` },
  });
  switch (action.do) {
    case "acknowledge":
      if (status !== "open") return late("acknowledged");
      return { status: "acknowledged", entry: { kind: "acknowledged", text: "Acknowledged" } };
    case "assign": {
      if (status === "closed") return late("assigned");
      const to = cutText(action.to);
      return { assignee: to, entry: { kind: "assigned", text: `Assigned to ${to}` } };
    }
    case "comment":
      return { entry: { kind: "commented", text: cutText(action.text) } };
    case "close":
      if (status === "closed") return late("closed");
      return { status: "closed", entry: { kind: "closed", text: cutText(action.reason) } };
  }
}

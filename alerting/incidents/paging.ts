// paging.ts — decides which channels an incident is sent to, and why: it opened, or it grew graver than what was paged.
//
// Holds: one `opened` an incident and channel, whatever number of revisions led there; the same decision has the same id.
// Why:   the routes are asked only when the severity rises: a new configuration does not page old incidents anew.
import { idOf } from "../../core/event.ts";
import {
  type Finding,
  type Incident,
  LEVELS,
  type Level,
  type Notification,
} from "../../core/records.ts";
import { channelsFor, type Route, rankOf } from "../routing/routes.ts";

/** What people were told of an incident so far. */
export type Paged = {
  readonly channels: Readonly<Record<string, Level>>; // the severity that each channel was told
  readonly rank: number; // the highest severity that routes were asked about
  readonly asked: boolean; // whether it may page: live, or an import whose sender asked for it
};
export type Pages = { readonly paged: Paged; readonly notifications: readonly Notification[] };

const findingsToldMax = 3;
const timelineToldMax = 5;
const evidenceToldMax = 5;

export function pagesFor(
  { incident, paged }: { readonly incident: Incident; readonly paged: Paged },
  routes: readonly Route[],
): Pages {
  const asking = incident.findings.filter(
    ({ page, backfilled }) => page || !(incident.replay || backfilled),
  );
  const asked = paged.asked || asking.length > 0;
  const severity = severityOf(incident, asking);
  const rank = severity === undefined ? -1 : rankOf(severity);
  const grew = rank > paged.rank || asked !== paged.asked;
  if (!grew || incident.status === "closed") return { paged, notifications: [] };
  if (!asked || severity === undefined || incident.findings.every(({ withdrawn }) => withdrawn))
    return { paged: { ...paged, asked }, notifications: [] };

  const channels: Record<string, Level> = { ...paged.channels };
  const notifications: Notification[] = [];
  for (const channel of channelsFor(routes, severity)) {
    const told = Object.hasOwn(channels, channel) ? channels[channel] : undefined;
    if (told !== undefined && rankOf(told) >= rank) continue;
    const reason = told === undefined ? "opened" : "raised";
    channels[channel] = severity;
    notifications.push({
      kind: "notification",
      id: notificationId({ incident, reason, channel, severity }),
      incident: inBrief(incident),
      reason,
      channel,
    });
  }
  return { paged: { channels, rank: Math.max(rank, paged.rank), asked }, notifications };
}

/** A finding that was backfilled without pages makes an incident no graver for those who are paged. */
function severityOf(incident: Incident, asking: readonly Finding[]): Level | undefined {
  if (!incident.findings.some(({ backfilled, page }) => backfilled && !page))
    return incident.severity;
  return LEVELS[Math.max(-1, ...asking.map(({ rule }) => rankOf(rule.level)))];
}

/** An incident opens once a channel, and rises to each severity once. */
function notificationId(args: {
  readonly incident: Incident;
  readonly reason: Notification["reason"];
  readonly channel: string;
  readonly severity: Level;
}): string {
  const { incident, reason, channel, severity } = args;
  return reason === "opened"
    ? idOf(incident.id, reason, channel)
    : idOf(incident.id, reason, channel, severity);
}

/** The incident as a message needs it: a queue of thousands must fit into memory. */
function inBrief(incident: Incident): Incident {
  const findings = [...incident.findings]
    .sort((a, b) => b.lastMs - a.lastMs || (a.id < b.id ? -1 : 1))
    .slice(0, findingsToldMax)
    .map(
      (finding): Finding => ({ ...finding, evidence: finding.evidence.slice(0, evidenceToldMax) }),
    );
  return { ...incident, findings, timeline: incident.timeline.slice(-timelineToldMax) };
}

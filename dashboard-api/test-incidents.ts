// test-incidents.ts — incidents and events for tests, and a stand-in for the stage that does what commands ask.
import type { Bus } from "../core/bus/bus.ts";
import type { EcsEvent } from "../core/event.ts";
import { type Command, type Finding, type Incident, TOPIC } from "../core/records.ts";
import type { Store } from "../core/store/store.ts";
import { START_MS } from "./api-under-test.ts";

export function sampleEvent(
  number: number,
  patch: Readonly<Record<string, unknown>> = {},
): EcsEvent {
  return {
    "@timestamp": new Date(START_MS - 60_000 + number * 1000).toISOString(),
    message: `Failed password for root from 203.0.113.7 port ${40_000 + number} ssh2`,
    event: { id: `event-${number}`, outcome: "failure" },
    host: { name: "bastion" },
    source: { ip: "203.0.113.7" },
    wache: { stream: "live", sources: [{ product: "linux", service: "sshd" }] },
    ...patch,
  };
}

export function sampleIncident(number: number, patch: Partial<Incident> = {}): Incident {
  const rule = {
    id: "rule-brute-force",
    title: "Many failed SSH sign-ins from one address",
    level: "high",
    description: "Ten or more failed sign-ins within five minutes.",
    tags: ["attack.t1110"],
    references: ["https://attack.mitre.org/techniques/T1110/"],
    falsepositives: ["A script with an old password"],
  } as const;
  const group = { "source.ip": `203.0.113.${number}` };
  const times = { firstMs: START_MS - 59_000, lastMs: START_MS - 50_000, count: 10 };
  const finding: Finding = {
    kind: "finding",
    id: `finding-${number}`,
    revision: 1,
    fingerprint: `print-${number}`,
    stream: "live",
    rule,
    ruleVersion: "v1",
    group,
    ...times,
    evidence: ["event-1", "event-2", "event-gone"],
  };
  return {
    kind: "incident",
    id: `incident-${number}`,
    revision: 1,
    key: `key-${number}`,
    number: 1,
    stream: "live",
    replay: false,
    status: "open",
    title: `Many failed SSH sign-ins from one address (203.0.113.${number})`,
    severity: "high",
    rule,
    group,
    ...times,
    openedMs: START_MS + number,
    updatedMs: START_MS + number,
    findings: [finding],
    timeline: [
      { atMs: START_MS + number, kind: "opened", text: "10 events", ref: `finding-${number}` },
    ],
    ...patch,
  };
}

export const putIncidents = (store: Store, incidents: readonly Incident[]): Promise<void> =>
  store.putDocuments(
    "incidents",
    incidents.map((body) => ({ id: body.id, revision: body.revision, body })),
  );

export const putEvents = (store: Store, events: readonly EcsEvent[]): Promise<void> =>
  store.putEvents(events.map((event) => ({ event, text: JSON.stringify(event) })));

/** Does at once what a command asks; gives the commands that it saw. */
export async function obeyCommands(bus: Bus, store: Store) {
  const seen: Command[] = [];
  const consumer = await bus.consume({
    group: "obey",
    topic: TOPIC.casework,
    onBatch: async ({ partition, records }, from) => {
      for (const record of records) {
        const command = record.value as Command;
        seen.push(command);
        const found = await store.getDocument("incidents", command.incident);
        if (found !== undefined)
          await putIncidents(store, [obey(found.body as unknown as Incident, command)]);
      }
      await from.commit(partition, (records.at(-1)?.offset ?? 0) + 1);
    },
  });
  return { seen, close: () => consumer.close() };
}

const KIND = {
  acknowledge: "acknowledged",
  assign: "assigned",
  comment: "commented",
  close: "closed",
} as const;

function obey(incident: Incident, { id, by, atMs, action }: Command): Incident {
  if (incident.timeline.some((entry) => entry.ref === id)) return incident;
  const text =
    action.do === "assign"
      ? action.to
      : action.do === "comment"
        ? action.text
        : action.do === "close"
          ? action.reason
          : "Acknowledged";
  return {
    ...incident,
    revision: incident.revision + 1,
    updatedMs: atMs,
    ...(action.do === "acknowledge" ? { status: "acknowledged" as const } : {}),
    ...(action.do === "close" ? { status: "closed" as const } : {}),
    ...(action.do === "assign" ? { assignee: action.to } : {}),
    timeline: [...incident.timeline, { atMs, kind: KIND[action.do], by, text, ref: id }],
  };
}

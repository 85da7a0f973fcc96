// From rules to pages: what did not come, and severity that rises, read as the person on call reads it.
import { expect, test } from "vitest";
import { emailText } from "../alerting/delivery/email-body.ts";
import { messageFor } from "../alerting/delivery/message.ts";
import { incidentsIn, notificationsIn, record } from "../alerting/fixtures/findings.ts";
import { IncidentsProcessor } from "../alerting/incidents/processor.ts";
import { route } from "../alerting/routing/route.ts";
import type { Asset } from "../core/assets.ts";
import type { OutRecord } from "../core/bus/bus.ts";
import { type CorrelationRule, type Finding, TOPIC } from "../core/records.ts";
import { ruleSetOf } from "../correlator/fixtures/rule-set.ts";
import { Bench, endTick, signalOf, tick } from "../correlator/windows/fixtures/bench.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 22, 2, 10);
const at = (hours: number): number => START_MS + hours * HOUR_MS;

function correlationOf(body: string, inventory: readonly Asset[] = []): CorrelationRule {
  const text = `title: B
name: backup_finished
logsource: { product: p }
detection: { s: { f: 1 }, condition: s }
---
title: Daily backup is missing
id: c
description: Start the job by hand.
level: medium
correlation: { rules: [backup_finished], group-by: [host.name], ${body} }
`;
  const [rule] = ruleSetOf(text, inventory).correlations;
  if (rule === undefined) throw new Error("there is no correlation");
  return rule;
}

/** Every revision goes through route and casework, as live. */
function paged(revisions: readonly Finding[]) {
  const out: OutRecord[] = [];
  const processor = new IncidentsProcessor(
    [
      { minLevel: "medium", channels: ["mail"] },
      { minLevel: "critical", channels: ["phone"] },
    ],
    undefined,
  );
  revisions.forEach((finding, n) => {
    const routed = route(record(TOPIC.findings, finding, n));
    processor.process(record(TOPIC.casework, routed.value, n), out);
  });
  const incident = incidentsIn(out).at(-1);
  return {
    pages: notificationsIn(out).map(
      ({ channel, reason, incident: { severity } }) => `${channel} ${reason} ${severity}`,
    ),
    messages: notificationsIn(out).map((notice) => messageFor(notice, {})),
    timeline: incident?.timeline.map(({ text }) => text) ?? [],
    incident,
  };
}

const backup = (rule: CorrelationRule, hours: number) =>
  signalOf(rule, { at: at(hours), id: `b${hours}`, group: ["db1"] });

test("a backup that did not come pages, pages again when it is graver, and ends when it comes", () => {
  const rule = correlationOf(
    "type: absence, timespan: 26h, rememberFor: 7d, escalate: [{ count: 2, level: critical }]",
  );
  const bench = new Bench({ partitions: 2, latenessMs: HOUR_MS });
  bench.force(rule);
  bench.send(tick(at(0)), backup(rule, 0), tick(at(28)), tick(at(54)), backup(rule, 55));
  bench.send(tick(at(57)));
  const { pages, messages, timeline, incident } = paged(bench.revisions);
  expect(pages).toEqual(["mail opened medium", "mail raised critical", "phone opened critical"]);
  expect(incident).toMatchObject({ severity: "critical", count: 2, status: "open" });
  expect(timeline).toEqual([
    "No backup_finished from db1 since 2026-11-22 02:10:00 UTC (26 h).",
    "Severity rose to critical",
    "backup_finished from db1 came again at 2026-11-24 09:10:00 UTC, after 55 h.",
  ]);
  expect(messages[0]?.subject).toBe("[MEDIUM] Daily backup is missing: db1");
  const [first] = messages;
  if (first === undefined) throw new Error("nobody was paged");
  expect(
    emailText(first),
  ).toBe(`No backup_finished from db1 since 2026-11-22 02:10:00 UTC (26 h). A new incident of severity medium.

What the rule says
Start the job by hand.

Severity:  medium
Rule:      Daily backup is missing (c)
host.name: db1
Last one:  2026-11-22 02:10:00 UTC
Was due:   2026-11-23 04:10:00 UTC
Missed:    once so far
Incident:  ${incident?.id}

Open /incidents/${incident?.id} on Wache's page (set api.publicUrl to get a link here).
`);
});

test.for<{
  name: string;
  body: string;
  came: readonly number[];
  until: number;
  says: readonly string[];
}>([
  {
    name: "nothing ever came",
    body: "type: absence, timespan: 26h, expected: [db1]",
    came: [],
    until: 30,
    says: [
      "No backup_finished from db1 has ever come; awaited since 2026-11-22 02:10:00 UTC (26 h).",
    ],
  },
  {
    name: "it came for the first time",
    body: "type: absence, timespan: 26h, expected: [db1]",
    came: [40],
    until: 50,
    says: ["backup_finished from db1 came for the first time at 2026-11-23 18:10:00 UTC."],
  },
  {
    name: "it is no longer awaited",
    body: "type: absence, timespan: 26h, rememberFor: 3d",
    came: [0],
    until: 200,
    says: ["backup_finished from db1 is no longer awaited: none came for 3 d."],
  },
  {
    name: "not by four in Berlin",
    body: 'type: absence, expected: [db1], timespan: 8h, deadline: { by: "04:00", timezone: Europe/Berlin }',
    came: [1],
    until: 26,
    says: [
      "No backup_finished from db1 by 04:00 Europe/Berlin (2026-11-23 03:00:00 UTC); the last one came 2026-11-22 03:10:00 UTC.",
    ],
  },
  {
    name: "not by four, again",
    body: 'type: absence, expected: [db1], deadline: { by: "04:00", timezone: Europe/Berlin }',
    came: [],
    until: 80,
    says: [
      "No backup_finished from db1 by 04:00 Europe/Berlin (2026-11-23 03:00:00 UTC), missed 3 times by 2026-11-25 03:00:00 UTC; none has ever come.",
    ],
  },
])("the message: $name", ({ body, came, until, says }) => {
  const rule = correlationOf(body);
  const bench = new Bench({ latenessMs: 0 });
  bench.force(rule);
  bench.send(tick(START_MS), ...came.map((hours) => backup(rule, hours)));
  bench.send({ ...endTick, untilMs: at(until) });
  const { timeline } = paged(bench.told());
  expect(timeline).toEqual(says);
});

test("a count that rises raises the incident, and pages again where routes say so", () => {
  const rule = correlationOf(
    "type: event_count, timespan: 1h, condition: { gte: 3 }, escalate: [{ count: 10, level: high }, { count: 100, level: critical }]",
  );
  const bench = new Bench({ latenessMs: 0 });
  bench.force(rule);
  for (let n = 0; n < 100; n++)
    bench.send(
      tick(START_MS + n * 1000),
      signalOf(rule, { at: START_MS + n * 1000, id: `e${n}`, group: ["db1"] }),
    );
  bench.send(endTick);
  const { pages, incident } = paged(bench.revisions);
  expect(pages).toEqual([
    "mail opened medium",
    "mail raised high",
    "mail raised critical",
    "phone opened critical",
  ]);
  expect(incident).toMatchObject({ severity: "critical", count: 100, number: 1 });
});

const assetOf = (name: string, over: Partial<Asset> = {}): Asset => ({
  ...{ name, aliases: [], criticality: "medium", tags: ["backup"] },
  ...over,
});

test("what is about an asset pages by the asset's level, by whatever name the log has it", () => {
  const rule = correlationOf(
    "type: event_count, timespan: 1h, condition: { gte: 2 }, escalate: [{ count: 4, level: high }, { assets: { criticality: critical }, level: critical }]",
    [assetOf("DC1", { aliases: ["dc1.example.com"], criticality: "critical" }), assetOf("web1")],
  );
  const pagesOf = (host: string) => {
    const bench = new Bench({ latenessMs: 0 });
    bench.force(rule);
    for (let n = 0; n < 4; n++)
      bench.send(signalOf(rule, { at: START_MS + n, id: `e${n}`, group: [host] }));
    bench.send(endTick);
    return paged(bench.revisions).pages;
  };
  expect(pagesOf("web1")).toEqual(["mail opened medium", "mail raised high"]);
  expect(pagesOf("dc1")).toEqual(["mail opened critical", "phone opened critical"]);
  expect(pagesOf("DC1.example.com")).toEqual(pagesOf("dc1"));
});

test("another criticality counts from the next revision on, and the windows go on", () => {
  const body =
    "type: event_count, timespan: 1h, condition: { gte: 2 }, escalate: [{ assets: { criticality: high }, level: critical }]";
  const now = correlationOf(body, [assetOf("db1", { criticality: "high" })]);
  const before = correlationOf(body, [assetOf("db1")]);
  const bench = new Bench({ latenessMs: HOUR_MS });
  const one = (id: string, hours: number) =>
    signalOf(before, { at: at(hours), id, group: ["db1"] });
  bench.force(before);
  bench.send(one("a", 0), one("b", 0.1));
  bench.force(now);
  bench.restart();
  bench.send(one("c", 0.2), endTick);
  expect(bench.revisions.map(({ count, rule: { level } }) => [count, level])).toEqual([
    [2, "medium"],
    [3, "critical"],
  ]);
});

test("assets that are awaited are missed one by one, and by their level", () => {
  const rule = correlationOf(
    "type: absence, timespan: 26h, expected: { assets: { tags: [backup] } }, escalate: [{ assets: { criticality: high }, level: high }]",
    [assetOf("db1"), assetOf("db2", { criticality: "high" }), assetOf("web1", { tags: ["web"] })],
  );
  const bench = new Bench({ partitions: 3, latenessMs: HOUR_MS });
  bench.force(rule);
  bench.send(tick(at(0)), backup(rule, 20), tick(at(28)));
  const missed = bench.told().map(({ group, rule: { level } }) => [group["host.name"], level]);
  expect(missed).toEqual([["db2", "high"]]);
  bench.send(tick(at(48)));
  expect(bench.told().map(({ group }) => group["host.name"])).toEqual(["db2", "db1"]);
});

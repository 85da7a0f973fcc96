// as-live.test.ts — what `wache eval` finds in a line is what is found in the event that a collector makes of it.
import { expect, test } from "vitest";
import { parseLine } from "../../collectors/parsers/parsers.ts";
import { loadMappings, shippedMappings } from "../../core/mappings.ts";
import { readRules } from "../../correlator/sigma/load.ts";
import { Evaluation } from "./evaluation.ts";

const mappings = await loadMappings([shippedMappings()]);
const BOUNDS = { matchesMax: 100, valuesMax: 100, groupsMax: 100, evidenceMax: 5 };

/** The event as it is kept, for which a collector would name the same log source. */
function kept(line: string): string {
  const draft = parseLine(line, { zone: "UTC", latestMs: Date.UTC(2027, 0) });
  if ("refused" in draft) throw new Error(draft.refused.reason);
  const { timeMs = 0, fields, event, message, sources } = draft;
  return JSON.stringify({
    ...fields,
    ...(message !== undefined && { message }),
    "@timestamp": new Date(timeMs).toISOString(),
    event: { ...event, id: "of Wache" },
    wache: { stream: "live", sources },
  });
}

function found(lines: readonly string[], detection: string, by: string): readonly unknown[] {
  const text = `title: R
id: 00000000-0000-4000-8000-000000000001
name: r
logsource: { category: app }
detection: ${detection}
level: low
---
title: C
id: 00000000-0000-4000-8000-000000000002
level: low
correlation: { type: event_count, rules: [r], group-by: [${by}], timespan: 1m, condition: { gte: 1 } }
`;
  const { set, problems } = readRules([{ path: "r.yml", text, lenient: false }], {
    mapField: mappings.field,
  });
  if (!set) throw new Error(JSON.stringify(problems));
  const evaluation = new Evaluation(set, { mappings, bounds: BOUNDS });
  const matches = lines.map((line, number) => evaluation.evaluate(line, number));
  return [...matches, ...evaluation.end()];
}

const plain = {
  ...{ time: "2026-01-05T08:00:00Z", category: "app", action: "delete", event: "login" },
  ...{ user: "bob", host: "adminbox", source: "10.1.1.1", file: "/etc/passwd", url: "http://x/" },
};
const objects = {
  ...{ time: "2026-01-05T08:00:00Z", category: "app", event: { id: "their own", kind: "login" } },
  ...{ user: { name: "bob", domain: "X" }, host: { name: "adminbox" }, process: { name: "sh" } },
};
test.for([
  { of: plain, detection: "{ s: { user: bob }, condition: s }", by: "user", hits: true },
  { of: plain, detection: "{ s: { event: login }, condition: s }", by: "event", hits: true },
  {
    of: plain,
    detection: "{ s: { source|cidr: 10.0.0.0/8 }, condition: s }",
    by: "source",
    hits: true,
  },
  { of: plain, detection: "{ s: { host: web* }, condition: s }", by: "user", hits: false },
  {
    of: plain,
    detection: "{ s: { action: delete }, f: { host: adminbox }, condition: s and not f }",
    ...{ by: "user", hits: false },
  },
  {
    of: plain,
    detection: "{ s: { file|startswith: /etc, url|contains: x }, condition: s }",
    by: "file",
    hits: true,
  },
  {
    of: { ...plain, category: undefined, log_source: { category: "app" } },
    detection: "{ s: { user: bob }, condition: s }",
    ...{ by: "user", hits: true },
  },
  {
    of: objects,
    detection: "{ s: { event.id: their own }, condition: s }",
    by: "event.id",
    hits: true,
  },
  {
    of: objects,
    detection: "{ s: { user: bob, process: sh }, condition: s }",
    by: "user",
    hits: true,
  },
  {
    of: objects,
    detection: "{ s: { event.kind: login }, f: { user: null }, condition: s and not f }",
    by: "host",
    hits: true,
  },
])("$detection by $by: $hits", ({ of, detection, by, hits }) => {
  const line = JSON.stringify(of);
  const [direct, live] = [line, kept(line)].map((one) => found([one], detection, by));
  expect(direct).toEqual(live);
  expect(live?.[0] !== "").toBe(hits !== false);
});

// What `wache rules explain` prints of correlations: what a person has to know of one before it runs.
import { expect, test } from "vitest";
import { readAssets } from "../core/assets.ts";
import { readRules } from "../correlator/sigma/load.ts";
import { correlationLines, explainCorrelation } from "./explain-correlation.ts";

const HEAD = `
title: failed
name: failed
logsource: { service: sshd }
detection: { s: { outcome: failure }, condition: s }
---
title: worked
name: worked
logsource: { service: sshd }
detection: { s: { outcome: success }, condition: s }
`;
const INVENTORY = `
assets:
  - { name: dc1, criticality: critical }
${Array.from({ length: 21 }, (_, n) => `  - { name: db${n + 10}, tags: [backup] }\n`).join("")}`;
const linesOf = (...correlations: readonly string[]): string[] => {
  const all = correlations.map((body, n) => `---\ntitle: c${n}\nname: c${n}\nlevel: low\n${body}`);
  const { set, problems } = readRules(
    [{ path: "r.yml", text: HEAD + all.join(""), lenient: false }],
    {
      inventory: readAssets([{ path: "a.yml", text: INVENTORY }]).assets,
    },
  );
  expect(problems).toEqual([]);
  const rule = set?.correlations.find(({ about }) => about.title === "c0");
  if (!set || !rule) throw new Error("there is no such rule");
  return [...correlationLines(explainCorrelation(rule, { set, at: "r.yml:13:1" }))];
};
const correlation = (body: string): string => `correlation: { timespan: 90s, ${body} }\n`;

test("a count: what feeds it, when it fires, where its fields stand, how its findings are told", () => {
  const body =
    "type: event_count, rules: [failed], group-by: [user], condition: { gte: 4, lt: 9 }, suppress: 1h, " +
    "escalate: [{ count: 20, level: high }, { assets: { criticality: critical }, level: critical }]";
  expect(linesOf(correlation(body), correlation("type: temporal, rules: [c0, worked]"))).toEqual([
    "c0 (r.yml:13:1)",
    "  counts    event_count of failed",
    "  fires     when the number of matches is >= 4 and < 9, within 90s",
    "  groups    one for each user",
    "  user (of failed)",
    "      user",
    "  tells     not again within 1h, but what goes on or grows graver",
    "  graver    high from a count of 20 on",
    "  graver    critical about 1 asset name: dc1",
    "  feeds     c1",
    "",
  ]);
});

test.for([
  {
    body: "type: value_count, rules: [failed], condition: { field: [ip, port], gte: 3 }",
    fires: "when the number of distinct values of ip, port is >= 3, within 90s",
  },
  {
    body: "type: value_percentile, rules: [failed], condition: { field: ms, percentile: 95, gt: 3 }",
    fires: "when percentile 95 of ms is > 3, within 90s",
  },
  {
    body: "type: value_percentile, rules: [failed], condition: { field: user, lt: 5 }",
    fires: "when the share, in percent, of a value of user is < 5, within 90s",
  },
  {
    body: "type: temporal, rules: [failed, worked]",
    fires: "when each of them matched, within 90s",
  },
  {
    body: "type: temporal, rules: [failed, worked], condition: { gte: 1 }",
    fires: "when the number of rules that matched is >= 1, within 90s",
  },
  {
    body: "type: temporal_ordered, rules: [failed, worked]",
    fires: "when each of them matched, in this order, within 90s",
  },
  {
    body: "type: temporal, rules: [failed, worked], condition: failed and not worked",
    fires: 'when there is "failed" and no "worked", within 90s',
  },
  {
    body: "type: absence, rules: [failed]",
    fires: "when none came for 90s",
  },
])("$body: fires $fires", ({ body, fires }) => {
  expect(linesOf(correlation(body))).toContain(`  fires     ${fires}`);
});

test("a chain and an alias: which field of which rule is meant", () => {
  const lines = linesOf(
    correlation(
      "type: temporal, rules: [c1, worked], group-by: [who], aliases: { who: { c1: user, worked: name } }",
    ),
    correlation("type: event_count, rules: [failed], group-by: [user], condition: { eq: 2 }"),
  );
  expect(lines.slice(2)).toEqual([
    "  fires     when each of them matched, within 90s",
    "  groups    one for each who",
    "  who (of c1: user of its group)",
    "  who is name (of worked)",
    "      name",
    "",
  ]);
});

test("an absence without groups awaits always", () => {
  const body = "type: absence, rules: [worked], escalate: [{ count: 2, level: high }]";
  expect(linesOf(correlation(body)).slice(2)).toEqual([
    "  fires     when none came for 90s",
    "  groups    none: all together",
    "  awaits    always",
    "  graver    high once 2 in a row were missed",
    "",
  ]);
});

test("an absence says whom it awaits, assets that were chosen by name; of very many, how many", () => {
  const body =
    "type: absence, rules: [worked], group-by: [host], expected: { assets: { tags: [backup] } }, rememberFor: 7d, " +
    'deadline: { by: "04:00", timezone: Europe/Berlin, days: [mon] }';
  const names = Array.from({ length: 20 }, (_, n) => `db${n + 10}`).join("; ");
  expect(linesOf(correlation(body)).slice(1)).toEqual([
    "  counts    absence of worked",
    "  fires     when none came by 04:00 Europe/Berlin (mon), within 90s before",
    "  groups    one for each host",
    "  host (of worked)",
    "      host",
    `  awaits    21 groups: ${names}; …`,
    "  awaits    each group that was seen, for 7d",
    "",
  ]);
});

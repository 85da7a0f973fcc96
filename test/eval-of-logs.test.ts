// What `wache eval --logs` finds in a log is what a running Wache finds in it once it is sent.
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Finding } from "../core/records.ts";
import { everything, openHouse, until, wache } from "./house.ts";

const RULES = `title: Failed
name: failed
logsource: { product: linux, service: sshd }
detection: { s: { event.outcome: failure }, condition: s }
---
title: Anything
name: anything
logsource: {}
detection: { s: { message|re: . }, condition: s }
---
title: Many failed
level: high
correlation: { type: event_count, rules: [failed], group-by: [source.ip], timespan: 1m, condition: { gte: 2 } }
---
title: Much
level: low
correlation: { type: event_count, rules: [anything], group-by: [host.name], timespan: 10m, condition: { gte: 2 } }
---
title: Kinds
level: low
correlation: { type: value_count, rules: [anything], group-by: [wache.stream], timespan: 1d, condition: { field: message, gte: 2 } }
---
title: Silent
level: low
correlation: { type: absence, rules: [failed], group-by: [source.ip], timespan: 30s, rememberFor: 1d }
`;
const failed = (time: string, from: string) =>
  `Dec 10 ${time} web sshd[7]: Failed password for root from ${from} port 22 ssh2`;
const LOG = Buffer.concat([
  Buffer.from(
    [
      "no time yet",
      failed("06:55:46", "192.0.2.1"),
      failed("06:55:47", "192.0.2.2"),
      "",
      "Dec 10 06:55:48 web sshd[7]: message repeated 3 times: [ Failed password for root from 192.0.2.2 port 22 ssh2]\r",
      '{"@timestamp":"2025-12-10T06:56:00Z","host":"web","message":"of JSON","event":{"id":"theirs"}}',
      '{"@timestamp":"2025-12-10T06:56:01Z","host":"web","message":"cut',
      "  and what belongs to it",
      "",
    ].join("\n"),
  ),
  Buffer.from("Dec 10 06:57:00 web app: caf\xe9\n", "latin1"),
  Buffer.from(`${failed("06:57:01", "192.0.2.1")}\u0000\n`),
  Buffer.from("1969-12-31T00:00:00Z web app: before there were logs\n"),
  Buffer.from(`${failed("06:57:02", "192.0.2.1")}\n`),
  Buffer.from("2026-01-02T00:00:00Z web app: weeks after the file's last change\n"),
  Buffer.from("2026-01-02T00:00:01Z web app: with no newline"),
]);

const WRITTEN = new Date("2025-12-09T12:00:00Z");

test("findings by id, time and count", { timeout: 120_000 }, async () => {
  const house = openHouse({ correlator: { shippedRules: false, rules: [{ path: "rules.yml" }] } });
  onTestFinished(() => house.dispose());
  const [rules, log] = [join(house.dir, "rules.yml"), join(house.dir, "auth.log")];
  writeFileSync(rules, RULES);
  writeFileSync(log, LOG);
  utimesSync(log, WRITTEN, WRITTEN); // restored: some of its lines are later
  const run = house.process("run");
  await run.start();
  const where = ["--config", house.config, "--data", run.data];
  const sent = await wache("send", ...where, "--json", log);
  const { stream } = JSON.parse(sent.out) as { stream: string };
  const { code, out, error } = await wache(
    ...["eval", "--logs", "--stream", stream, "--config", house.config, log],
  );
  expect({ code, error }).toEqual({
    code: 0,
    error: expect.stringMatching(/^15 events \(15 log\)/),
  });
  expect(error).toContain("1 event before 1980");
  const lines = out.split("\n").filter((line) => line.startsWith('{"finding"'));
  const evaluated = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  expect(evaluated.map(({ count }) => count).sort()).toEqual([12, 2, 2, 2, 2, 2880, 2880, 4, 9]);
  const live = await until(
    () => everything<Finding>(run.data, "/api/findings"),
    (all) => all.length >= evaluated.length,
  );
  const shownOf = ({ id, firstMs, lastMs, count }: Finding) => ({
    ...{ finding: id, count },
    ...{ first: new Date(firstMs).toISOString(), last: new Date(lastMs).toISOString() },
  });
  const byId = (one: { readonly finding?: unknown }, other: { readonly finding?: unknown }) =>
    String(one.finding) < String(other.finding) ? -1 : 1;
  expect(
    evaluated
      .map(({ finding, first, last, count }) => ({ finding, count, first, last }))
      .sort(byId),
  ).toEqual(live.map(shownOf).sort(byId));
});

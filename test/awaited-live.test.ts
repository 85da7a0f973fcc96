// What does not come while everything runs: told while nothing is received at all, once, over a kill, and ended by the next.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Finding, Incident } from "../core/records.ts";
import { ask, everything, openHouse, until } from "./house.ts";

const RULES = `title: Heartbeat
name: heartbeat
id: 3a0f5c7e-1d2b-4c6a-8e9f-0b1c2d3e4f50
logsource: {}
detection: { beat: { message: beat }, condition: beat }
---
title: No heartbeat
id: 7c9e6679-7425-40de-944b-e07fc1f90ae7
level: high
correlation: { type: absence, rules: [heartbeat], group-by: [host.name], timespan: 2s, expected: [db1], rememberFor: 1d }
`;

test("embedded: silence is found while nothing comes, survives kill -9, and ends", {
  timeout: 120_000,
}, async () => {
  const house = openHouse({
    time: { lateness: "1s" },
    bus: { partitions: 3 },
    correlator: { shippedRules: false, rules: [{ path: "rules" }], snapshot: "1s" },
  });
  onTestFinished(() => house.dispose());
  mkdirSync(join(house.dir, "rules"));
  writeFileSync(join(house.dir, "rules", "beat.yml"), RULES);
  const run = house.process("run");
  await run.start();
  const beat = async (host: string) => {
    const token = readFileSync(join(run.data, "ingest.token"), "utf8").trim();
    const event = { "@timestamp": new Date().toISOString(), message: "beat", host: { name: host } };
    await ask(run.data, "/ingest", event, { authorization: `Bearer ${token}` });
  };
  const findings = () => everything<Finding>(run.data, "/api/findings");
  const briefly = (all: readonly Finding[]) =>
    all
      .map(({ group, absence }) =>
        [
          group["host.name"],
          absence?.sinceMs === undefined ? "never" : "seen",
          absence?.endedMs === undefined ? "open" : "ended",
        ].join(" "),
      )
      .sort();

  await beat("web1");
  const open = await until(findings, (all) => all.length === 2, 30_000);
  expect(briefly(open)).toEqual(["db1 never open", "web1 seen open"]);
  await run.kill9();
  await run.start();
  await beat("web1");
  await beat("db1");
  const ended = (all: readonly Finding[]) =>
    all.filter(({ absence }) => absence?.endedMs !== undefined).length >= 2;
  const all = await until(findings, ended, 30_000);
  expect(briefly(all)).toEqual(expect.arrayContaining(["db1 never ended", "web1 seen ended"]));
  for (const { id } of open) expect(all.filter((one) => one.id === id)).toHaveLength(1);
  const incidents = await everything<Incident>(run.data, "/api/incidents");
  expect(incidents.map(({ title }) => title).sort()).toEqual([
    "No heartbeat: db1",
    "No heartbeat: web1",
  ]);
});

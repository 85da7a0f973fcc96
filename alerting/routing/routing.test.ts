import { describe, expect, test } from "vitest";
import type { Config } from "../../core/config-schema.ts";
import { type CaseworkRecord, type DeadLetter, LEVELS, TOPIC } from "../../core/records.ts";
import { finding, HOSTILE, record } from "../fixtures/findings.ts";
import { route } from "./route.ts";
import { channelsFor, routesOf } from "./routes.ts";

const hook = { type: "webhook", url: "http://x" } as const;
const alerting = (
  channels: readonly string[],
  routes: Config["alerting"]["routes"] = [],
): Pick<Config["alerting"], "channels" | "routes"> => ({
  channels: Object.fromEntries(channels.map((name) => [name, hook])),
  routes,
});

describe("routes", () => {
  test.for([
    { name: "no channels", config: alerting([]), want: ["", "", "", "", ""] },
    {
      name: "no routes: medium and above, every channel",
      config: alerting(["b", "a"]),
      want: ["", "", "a,b", "a,b", "a,b"],
    },
    {
      name: "each route that is reached, each channel once",
      config: alerting(
        ["mail", "phone", "quiet"],
        [
          { minLevel: "low", channels: ["mail"] },
          { minLevel: "critical", channels: ["phone", "mail"] },
        ],
      ),
      want: ["", "mail", "mail", "mail", "mail,phone"],
    },
  ])("$name", ({ config, want }) => {
    const routes = routesOf(config);
    expect(LEVELS.map((level) => channelsFor(routes, level).join(","))).toEqual(want);
  });

  test("a channel that is not there is named, with those that are", () => {
    const config = alerting(["mail"], [{ minLevel: "low", channels: ["mail", "pager"] }]);
    expect(() => routesOf(config)).toThrow(
      'alerting.routes[0]: there is no channel "pager"; alerting.channels names mail;',
    );
  });
});

describe("route", () => {
  test("a finding goes to its fingerprint's incident, at the time of its record", () => {
    const given = record(TOPIC.findings, finding(), 5);
    const value: CaseworkRecord = {
      ...{ kind: "case", key: "fp1", finding: finding(), atMs: given.timestampMs },
    };
    expect(route(given)).toEqual({ topic: TOPIC.casework, key: "fp1", value });
    expect(route(given)).toEqual(route(given));
  });

  test("one of a hostile size is cut, says so, and keeps what it is", () => {
    const out = route(record(TOPIC.findings, finding(HOSTILE), 1));
    const { finding: cut } = out.value as CaseworkRecord & { kind: "case" };
    expect(JSON.stringify(out.value).length).toBeLessThan(70_000);
    expect(cut).toMatchObject({ id: "f1", count: 12, evidence: ["ev-first", "ev-last"] });
    expect([cut.bounded, Object.keys(cut.group).length]).toEqual([true, 20]);
  });

  test.for([
    { name: "no object", value: "text" },
    { name: "null", value: null },
    { name: "another kind", value: { ...finding(), kind: "tick" } },
    { name: "no fingerprint", value: { ...finding(), fingerprint: undefined } },
    { name: "a revision that is no number", value: { ...finding(), revision: "2" } },
    {
      name: "a level that is none",
      value: { ...finding(), rule: { ...finding().rule, level: "x" } },
    },
    { name: "no rule", value: { ...finding(), rule: null } },
  ])("$name is a dead letter", ({ value }) => {
    const given = { ...record(TOPIC.findings, finding(), 3), value, text: JSON.stringify(value) };
    const { topic, value: letter } = route(given);
    expect(topic).toBe(TOPIC.deadLetter);
    expect(letter as DeadLetter).toMatchObject({
      ...{ code: "alerting.bad-finding", raw: JSON.stringify(value), atMs: given.timestampMs },
    });
  });
});

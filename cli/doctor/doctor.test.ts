import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../core/clock.ts";
import { loadConfig } from "../../core/config.ts";
import type { Check, Result } from "./check.ts";
import { machineChecks } from "./machine.ts";
import { serverChecks } from "./servers.ts";

const folder = mkdtempSync(join(tmpdir(), "wache-doctor-"));
afterAll(() => rmSync(folder, { recursive: true }));
const nowMs = Date.UTC(2026, 10, 23, 12);

type Answer = { readonly status?: number; readonly body?: unknown; readonly date?: string } | Error;
async function run(
  checks: readonly Check[],
  name: string,
  options: { readonly config?: object; readonly answer?: Answer } = {},
): Promise<string[]> {
  const config = loadConfig({
    cwd: folder,
    env: {},
    overrides: { correlator: { shippedRules: false }, ...options.config },
  });
  const { answer = {} } = options;
  const fetch = async () => {
    if (answer instanceof Error) throw answer;
    return Response.json(answer.body ?? {}, {
      status: answer.status ?? 200,
      headers: answer.date === undefined ? {} : { date: answer.date },
    });
  };
  const check = checks.find((one) => one.name === name);
  if (check?.wanted(config) !== true) return ["not wanted"];
  const clock = { ...systemClock, now: () => nowMs };
  const results = await check.run({
    config,
    clock,
    fetch: fetch as unknown as typeof globalThis.fetch,
    timeoutMs: 2000,
  });
  return results.map(({ state, text }: Result) => `${state}: ${text}`);
}

const opensearch = { store: { kind: "opensearch", opensearch: { node: "http://os.test" } } };
const api = { publicUrl: "https://wache.example" };
const slack = (over: object = {}) => ({
  api,
  alerting: { channels: { team: { type: "slack", channel: "#watch", token: "xoxb-1", ...over } } },
});

test.for([
  { name: "Kafka", config: {}, want: ["not wanted"] },
  {
    name: "Kafka",
    config: { bus: { kind: "kafka" } },
    want: ["fail: bus.kafka.brokers is empty; name some of the brokers as host:port"],
  },
  { name: "OpenSearch", config: {}, want: ["not wanted"] },
  {
    name: "OpenSearch",
    config: opensearch,
    answer: { body: { version: { number: "3.4.0" } }, date: new Date(nowMs).toUTCString() },
    want: ["ok: http://os.test answers, version 3.4.0", "ok: its clock is ours"],
  },
  {
    name: "OpenSearch",
    config: opensearch,
    answer: {
      body: { version: { number: "1.3.0" } },
      date: new Date(nowMs - 61_000).toUTCString(),
    },
    want: [
      "warn: http://os.test answers as version 1.3.0; Wache is tested with OpenSearch 3",
      "warn: its clock and ours are 61 s apart; let NTP set both",
    ],
  },
  {
    name: "OpenSearch",
    config: opensearch,
    answer: { status: 401 },
    want: [
      "fail: http://os.test answers HTTP 401; check store.opensearch's node, username and password",
    ],
  },
  {
    name: "OpenSearch",
    config: opensearch,
    answer: new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") }),
    want: [
      "fail: http://os.test can't be reached: connect ECONNREFUSED; check store.opensearch's node, username and password, and that it runs",
    ],
  },
  {
    name: "channels",
    config: {},
    want: ["warn: nobody is paged: alerting.channels is empty; add Slack, email or a webhook"],
  },
  {
    name: "channels",
    config: slack(),
    answer: { body: { ok: true, user: "wache", team: "Watch" } },
    want: ["ok: alerting.channels.team: Slack knows the token (wache in Watch)"],
  },
  {
    name: "channels",
    config: { ...slack(), api: {} },
    answer: { body: { ok: true } },
    want: [
      "ok: alerting.channels.team: Slack knows the token (a bot in a team)",
      "warn: messages have no link to the incident: set api.publicUrl to the address that people use",
    ],
  },
  {
    name: "channels",
    config: slack(),
    answer: { body: { ok: false, error: "invalid_auth" } },
    want: [
      "fail: alerting.channels.team: Slack refuses the token: invalid_auth; make a bot token with chat:write and invite the bot to #watch",
    ],
  },
])("doctor, $name: $want", async ({ name, config, answer, want }) => {
  expect(
    await run(serverChecks, name, { config, ...(answer === undefined ? {} : { answer }) }),
  ).toEqual(want);
});

const mail = (port: number, requireTls: boolean) => ({
  api,
  alerting: {
    channels: {
      m: { type: "email", host: "127.0.0.1", port, requireTls, from: "a@b.test", to: ["c@d.test"] },
    },
  },
});

test("doctor greets the mail server, and says when it offers no TLS", async () => {
  const server = new SMTPServer({ hideSTARTTLS: true, authOptional: true });
  const listening = server.listen(0, "127.0.0.1");
  await new Promise((done) => listening.once("listening", done));
  const { port } = listening.address() as AddressInfo;
  const clear = await run(serverChecks, "channels", { config: mail(port, false) });
  const strict = await run(serverChecks, "channels", { config: mail(port, true) });
  await new Promise<void>((done) => server.close(() => done()));
  expect(clear).toEqual([
    `warn: alerting.channels.m: 127.0.0.1:${port} takes mail, but it may go in clear: set requireTls to true`,
  ]);
  expect(strict).toEqual([expect.stringMatching(/^fail: alerting\.channels\.m: /)]);
  const gone = await run(serverChecks, "channels", { config: mail(port, false) });
  expect(gone).toEqual([
    expect.stringMatching(/^fail: alerting\.channels\.m: connect ECONNREFUSED/),
  ]);
});

test("doctor names the port that another program has, and its key", async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
  const { port } = other.address() as AddressInfo;
  const syslog = { enabled: false };
  const found = await run(machineChecks, "ports", {
    config: { api: { port }, collectors: { syslog } },
  });
  await new Promise<void>((done) => other.close(() => done()));
  expect(found).toEqual([
    expect.stringMatching(
      new RegExp(
        `^fail: HTTP can't listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE.*; set api\\.port to a free port$`,
      ),
    ),
  ]);
  expect(
    await run(machineChecks, "ports", { config: { api: { port }, collectors: { syslog } } }),
  ).toEqual([`ok: HTTP can listen on 127.0.0.1:${port}`]);
});

test("doctor warns where there is no rule", async () => {
  expect(await run(machineChecks, "rules")).toEqual([
    expect.stringMatching(/^warn: no rule, so nothing is detected: /),
  ]);
});

test("doctor says when the data folder can't be written", async () => {
  const found = await run(machineChecks, "data folder", { config: { data: "/dev/null/x" } });
  expect(found).toEqual([expect.stringMatching(/^fail: \/dev\/null\/x can't be written: /)]);
  expect((await run(machineChecks, "data folder"))[0]).toBe(
    `ok: ${join(folder, "wache-data")} can be written`,
  );
});

// Real senders of syslog: util-linux' logger, and rsyslog over TCP.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EcsEvent } from "../core/event.ts";
import { ask, everything, type HouseProcess, openHouse, until } from "./house.ts";

const house = openHouse({ correlator: { shippedRules: false } });
const run: HouseProcess = house.process("run");
let ports: { readonly udpPort: number; readonly tcpPort: number };

const missing = (command: string): boolean => {
  const found =
    spawnSync("sh", ["-c", `command -v ${command} || command -v /usr/sbin/${command}`]).status ===
    0;
  if (!found && process.env.CI === "true") throw new Error(`${command} must be installed in CI`);
  return !found;
};
const stored = (text: string) =>
  everything<EcsEvent>(run.data, `/api/events?q=${encodeURIComponent(text)}`);

beforeAll(async () => {
  await run.start();
  const status = (await ask(run.data, "/api/status")) as {
    readonly parts: { readonly syslog: { readonly data: typeof ports } };
  };
  ports = status.parts.syslog.data;
});
afterAll(() => house.dispose());

test.skipIf(missing("logger")).for([
  {
    how: "UDP, RFC 5424",
    args: () => ["-d", "-P", String(ports.udpPort), "--rfc5424"],
    text: "udpnew",
  },
  {
    how: "UDP, RFC 3164",
    args: () => ["-d", "-P", String(ports.udpPort), "--rfc3164"],
    text: "udpold",
  },
  {
    how: "TCP, octet counting",
    args: () => ["-T", "-P", String(ports.tcpPort), "--octet-count"],
    text: "tcpcounted",
  },
  {
    how: "TCP, lines",
    args: () => ["-T", "-P", String(ports.tcpPort), "--rfc3164"],
    text: "tcplines",
  },
])("logger by $how", async ({ args, text }) => {
  const message = `Failed password for ${text} from 192.0.2.7 port 22 ssh2`;
  expect(spawnSync("logger", ["-n", "127.0.0.1", "-t", "sshd", ...args(), message]).status).toBe(0);
  const found = await until(
    () => stored(text),
    (events) => events.length > 0,
    15_000,
  );
  expect(found).toMatchObject([
    {
      message,
      process: { name: "sshd" },
      source: { ip: "192.0.2.7" },
      event: { action: "ssh_login", outcome: "failure" },
    },
  ]);
});

test.skipIf(missing("rsyslogd"))("rsyslog over TCP: every line of a file, in order", async () => {
  const folder = join(house.dir, "rsyslog");
  mkdirSync(folder);
  const log = join(folder, "app.log");
  const lines = Array.from(
    { length: 50 },
    (_, n) => `rsyslogged line ${String(n).padStart(2, "0")}`,
  );
  writeFileSync(log, `${lines.join("\n")}\n`);
  const config = join(folder, "rsyslog.conf");
  writeFileSync(
    config,
    [
      `global(workDirectory="${folder}")`,
      'module(load="imfile" mode="polling" pollingInterval="1")',
      `input(type="imfile" file="${log}" tag="app:" ruleset="out")`,
      `ruleset(name="out") { action(type="omfwd" target="127.0.0.1" port="${ports.tcpPort}" protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format") }`,
    ].join("\n"),
  );
  const rsyslog: ChildProcess = spawn("rsyslogd", ["-n", "-f", config, "-i", join(folder, "pid")], {
    stdio: "ignore",
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  try {
    const found = await until(
      () => stored("rsyslogged"),
      (events) => events.length >= lines.length,
      30_000,
    );
    expect(found.map(({ message }) => message).sort()).toEqual(lines);
  } finally {
    rsyslog.kill("SIGKILL");
  }
});

// machine.ts — checks of this machine: the data folder, free space, ports, the clock, the rules.

import { createSocket } from "node:dgram";
import { mkdir, rm, stat, statfs, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Config } from "../../core/config-schema.ts";
import { messageOf } from "../../core/errors.ts";
import { mappingFolders } from "../../core/mappings.ts";
import { packageRoot } from "../../core/package-root.ts";
import { readRunFile } from "../../core/run-files.ts";
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { loadRules } from "../../correlator/sigma/load.ts";
import { type Check, fail, ok, type Result, warn } from "./check.ts";

const MIB = 1024 * 1024;
const FREE_FAIL_MIB = 200;
const FREE_WARN_MIB = 2048;
const CLOCK_OFF_MS_MAX = 2000;
const SYSLOG_PORT = 5514;
const always = (): boolean => true;

export const machineChecks: readonly Check[] = [
  { name: "data folder", wanted: always, run: ({ config }) => checkFolder(config.data) },
  { name: "clock", wanted: always, run: ({ config, clock }) => checkClock(config.data, clock.now) },
  { name: "ports", wanted: always, run: ({ config }) => checkPorts(config) },
  { name: "rules", wanted: always, run: ({ config }) => checkRules(config) },
];

async function checkFolder(dataDir: string): Promise<Result[]> {
  const probe = join(dataDir, "doctor.probe");
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await writeFile(probe, "x");
    await rm(probe);
  } catch (error) {
    return [
      fail(
        `${dataDir} can't be written: ${messageOf(error)}; let this user own it, or choose another with the key data`,
      ),
    ];
  }
  const { mode } = await stat(dataDir);
  const { bavail, bsize } = await statfs(dataDir);
  const freeMib = Math.floor((bavail * bsize) / MIB);
  const space = `${freeMib} MiB free in ${dataDir}`;
  return [
    ok(`${dataDir} can be written`),
    ...((mode & 0o007) === 0
      ? []
      : [warn(`${dataDir} can be read by everyone on this machine; chmod 700 it`)]),
    freeMib < FREE_FAIL_MIB
      ? fail(`${space}; make room, or lower store.retention`)
      : freeMib < FREE_WARN_MIB
        ? warn(`${space}; make room before it is full, or lower store.retention`)
        : ok(space),
  ];
}

/** A folder on another machine has that machine's clock. */
async function checkClock(dataDir: string, now: () => number): Promise<Result[]> {
  const probe = join(dataDir, "doctor.probe");
  try {
    const beforeMs = now();
    await writeFile(probe, String(beforeMs));
    const { mtimeMs } = await stat(probe);
    await rm(probe);
    const offMs = Math.round(Math.max(beforeMs - mtimeMs, mtimeMs - now(), 0));
    return [
      offMs > CLOCK_OFF_MS_MAX
        ? warn(`the clock is ${offMs} ms off the data folder's; let NTP set both`)
        : ok(`${new Date(now()).toISOString()}, as the data folder's`),
    ];
  } catch (error) {
    return [warn(`not compared: ${messageOf(error)}`)];
  }
}

async function checkPorts(config: Config): Promise<Result[]> {
  const run = readRunFile(config.data);
  if (run !== undefined && isAlive(run.pid))
    return [ok(`Wache runs here already (pid ${run.pid}, ${run.address})`)];
  const { api, collectors } = config;
  const { syslog } = collectors;
  const tcp = [
    { name: "HTTP", key: "api.port", host: api.host, port: api.port },
    ...(syslog.enabled
      ? [
          {
            name: "syslog TCP",
            key: "collectors.syslog.tcpPort",
            host: syslog.host,
            port: syslog.tcpPort ?? SYSLOG_PORT,
          },
        ]
      : []),
  ];
  const results = await Promise.all(tcp.map(async (one) => said(one, await tcpFault(one))));
  if (!syslog.enabled) return results;
  const udp = {
    name: "syslog UDP",
    key: "collectors.syslog.udpPort",
    host: syslog.host,
    port: syslog.udpPort ?? SYSLOG_PORT,
  };
  return [...results, said(udp, await udpFault(udp))];
}

type Port = {
  readonly name: string;
  readonly key: string;
  readonly host: string;
  readonly port: number;
};

const said = ({ name, key, host, port }: Port, fault: string | undefined): Result =>
  fault === undefined
    ? ok(`${name} can listen on ${host}:${port}`)
    : fail(`${name} can't listen on ${host}:${port}: ${fault}; set ${key} to a free port`);

const tcpFault = ({ host, port }: Port): Promise<string | undefined> =>
  new Promise((done) => {
    const server = createServer();
    server.once("error", (error) => done(messageOf(error)));
    server.listen(port, host, () => server.close(() => done(undefined)));
  });

const udpFault = ({ host, port }: Port): Promise<string | undefined> =>
  new Promise((done) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.once("error", (error) => {
      socket.close();
      done(messageOf(error));
    });
    socket.bind(port, host, () => socket.close(() => done(undefined)));
  });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function checkRules(config: Config): Promise<Result[]> {
  const { correlator } = config;
  const shipped = { path: join(packageRoot(), "rules"), lenient: false };
  const folders = [...(correlator.shippedRules ? [shipped] : []), ...correlator.rules];
  const { set, problems } = await loadRules(folders, ruleDisk, {
    mappings: mappingFolders(config),
    placeholders: new Map(Object.entries(correlator.placeholders)),
    assets: correlator.assets,
  });
  if (set === undefined)
    return [
      fail(`refused: ${problems[0]?.at}: ${problems[0]?.message}; wache rules validate shows all`),
    ];
  const { detections, correlations } = set;
  if (detections.length + correlations.length === 0)
    return [
      warn(
        "no rule, so nothing is detected: put rules into a folder that correlator.rules names, or set correlator.shippedRules to true",
      ),
    ];
  return [ok(`${detections.length} detections and ${correlations.length} correlations load`)];
}

// bench.ts — the whole way on embedded storage: events a second, latency from line to finding, memory, idle CPU.
//
// A real `wache run` with all shipped rules; an event counts once it is in the store. `node bench/bench.ts [lines]`
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, openHouse } from "../test/house.ts";
import { quantile, shown } from "./figures.ts";

const LINES = Number(process.argv[2] ?? 200_000);
const LATENCY_ROUNDS = 40;
const BATCH = 2000;

const GROUPS = 100_000;
const GROUPS_A_SOURCE = 4; // rules that group failed sign-ins by address
const PACED_A_SECOND = 5000;

type Row = readonly [what: string, value: string];
type Running = {
  readonly data: string;
  readonly address: string;
  readonly pid: number;
  readonly tcpPort: number;
  readonly token: string;
};

const address = (n: number): string => `10.${n % 200}.${(n * 7) % 250}.${(n * 13) % 250}`;
const failure = (n: number, from = address(n)): string =>
  `Failed password for invalid user user${n % 700} from ${from} port ${1024 + (n % 60_000)} ssh2`;
/** What a busy server writes: a quarter are failures. */
const usual = (n: number): string =>
  [
    failure(n),
    `Received disconnect from ${address(n)} port ${1024 + (n % 60_000)}:11: Bye Bye [preauth]`,
    `Accepted publickey for user${n % 50} from 10.9.9.${n % 250} port ${1024 + (n % 60_000)} ssh2`,
    `pam_unix(sshd:session): session opened for user user${n % 50} by (uid=0)`,
  ][n % 4] ?? "";
const stamp = (): string => new Date().toISOString();
const rfc5424 = (n: number, message: string): string =>
  `<38>1 ${stamp()} web${n % 20} sshd ${1000 + (n % 30_000)} - - ${message}`;
const json = (n: number): string =>
  JSON.stringify({
    "@timestamp": stamp(),
    message: usual(n),
    host: { name: `web${n % 20}` },
    user: { name: `user${n % 50}` },
    event: { action: "login", outcome: n % 4 === 0 ? "failure" : "success" },
  });

type Lane = {
  readonly name: string;
  readonly send: (running: Running) => Promise<void>;
  readonly lines: number;
  readonly also?: (running: Running) => Promise<Row[]>;
};
const LANES: readonly Lane[] = [
  { name: "NDJSON over HTTP", send: sendNdjson, lines: LINES, also: latencyAndIdle },
  { name: "syslog over TCP", send: (to) => sendSyslog(to, { line: usual }), lines: LINES },
  {
    name: "syslog over TCP, every line an attack",
    send: (to) => sendSyslog(to, { line: failure }),
    lines: LINES,
  },
  {
    name: `${GROUPS / 1000},000 live groups, ${PACED_A_SECOND} lines/s`,
    send: (to) =>
      sendSyslog(to, {
        line: (n) => failure(n, `10.${n % 250}.${Math.floor(n / 250) % 250}.${n % 200}`),
        lines: GROUPS / GROUPS_A_SOURCE,
        aSecond: PACED_A_SECOND,
      }),
    lines: GROUPS / GROUPS_A_SOURCE,
  },
];

async function main(): Promise<void> {
  const rows: Row[] = [];
  for (const lane of LANES) rows.push(...(await measured(lane)));
  for (const [what, value] of rows) console.log(`${what.padEnd(60)} ${value}`);
}

async function measured({ name, send, lines, also }: Lane): Promise<Row[]> {
  const house = openHouse({ collectors: { syslog: { tcpPort: 0, udpPort: 0 } } });
  try {
    const run = house.process("run");
    const startedMs = performance.now();
    await run.start();
    const readyMs = performance.now() - startedMs;
    const running = await runningOf(run.data);
    const fromMs = performance.now();
    await send(running);
    await stored(running, lines);
    const seconds = (performance.now() - fromMs) / 1000;
    const groups = await metric(running, "wache_correlate_groups");
    const rows: Row[] = [
      [`${name}: stored and searchable`, `${Math.round(lines / seconds)} events/s`],
      [`${name}: live groups, memory`, `${groups}, ${rssMiB(running.pid)} MiB resident`],
    ];
    if (also)
      rows.unshift(["start to ready", `${Math.round(readyMs)} ms`], ...(await also(running)));
    await run.stop();
    return rows;
  } finally {
    await house.dispose();
  }
}

async function latencyAndIdle(running: Running): Promise<Row[]> {
  const latencies = await latencyMs(running);
  return [
    [
      "line to finding p50 / p99",
      `${shown(quantile(latencies, 0.5))} / ${shown(quantile(latencies, 0.99))} ms`,
    ],
    ["idle CPU over 10 s", `${await idleCpu(running.pid)} %`],
  ];
}

async function runningOf(data: string): Promise<Running> {
  const { address, pid } = JSON.parse(readFileSync(join(data, "run.json"), "utf8")) as {
    readonly address: string;
    readonly pid: number;
  };
  const status = (await ask(data, "/api/status")) as {
    readonly parts: { readonly syslog: { readonly data: { readonly tcpPort: number } } };
  };
  return {
    data,
    address,
    pid,
    tcpPort: status.parts.syslog.data.tcpPort,
    token: readFileSync(join(data, "ingest.token"), "utf8").trim(),
  };
}

async function post({ address, token }: Running, body: string): Promise<void> {
  const answer = await fetch(`${address}/ingest`, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" },
  });
  if (answer.status === 503) {
    await sleep(100);
    await post({ address, token } as Running, body);
  } else if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
}

async function sendNdjson(running: Running): Promise<void> {
  for (let n = 0; n < LINES; n += BATCH) {
    const lines = Array.from({ length: Math.min(BATCH, LINES - n) }, (_, k) => json(n + k));
    await post(running, lines.join("\n"));
  }
}

async function sendSyslog(
  { tcpPort }: Running,
  what: {
    readonly line: (n: number) => string;
    readonly lines?: number;
    readonly aSecond?: number;
  },
): Promise<void> {
  const { line, lines = LINES, aSecond = Number.POSITIVE_INFINITY } = what;
  const socket = connect(tcpPort, "127.0.0.1");
  const batch = Math.min(BATCH, aSecond / 10);
  const fromMs = performance.now();
  for (let n = 0; n < lines; n += batch) {
    const some = Array.from(
      { length: Math.min(batch, lines - n) },
      (_, k) => `${rfc5424(n + k, line(n + k))}\n`,
    );
    const waitMs = (n / aSecond) * 1000 - (performance.now() - fromMs);
    if (waitMs > 0) await sleep(waitMs);
    if (!socket.write(some.join(""))) await new Promise((resolve) => socket.once("drain", resolve));
  }
  await new Promise<void>((resolve) => socket.end(resolve));
}

async function metric({ address }: Running, name: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text();
  return Number(
    new RegExp(`^${name.replaceAll(/[{}"]/g, "\\$&")} (\\S+)`, "m").exec(text)?.[1] ?? 0,
  );
}

async function stored(running: Running, wanted: number): Promise<void> {
  while ((await metric(running, 'wache_store_records_total{into="events"}')) < wanted)
    await sleep(50);
}

/** One address fails eight times at once; how long until its incident can be read. */
async function latencyMs(running: Running): Promise<number[]> {
  const found: number[] = [];
  for (let round = 0; round < LATENCY_ROUNDS; round++) {
    const address = `203.0.113.${round + 1}`;
    const lines = Array.from(
      { length: 8 },
      (_, n) =>
        `${stamp()} web1 sshd[1]: Failed password for root from ${address} port ${n + 1024} ssh2`,
    );
    const fromMs = performance.now();
    await post(running, lines.join("\n"));
    for (;;) {
      const { items } = (await ask(
        running.data,
        `/api/findings?q=${encodeURIComponent(`group.source.ip:${address}`)}&limit=1`,
      )) as { readonly items: readonly unknown[] };
      if (items.length > 0) break;
      await sleep(5);
    }
    found.push(performance.now() - fromMs);
  }
  return found.sort((a, b) => a - b);
}

const rssMiB = (pid: number): number =>
  Math.round(
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024,
  );

function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return Number(fields[11]) + Number(fields[12]); // utime and stime, 1/100 s
}

async function idleCpu(pid: number): Promise<number> {
  await sleep(3000);
  const before = cpuTicks(pid);
  await sleep(10_000);
  return (cpuTicks(pid) - before) / 10;
}

await main();

// bench.ts — the whole way on embedded storage: events a second, latency from line to finding, memory, idle CPU.
//
// A real `wache run` with all shipped rules; an event counts once it is in the store. `node bench/bench.ts [lines]`
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, openHouse } from "../test/house.ts";

const LINES = Number(process.argv[2] ?? 200_000);
const LATENCY_ROUNDS = 40;
const BATCH = 2000;

type Row = readonly [what: string, value: string];
type Running = {
  readonly data: string;
  readonly address: string;
  readonly pid: number;
  readonly tcpPort: number;
  readonly token: string;
};

const sshd = (n: number): string =>
  `sshd[${1000 + (n % 30_000)}]: Failed password for invalid user user${n % 700} from 10.${n % 200}.${(n * 7) % 250}.${(n * 13) % 250} port ${1024 + (n % 60_000)} ssh2`;
const stamp = (): string => new Date().toISOString();

async function main(): Promise<void> {
  const rows: Row[] = [];
  for (const kind of ["NDJSON over HTTP", "syslog over TCP"] as const) {
    const house = openHouse({ collectors: { syslog: { tcpPort: 0, udpPort: 0 } } });
    const run = house.process("run");
    const startedMs = performance.now();
    await run.start();
    if (kind === "NDJSON over HTTP")
      rows.push(["start to ready", `${Math.round(performance.now() - startedMs)} ms`]);
    const running = await runningOf(run.data);
    const fromMs = performance.now();
    if (kind === "NDJSON over HTTP") await sendNdjson(running);
    else await sendSyslog(running);
    await stored(running, LINES);
    const seconds = (performance.now() - fromMs) / 1000;
    rows.push([`${kind}, stored and searchable`, `${Math.round(LINES / seconds)} events/s`]);
    rows.push([`${kind}, memory after ${LINES} events`, `${rssMiB(running.pid)} MiB resident`]);
    if (kind === "NDJSON over HTTP") {
      const latencies = await latencyMs(running);
      rows.push(["line to finding p50 / p99", `${at(latencies, 0.5)} / ${at(latencies, 0.99)} ms`]);
      rows.push(["idle CPU over 10 s", `${await idleCpu(running.pid)} %`]);
    }
    await run.stop();
    await house.dispose();
  }
  for (const [what, value] of rows) console.log(`${what.padEnd(48)} ${value}`);
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
    const size = Math.min(BATCH, LINES - n);
    const lines = Array.from({ length: size }, (_, k) =>
      JSON.stringify({
        "@timestamp": stamp(),
        message: sshd(n + k),
        host: { name: `web${k % 20}` },
      }),
    );
    await post(running, lines.join("\n"));
  }
}

async function sendSyslog({ tcpPort }: Running): Promise<void> {
  const socket = connect(tcpPort, "127.0.0.1");
  for (let n = 0; n < LINES; n += BATCH) {
    const size = Math.min(BATCH, LINES - n);
    const lines = Array.from(
      { length: size },
      (_, k) =>
        `<38>1 ${stamp()} web${k % 20} sshd ${1000 + (k % 30_000)} - - ${sshd(n + k).replace(/^sshd\[\d+\]: /, "")}\n`,
    );
    if (!socket.write(lines.join("")))
      await new Promise((resolve) => socket.once("drain", resolve));
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

const at = (sorted: readonly number[], share: number): number =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
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

// scale.ts — the whole way over Kafka with one, two and four correlators: events a second, and latency at half of that.
//
// Run:   npm run bench:scale [-- --events 200000]   (the broker's own limit: node bench/bus.ts)
// Holds: real processes and a real broker on this machine, 8 partitions; the events count as through once the findings
//        of attacks that were sent behind them, on every partition, are there. All of them share this machine's cores, so more processes can't be faster than it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import pino from "pino";
import type { Bus } from "../core/bus/bus.ts";
import { openKafkaBus } from "../core/bus/kafka.ts";
import { systemClock } from "../core/clock.ts";
import { type Finding, TOPIC } from "../core/records.ts";
import { type House, type HouseProcess, openHouse } from "../test/house.ts";
import { startKafka } from "../test/servers/kafka.ts";
import { quantile } from "./figures.ts";

const CORRELATORS: readonly number[] = [1, 2, 4];
const DETECTORS_MAX = 2;
const PARTITIONS = 8;
const BATCH_LINES = 2000;
const PACED_BATCH_LINES = 200;
const LATENCY_ROUNDS = 60;
const LATENCY_S = 20;
const GROUPS = 10_000;
const POLL_MS = 50;
const MARKERS = 64; // addresses whose findings tell that all before them is through, whatever the partition
const PATIENCE_MS = 120_000;

const { values } = parseArgs({ options: { events: { type: "string", default: "200000" } } });
const EVENTS = Number(values.events);

type Door = { readonly address: string; readonly token: string };

/** A fifth are failed sign-ins, of as many addresses as there are groups. */
const line = (n: number): string =>
  JSON.stringify({
    "@timestamp": new Date().toISOString(),
    message:
      n % 5 === 0 ? failure(`10.${n % 100}.${Math.floor(n / 100) % 100}.7`) : "session opened",
    host: { name: `web${n % 50}` },
    process: { name: "sshd" },
    event: { action: "login", outcome: n % 5 === 0 ? "failure" : "success" },
    source: { ip: `10.${n % 100}.${Math.floor(n / 100) % (GROUPS / 100)}.7` },
  });
const failure = (address: string): string =>
  `Failed password for root from ${address} port 4022 ssh2`;
const attackOf = (address: string, host = "web1"): string =>
  Array.from(
    { length: 8 },
    () => `${new Date().toISOString()} ${host} sshd[1]: ${failure(address)}`,
  ).join("\n");

async function main(): Promise<void> {
  const kafka = await startKafka();
  if ("skip" in kafka) {
    console.log(`Kafka is not there: ${kafka.skip}`);
    return;
  }
  try {
    for (const correlators of CORRELATORS)
      console.log(await measured(correlators, [...kafka.brokers]));
  } finally {
    await kafka.stop();
  }
}

async function measured(correlators: number, brokers: readonly string[]): Promise<string> {
  const prefix = `scale${correlators}`;
  const house = openHouse({
    bus: { kind: "kafka", partitions: PARTITIONS, kafka: { brokers, prefix } },
  });
  const bus = await openKafkaBus(
    { brokers: [...brokers], prefix, clientId: "scale", replicationFactor: 1, ssl: false },
    { log: pino({ level: "silent" }), clock: systemClock },
  );
  try {
    const collect = await started(house, correlators);
    const way = { door: doorOf(collect.data), findings: await Findings.of(bus) };
    await send(way.door, { lines: BATCH_LINES }); // warm
    await allThrough(way, "198.51.100");
    const fromMs = performance.now();
    await send(way.door, { lines: EVENTS });
    await allThrough(way, "192.0.2");
    const aSecond = EVENTS / ((performance.now() - fromMs) / 1000);
    const latencies = await latenciesMs(way, aSecond / 2);
    await way.findings.close();
    const shown = [0.5, 0.99].map((share) => Math.round(quantile(latencies, share)));
    return `${correlators} correlators: ${Math.round(aSecond)} events/s; at half of that event to finding p50 / p99 ${shown.join(" / ")} ms`;
  } finally {
    await bus.close();
    await house.dispose();
  }
}

async function started(house: House, correlators: number): Promise<HouseProcess> {
  const collect = house.process("collect");
  const others = [
    ...Array.from({ length: Math.min(correlators, DETECTORS_MAX) }, (_, n) =>
      house.process("detect", `detect-${n}`),
    ),
    ...Array.from({ length: correlators }, (_, n) => house.process("correlate", `correlate-${n}`)),
  ];
  for (const one of [collect, ...others]) await one.start();
  return collect;
}

function doorOf(data: string): Door {
  const { address } = JSON.parse(readFileSync(join(data, "run.json"), "utf8")) as Door;
  return { address, token: readFileSync(join(data, "ingest.token"), "utf8").trim() };
}

async function send(
  door: Door,
  { lines, aSecond = Number.POSITIVE_INFINITY }: { readonly lines: number; aSecond?: number },
): Promise<void> {
  const batch = Number.isFinite(aSecond) ? PACED_BATCH_LINES : BATCH_LINES;
  const fromMs = performance.now();
  for (let n = 0; n < lines; n += batch) {
    const waitMs = (n / aSecond) * 1000 - (performance.now() - fromMs);
    if (waitMs > 0) await sleep(waitMs);
    const some = Array.from({ length: Math.min(batch, lines - n) }, (_, k) => line(n + k));
    await post(door, some.join("\n"));
  }
}

async function post({ address, token }: Door, body: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${address}/ingest`, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" },
    });
    const text = await answer.text();
    if (answer.ok) return;
    if (answer.status !== 503) throw new Error(`${answer.status}: ${text}`);
    await sleep(POLL_MS);
  }
}

type Way = { readonly door: Door; readonly findings: Findings };

async function allThrough({ door, findings }: Way, network: string): Promise<void> {
  const markers = Array.from({ length: MARKERS }, (_, n) => `${network}.${n + 1}`);
  await post(door, markers.map((address, n) => attackOf(address, `web${n % 50}`)).join("\n"));
  for (const address of markers) await findings.of(address);
}

/** While lines come at this pace, one address after the other fails eight times at once: how long until its finding is on the bus. */
async function latenciesMs({ door, findings }: Way, aSecond: number): Promise<number[]> {
  const found: number[] = [];
  const load = send(door, { lines: Math.round(aSecond * LATENCY_S), aSecond });
  for (let round = 0; round < LATENCY_ROUNDS; round++) {
    const address = `203.0.113.${round + 1}`;
    const fromMs = performance.now();
    await post(door, attackOf(address));
    found.push((await findings.of(address)) - fromMs);
    await sleep((LATENCY_S * 1000) / LATENCY_ROUNDS / 2);
  }
  await load;
  return found.sort((a, b) => a - b);
}

/** When the first finding of each address was on the bus. */
class Findings {
  readonly #atMs = new Map<string, number>();
  #close: () => Promise<void> = async () => {};

  static async of(bus: Bus): Promise<Findings> {
    const findings = new Findings();
    const consumer = await bus.consume({
      group: "scale",
      topic: TOPIC.findings,
      onBatch: async ({ records }) => {
        for (const { value } of records) {
          const address = (value as Finding).group["source.ip"] ?? "";
          if (!findings.#atMs.has(address)) findings.#atMs.set(address, performance.now());
        }
      },
    });
    findings.#close = () => consumer.close();
    return findings;
  }

  async of(address: string): Promise<number> {
    const endMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const atMs = this.#atMs.get(address);
      if (atMs !== undefined) return atMs;
      if (performance.now() > endMs) throw new Error(`no finding of ${address}`);
      await sleep(2);
    }
  }

  close(): Promise<void> {
    return this.#close();
  }
}

await main();

// live.ts — the live path: deliveries as streams, side by side, into Kafka, through two `detect` and two `correlate`
// with small heaps and queues, each of which is killed under load, as is the collector.
//
// Out:   the findings as they stand on the bus in the end, and when the first of each stream was there.
import pino from "pino";
import type { Bus } from "../../core/bus/bus.ts";
import { openKafkaBus } from "../../core/bus/kafka.ts";
import { systemClock } from "../../core/clock.ts";
import { type Finding, TOPIC } from "../../core/records.ts";
import type { Chance } from "../chance.ts";
import { type House, type HouseProcess, openHouse, until } from "../house.ts";
import { kafkaLogIsCut } from "../log-cut.ts";
import { evaluated, RULES } from "./eval.ts";
import { startSending } from "./sending.ts";
import { type Delivery, type Found, idsThatDiffer } from "./truth.ts";
import { killed, sendUnderFire } from "./under-fire.ts";

const HEAP_MIB = 128;
const PARTITIONS = 8;
const QUEUE_BYTES_MAX = 1_048_576; // of the collector's events
const KAFKA_QUEUE_BYTES_MAX = 65_536; // of each process's records on their way to Kafka
const BATCH_LINES_MAX = 1000;
const FIRST_MS_MAX = 60_000;

export type LiveOutcome = {
  readonly delivery: Delivery;
  readonly found: readonly Found[];
  readonly ids: readonly string[]; // that differ from what eval gives
  readonly early: number; // findings on the bus before the last lines were sent
  readonly contradictions: number; // records of one id and revision that say different things
};

export async function overKafka(how: {
  readonly deliveries: readonly Delivery[]; // of one lateness
  readonly kafka: { readonly brokers: string[]; readonly prefix: string };
  readonly chance: Chance;
  readonly say: (text: string) => void;
}): Promise<readonly LiveOutcome[]> {
  const { deliveries, kafka, chance, say } = how;
  const house = openHouse({
    time: { lateness: deliveries[0]?.lateness },
    collectors: { queueBytesMax: QUEUE_BYTES_MAX },
    correlator: { shippedRules: false, rules: [{ path: RULES }], snapshot: "500ms" },
    bus: {
      kind: "kafka",
      partitions: PARTITIONS,
      kafka: { ...kafka, queueBytesMax: KAFKA_QUEUE_BYTES_MAX },
    },
  });
  const log = new FindingsLog(kafka);
  try {
    const [collect, ...pairs] = await startFive(house);
    await log.open();
    const what = deliveries.map((delivery) => ({ delivery, stream: streamOf(delivery) }));
    const to = { data: collect.data, batchLinesMax: BATCH_LINES_MAX, chance };
    using sending = startSending(what, to);
    await sendUnderFire({
      ...{ sending, chance, say },
      victims: shuffled([collect, ...pairs], chance).map(killed),
      logIsCut: () => kafkaLogIsCut(kafka),
    });
    const early = await log.firstOf(what.map(({ stream }) => stream));
    sending.allow(Number.POSITIVE_INFINITY);
    await sending.sent;
    await sending.end();
    await kafkaLogIsCut(kafka); // all events are through detect
    await kafkaLogIsCut(kafka); // all that came of them is through correlate
    await log.read();
    for (const one of [...pairs, collect]) {
      const code = await one.stop();
      if (code !== 0) throw new Error(`${one.name} ended with ${code}`);
    }
    return await Promise.all(
      what.map(async ({ delivery, stream }) => {
        const found = log.foundIn(stream);
        return {
          ...{ delivery, found, contradictions: log.contradictions },
          ids: idsThatDiffer(found, await evaluated(delivery, stream)),
          early: early.get(stream) ?? 0,
        };
      }),
    );
  } finally {
    await log.close();
    await house.dispose();
  }
}

const streamOf = ({ name }: Delivery): string => `trust-${name}`;

async function startFive(house: House): Promise<readonly [HouseProcess, ...HouseProcess[]]> {
  const small = [`--max-old-space-size=${HEAP_MIB}`];
  const of = (verb: string, name = verb): HouseProcess => house.process(verb, name, small);
  const collect = of("collect");
  const pairs = ["detect", "correlate"].flatMap((verb) =>
    [1, 2].map((n) => of(verb, `${verb}-${n}`)),
  );
  await Promise.all([collect, ...pairs].map((one) => one.start()));
  return [collect, ...pairs];
}

function shuffled<T>(all: readonly T[], chance: Chance): T[] {
  return all
    .map((one) => ({ one, at: chance() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

/** What stands on the findings topic, every record of it. */
class FindingsLog {
  contradictions = 0;
  readonly #kafka: { readonly brokers: string[]; readonly prefix: string };
  readonly #newest = new Map<string, Finding>();
  readonly #told = new Map<string, string>(); // by id and revision
  readonly #next = new Array<number>(PARTITIONS).fill(0);
  #bus: Bus | undefined;

  constructor(kafka: { readonly brokers: string[]; readonly prefix: string }) {
    this.#kafka = kafka;
  }

  async open(): Promise<void> {
    const options = { ...this.#kafka, clientId: "trust", replicationFactor: 1, ssl: false };
    const log = pino({ level: "silent" });
    this.#bus = await openKafkaBus(options, { log, clock: systemClock });
    const name = TOPIC.findings;
    const spec = { name, partitions: PARTITIONS, retentionMs: 86_400_000, compacted: false };
    await this.#bus.ensureTopics([spec]);
  }

  async read(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const records = this.#bus?.read(TOPIC.findings, partition, this.#next[partition] ?? 0) ?? [];
      for await (const { offset, value, text } of records) {
        this.#next[partition] = offset + 1;
        this.#take(value as Finding, text);
      }
    }
  }

  #take(finding: Finding, text: string): void {
    const { id, revision } = finding;
    const name = `${id} ${revision}`;
    if ((this.#told.get(name) ?? text) !== text) this.contradictions += 1;
    this.#told.set(name, text);
    if (revision >= (this.#newest.get(id)?.revision ?? 0)) this.#newest.set(id, finding);
  }

  /** How many findings each stream has, once each has one. */
  async firstOf(streams: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const counts = async (): Promise<Map<string, number>> => {
      await this.read();
      return new Map(streams.map((stream) => [stream, this.foundIn(stream).length]));
    };
    const isThere = (found: ReadonlyMap<string, number>) =>
      [...found.values()].every((count) => count > 0);
    const found = await until(counts, isThere, FIRST_MS_MAX);
    if (found instanceof Error) throw found;
    return found;
  }

  foundIn(stream: string): Found[] {
    const all = [...this.#newest.values()].filter((finding) => finding.stream === stream);
    const superseded = new Set(all.flatMap(({ supersedes }) => supersedes ?? []));
    return all
      .filter(({ id, withdrawn }) => !superseded.has(id) && !withdrawn)
      .map(({ id, group, firstMs, lastMs, count }) => ({
        ...{ id, user: group["User"] ?? "", firstMs, lastMs, count },
      }));
  }

  async close(): Promise<void> {
    await this.#bus?.close();
  }
}

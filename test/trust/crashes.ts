// crashes.ts — delivery E: a delivery over HTTP to one running Wache that is killed again and again.
//
// In:    events of a delivery, as a stream or as live events (then shifted, so that the last one is now).
// Out:   the findings that stand in the store in the end, the incidents, the pages that were sent.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Chance } from "../chance.ts";
import { everything, type HouseProcess, openHouse, until } from "../house.ts";
import { embeddedLogIsCut, kafkaLogIsCut } from "../log-cut.ts";
import { outcomeOf } from "../outcome.ts";
import { startWebhook, type WebhookStandIn } from "../servers/webhook.ts";
import { evaluated, linesOf, RULES } from "./eval.ts";
import { startSending } from "./sending.ts";
import { type Delivery, type Found, idsThatDiffer, isExact, scoreOf } from "./truth.ts";
import { killed, sendUnderFire } from "./under-fire.ts";

const BATCH_LINES_MAX = 200;
const PATIENCE_MS = 120_000;
const QUIET_POLLS = 10;
const PARTITIONS = 4;

export type CrashOutcome = {
  readonly found: readonly Found[];
  readonly ids: readonly string[]; // that differ from what eval gives
  readonly faults: readonly string[]; // what is wrong with incidents, pages and stored events
  readonly kills: number;
  readonly repeats: number;
  readonly shiftMs: number; // of the events' times
};

export async function underCrashes(how: {
  readonly delivery: Delivery;
  readonly as: "stream" | "live";
  readonly kafka?: { readonly brokers: string[]; readonly prefix: string };
  readonly kills: number;
  readonly chance: Chance;
  readonly say: (text: string) => void;
}): Promise<CrashOutcome> {
  const { as, kafka, kills, chance, say } = how;
  const hook = await startWebhook();
  const house = openHouse({
    time: { lateness: as === "live" ? "1d" : how.delivery.lateness },
    collectors: { queueBytesMax: 1_048_576 },
    correlator: { shippedRules: false, rules: [{ path: RULES }], snapshot: "500ms" },
    alerting: { snapshot: "500ms", channels: { hook: { type: "webhook", url: hook.url } } },
    bus: kafka
      ? { kind: "kafka", partitions: PARTITIONS, kafka }
      : { retention: "500ms", partitions: PARTITIONS },
  });
  try {
    const run = house.process("run");
    const delivery =
      as === "live" ? untilNow(how.delivery, house.dir) : { ...how.delivery, shiftMs: 0 };
    const stream = as === "live" ? undefined : "trust-e";
    const wanted = await evaluated({ ...delivery, lateness: "1d" }, stream);
    const logIsCut = () => (kafka ? kafkaLogIsCut(kafka) : embeddedLogIsCut(run.data));
    await run.start();
    const what = [{ delivery, ...(stream !== undefined && { stream }) }];
    using sending = startSending(what, { data: run.data, batchLinesMax: BATCH_LINES_MAX, chance });
    await sendUnderFire({
      ...{ sending, chance, say },
      victims: Array.from({ length: kills }, () => killed(run)),
      logIsCut,
    });
    sending.allow(Number.POSITIVE_INFINITY);
    await sending.sent;
    await sending.end();
    await logIsCut(); // all events are through detect
    await logIsCut(); // all that came of them is through correlate
    const found = await settled(run, delivery);
    const faults = [await incidentFaults(run, { delivery, hook }), await storeFault(run, delivery)];
    const code = await run.stop();
    if (code !== 0) throw new Error(`wache run ended with ${code}`);
    return {
      ...{
        found,
        kills,
        faults: faults.filter((fault) => fault !== ""),
        repeats: sending.repeats(),
        shiftMs: delivery.shiftMs,
      },
      ids: idsThatDiffer(found, wanted),
    };
  } finally {
    await house.dispose();
    await hook.close();
  }
}

/** The same events, so much later that the last one is now. */
export function untilNow(delivery: Delivery, dir: string): Delivery & { readonly shiftMs: number } {
  const events = linesOf(delivery.file).map((line) => JSON.parse(line) as Timed);
  const lastMs = events.reduce((most, one) => Math.max(most, Date.parse(one["@timestamp"])), 0);
  const shiftMs = Date.now() - lastMs;
  const file = join(dir, "live.ndjson");
  const shifted = (ms: number) => new Date(ms + shiftMs).toISOString();
  const lines = events.map((one) =>
    JSON.stringify({ ...one, "@timestamp": shifted(Date.parse(one["@timestamp"])) }),
  );
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  const truth = delivery.truth.map((one) => ({
    ...one,
    firstMs: one.firstMs + shiftMs,
    lastMs: one.lastMs + shiftMs,
  }));
  return { ...delivery, file, truth, shiftMs };
}
type Timed = { readonly "@timestamp": string };

/** The unsuperseded findings in the store once they are the truth and stay it; else when nothing changes any more. */
async function settled(run: HouseProcess, { truth }: Delivery): Promise<Found[]> {
  let last = "";
  let same = 0;
  const found = await until(
    async () => foundIn(await outcomeOf(run.data)),
    (now) => {
      const text = JSON.stringify(now);
      same = text === last ? same + 1 : 0;
      last = text;
      return same >= (isExact(scoreOf(now, truth)) ? QUIET_POLLS : 10 * QUIET_POLLS);
    },
    PATIENCE_MS,
  );
  if (found instanceof Error) throw found;
  return found;
}

const foundIn = ({ findings }: Awaited<ReturnType<typeof outcomeOf>>): Found[] =>
  findings.map(({ id, group, firstMs, lastMs, count }) => ({
    ...{ id, user: group["User"] ?? "", firstMs, lastMs, count },
  }));

/** One incident a user with all that the episodes count, and one page an incident: what differs, in words. */
async function incidentFaults(
  run: HouseProcess,
  { delivery, hook }: { readonly delivery: Delivery; readonly hook: WebhookStandIn },
): Promise<string> {
  const wanted = new Map<string, number>();
  for (const { user, count } of delivery.truth) wanted.set(user, (wanted.get(user) ?? 0) + count);
  const look = async (): Promise<string> => {
    const incidents = await everything<{
      readonly id: string;
      readonly count: number;
      readonly group: Readonly<Record<string, string>>;
    }>(run.data, "/api/incidents");
    const got = new Map(incidents.map(({ group, count }) => [group["User"] ?? "", count]));
    const wrong = [...wanted].filter(([user, count]) => got.get(user) !== count);
    const paged = [...hook.taken.values()].map(({ json }) =>
      String((json["incident"] as { id: string }).id),
    );
    const unpaged = incidents.filter(({ id }) => !paged.includes(id));
    const faults = [
      ...(incidents.length === wanted.size
        ? []
        : [`${incidents.length} incidents, not ${wanted.size}`]),
      ...(wrong.length === 0
        ? []
        : [`${wrong.length} incidents count otherwise, as ${wrong[0]?.join(": ")}`]),
      ...(unpaged.length === 0 ? [] : [`${unpaged.length} incidents without a page`]),
      ...(new Set(paged).size === paged.length ? [] : ["incidents with two pages"]),
    ];
    return faults.join("; ");
  };
  return until(look, (faults) => faults === "", PATIENCE_MS / 2, 500);
}

/** Every event is in the store, once. */
async function storeFault(run: HouseProcess, { file }: Delivery): Promise<string> {
  const ids = linesOf(file).map((line) => (JSON.parse(line) as { event: { id: string } }).event.id);
  const wanted = new Set(ids).size;
  const stored = await until(
    async () => (await everything(run.data, "/api/events")).length,
    (count) => count >= wanted,
    PATIENCE_MS / 2,
    1000,
  );
  return stored === wanted ? "" : `${stored} events in the store, not ${wanted}`;
}

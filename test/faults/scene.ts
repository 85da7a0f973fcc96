// scene.ts — where a fault happens: one `wache run` on embedded storage, or each service for itself on Kafka and
// OpenSearch, while a delivery is sent.
import type { Chance } from "../chance.ts";
import { type House, type HouseProcess, openHouse } from "../house.ts";
import { embeddedLogIsCut, kafkaLogIsCut } from "../log-cut.ts";
import type { RunningKafka } from "../servers/kafka.ts";
import type { RestartableOpenSearch } from "../servers/opensearch.ts";
import { startWebhook, type WebhookStandIn } from "../servers/webhook.ts";
import { mountSmallDisk, NO_MOUNT, type SmallDisk } from "../small-disk.ts";
import { RULES } from "../trust/eval.ts";
import { type Sending, startSending } from "../trust/sending.ts";
import type { Delivery } from "../trust/truth.ts";
import { type Told, toldBy } from "./told.ts";
import { type WallClock, wallClock } from "./wall-clock.ts";

const BATCH_LINES_MAX = 200;
const PARTITIONS = 4;
const STREAM = "faults";
const DISK = "size=160m";
const PROCESSES = [
  ...["collect", "detect-1", "detect-2", "correlate-1", "correlate-2", "alert"],
  "api", // the last one is asked
];

export type Mode = "embedded" | "distributed";
export type Needs = "small disk" | "wall clock";
/** What is sent: as a stream, or as live events with their receipts. */
export type Load = {
  readonly delivery: Delivery;
  readonly as: "stream" | "live";
};
export type Servers = { readonly kafka: RunningKafka; readonly openSearch: RestartableOpenSearch };

export type Scene = {
  readonly hook: WebhookStandIn;
  readonly sending: Sending;
  readonly processes: readonly HouseProcess[]; // in an embedded scene one
  readonly disk: SmallDisk | undefined;
  readonly clock: WallClock | undefined;
  readonly logIsCut: () => Promise<void>;
  readonly chance: Chance;
  readonly say: (text: string) => void;
};

type Play = {
  readonly load: Load;
  readonly servers: (Servers & { readonly prefix: string }) | undefined; // none: embedded
  readonly needs?: Needs | undefined;
  readonly expected?: Told; // none: this is the undisturbed run
  readonly chance: Chance;
  readonly say: (text: string) => void;
};

/** Lets `act` disturb a scene, sends what is then left, and gives what came of it; all must stop cleanly. */
export async function played(play: Play, act: (scene: Scene) => Promise<void>): Promise<Told> {
  const { load, servers, needs, expected, chance, say } = play;
  const hook = await startWebhook();
  const house = openHouse(configOf(play, hook));
  const clock = needs === "wall clock" ? wallClock(house.dir) : undefined;
  const processes = processesOf(house, servers, clock);
  const [collector, api] = [processes[0], processes.at(-1)];
  if (collector === undefined || api === undefined) throw new Error("nothing to start");
  const disk = needs === "small disk" ? mountSmallDisk(collector.data, DISK) : undefined;
  try {
    if (needs === "small disk" && disk === undefined) throw new Error(NO_MOUNT);
    await Promise.all(processes.map((one) => one.start()));
    const sent = { delivery: load.delivery, ...(load.as === "stream" && { stream: STREAM }) };
    const to = { data: collector.data, batchLinesMax: BATCH_LINES_MAX, chance };
    using sending = startSending([sent], to);
    const logIsCut = () =>
      servers === undefined
        ? embeddedLogIsCut(collector.data)
        : kafkaLogIsCut({ brokers: servers.kafka.brokers, prefix: servers.prefix });
    await act({ hook, sending, processes, disk, clock, logIsCut, chance, say });
    sending.allow(Number.POSITIVE_INFINITY);
    await sending.sent;
    await sending.end();
    const told = await toldBy(api.data, hook, expected ?? load.delivery);
    for (const one of processes) {
      const code = await one.stop();
      if (code !== 0) throw new Error(`${one.name} ended with ${code}`);
    }
    return told;
  } finally {
    await Promise.all(processes.map((one) => one.kill9()));
    disk?.unmount();
    await house.dispose();
    await hook.close();
  }
}

function processesOf(
  house: House,
  servers: Play["servers"],
  clock: WallClock | undefined,
): readonly HouseProcess[] {
  const args = clock === undefined ? [] : [clock.nodeArg];
  const names = servers === undefined ? ["run"] : PROCESSES;
  return names.map((name) => house.process(name.replace(/-\d$/, ""), name, args));
}

function configOf({ load, servers }: Play, hook: WebhookStandIn): Record<string, unknown> {
  const base = {
    time: { lateness: load.delivery.lateness },
    collectors: { queueBytesMax: 1_048_576, syslog: { enabled: false } },
    correlator: { shippedRules: false, rules: [{ path: RULES }], snapshot: "500ms" },
    alerting: {
      snapshot: "500ms",
      channels: { hook: { type: "webhook", url: hook.url } },
      delivery: { backoff: "100ms", backoffMax: "1s" },
    },
  };
  if (servers === undefined)
    return { ...base, bus: { retention: "500ms", partitions: PARTITIONS } };
  const { kafka, openSearch, prefix } = servers;
  return {
    ...base,
    bus: { kind: "kafka", partitions: PARTITIONS, kafka: { brokers: kafka.brokers, prefix } },
    store: { kind: "opensearch", opensearch: { node: openSearch.node, prefix } },
  };
}

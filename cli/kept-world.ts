// kept-world.ts — the kept events and findings, and the way for new ones: through the process that runs with the data
// folder, or, where there is none or servers have them, directly.
import { openBus } from "../core/bus/open.ts";
import type { Config } from "../core/config-schema.ts";
import { createLog } from "../core/log.ts";
import type { Store } from "../core/store/store.ts";
import { topicSpecs } from "../core/topics.ts";
import { type KeptWorld, worldOf } from "../correlator/backfill/kept-world.ts";
import { distantWorld } from "../correlator/backfill/routes.ts";
import { askLocal, askLocalOk, nothingRuns, withStore } from "./local.ts";

export async function withKeptWorld<T>(
  config: Config,
  use: (world: KeptWorld) => Promise<T>,
): Promise<T> {
  const { data, bus, store } = config;
  const onServers = bus.kind === "kafka" && store.kind === "opensearch";
  if (!onServers && (await askLocal(data, { path: "/healthz" })) !== undefined)
    return use(distantWorld(async (call) => (await askLocalOk(data, call)) ?? nothingRuns(data)));
  return withStore(config, async (opened) => withBus(config, opened, use));
}

/** The bus is opened when there is something to tell. */
async function withBus<T>(
  config: Config,
  store: Store,
  use: (world: KeptWorld) => Promise<T>,
): Promise<T> {
  let opened: ReturnType<typeof openBus> | undefined;
  const open = async () => {
    const log = createLog({ level: "warn", pretty: process.stderr.isTTY === true });
    const bus = await openBus(config, config.data, log);
    await bus.check();
    await bus.ensureTopics(topicSpecs(config));
    return bus;
  };
  try {
    await store.refresh();
    return await use(
      worldOf(store, {
        produce: async (records) => {
          opened ??= open();
          await (await opened).produce(records);
        },
      }),
    );
  } finally {
    await (await opened)?.close();
  }
}

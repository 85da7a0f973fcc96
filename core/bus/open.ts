// open.ts — opens the bus that the configuration asks for.
import type { Logger } from "pino";
import { systemClock } from "../clock.ts";
import type { Config } from "../config-schema.ts";
import type { Bus } from "./bus.ts";
import { openEmbeddedBus } from "./embedded.ts";

export async function openBus(config: Config, dataDir: string, log: Logger): Promise<Bus> {
  const { kind, kafka } = config.bus;
  switch (kind) {
    case "embedded":
      return openEmbeddedBus({ dir: dataDir, clock: systemClock, warn: (text) => log.warn(text) });
    case "kafka": {
      // Loaded where it is used: its client takes a good part of a start.
      const { openKafkaBus } = await import("./kafka.ts");
      return openKafkaBus(kafka, { log, clock: systemClock });
    }
  }
}

// open.ts — the store that the configuration asks for; it is opened by its own `open`.
import type { Logger } from "pino";
import type { Config } from "../config-schema.ts";
import { openEmbeddedStore } from "./embedded.ts";
import type { Store } from "./store.ts";

export async function openStore(config: Config, dataDir: string, _log: Logger): Promise<Store> {
  const { kind, opensearch } = config.store;
  switch (kind) {
    case "embedded":
      return openEmbeddedStore({ dir: dataDir });
    case "opensearch": {
      // Loaded where it is used: its client takes a good part of a start.
      const { openOpenSearchStore } = await import("./opensearch.ts");
      return openOpenSearchStore(opensearch);
    }
  }
}

// open.ts — the store that the configuration asks for; it is opened by its own `open`.
import type { Logger } from "pino";
import type { Config } from "../config-schema.ts";
import { openEmbeddedStore } from "./embedded.ts";
import { openOpenSearchStore } from "./opensearch.ts";
import type { Store } from "./store.ts";

export async function openStore(config: Config, dataDir: string, _log: Logger): Promise<Store> {
  const { kind, opensearch } = config.store;
  switch (kind) {
    case "embedded":
      return openEmbeddedStore({ dir: dataDir });
    case "opensearch":
      return openOpenSearchStore(opensearch);
  }
}

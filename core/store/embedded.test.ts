import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedStore } from "./embedded.ts";
import { storeContract } from "./store.contract.ts";

storeContract("embedded store", async () => {
  const dir = mkdtempSync(join(tmpdir(), "wache-store-"));
  const store = openEmbeddedStore({ dir });
  return {
    store,
    dispose: async () => {
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
});

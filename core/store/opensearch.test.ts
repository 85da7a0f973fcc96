import { afterAll, test } from "vitest";
import { startOpenSearch } from "../../test/servers/opensearch.ts";
import { openOpenSearchStore } from "./opensearch.ts";
import { storeContract } from "./store.contract.ts";

const server = await startOpenSearch();
if ("skip" in server) test.skip(`OpenSearch: ${server.skip}`, () => {});
else {
  afterAll(() => server.stop());
  let stores = 0;
  storeContract("OpenSearch store", async () => {
    const prefix = `t${process.pid}x${++stores}`;
    const store = openOpenSearchStore({ node: server.node, prefix, replicas: 0 });
    return {
      store,
      dispose: async () => {
        await fetch(`${server.node}/${prefix}-*`, { method: "DELETE" });
        await store.close();
      },
    };
  });
}

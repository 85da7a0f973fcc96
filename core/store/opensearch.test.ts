import { afterAll, expect, onTestFinished, test } from "vitest";
import { startOpenSearch } from "../../test/servers/opensearch.ts";
import { openOpenSearchStore } from "./opensearch.ts";
import { storeContract } from "./store.contract.ts";

const server = await startOpenSearch();
if ("skip" in server) test.skip(`OpenSearch: ${server.skip}`, () => {});
else {
  afterAll(() => server.stop());
  let stores = 0;
  const make = async () => {
    const prefix = `t${process.pid}x${++stores}`;
    const store = openOpenSearchStore({ node: server.node, prefix, replicas: 0 });
    return {
      ...{ store, prefix },
      dispose: async () => {
        await fetch(`${server.node}/${prefix}-*`, { method: "DELETE" });
        await store.close();
      },
    };
  };
  storeContract("OpenSearch store", make);

  test("an index that was made before findings were found by what they supersede learns it", async () => {
    const { store, prefix, dispose } = await make();
    onTestFinished(dispose);
    const made = await fetch(`${server.node}/${prefix}-findings`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        mappings: { dynamic: false, properties: { id: { type: "keyword" } } },
      }),
    });
    expect(made.status).toBe(200);
    await store.open();
    await store.putDocuments("findings", [
      { id: "b", revision: 1, body: { lastMs: 1, supersedes: ["a"] } },
    ]);
    await store.refresh();
    expect(await store.supersededBy(["a", "b"])).toEqual(new Map([["a", "b"]]));
  });
}

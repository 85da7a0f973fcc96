import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../core/config.ts";
import { packageRoot } from "../core/package-root.ts";

const root = packageRoot();
type Service = {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly healthcheck?: unknown;
};
const compose = parse(readFileSync(join(root, "docker-compose.yml"), "utf8"), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
};
const tool = ["docker-compose", "docker compose"].find((words) => {
  const [command = "", ...args] = words.split(" ");
  return spawnSync(command, [...args, "version"]).status === 0;
});

test.skipIf(tool === undefined)(
  "docker-compose.yml is valid (skipped where no compose is installed)",
  () => {
    const [command = "", ...args] = (tool ?? "").split(" ");
    const text = execFileSync(command, [...args, "config"], { cwd: root, encoding: "utf8" });
    expect(text).toContain("correlate-2");
  },
);

test("each service of Wache runs at least twice, all images are pinned and all have health checks", () => {
  const commands = Object.values(compose.services).map(({ command }) => command?.[0]);
  for (const verb of ["collect", "detect", "correlate", "alert", "api"])
    expect(commands.filter((one) => one === verb).length, verb).toBeGreaterThanOrEqual(2);
  for (const [name, { image, healthcheck }] of Object.entries(compose.services)) {
    expect(image, name).toMatch(/^[a-z/]+:[0-9]+\.[0-9]+\.[0-9]+$/);
    expect(healthcheck, name).toBeDefined();
  }
});

test("the configuration that the containers read is understood", () => {
  const config = loadConfig({
    file: join(root, "deploy", "wache.yaml"),
    env: { WACHE_INGEST_TOKEN: "secret" },
  });
  expect([config.bus.kind, config.store.kind, config.collectors.http.sources[0]?.token]).toEqual([
    "kafka",
    "opensearch",
    "secret",
  ]);
});

// metrics.ts — the registry that /metrics shows, with the process's own figures in it.
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

export function createMetrics(about: { readonly version: string }): Registry {
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  new Gauge({
    name: "wache_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "node"],
    registers: [metrics],
  }).set({ version: about.version, node: process.versions.node }, 1);
  return metrics;
}

// vitest.config.ts — two projects: quick tests beside the code, and the heavy suites of test/, one file after the other.
import { defineConfig } from "vitest/config";

const HEAVY = ["test/**/*.test.ts"];
const node = {
  execArgv: ["--disable-warning=ExperimentalWarning", "--disable-warning=TimeoutNegativeWarning"],
};

export default defineConfig({
  test: {
    maxWorkers: 2,
    maxConcurrency: 2, // of tests in a file that may run beside each other
    projects: [
      {
        test: {
          name: "rooms",
          include: ["{core,collectors,correlator,alerting,dashboard-api,cli,bench}/**/*.test.ts"],
          testTimeout: 60_000, // patience with a busy machine
          hookTimeout: 60_000,
          ...node,
        },
      },
      {
        test: {
          name: "house",
          include: HEAVY,
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          ...node,
        },
      },
    ],
  },
});

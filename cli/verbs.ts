// verbs.ts — the table of verbs. Each is loaded when it is asked for, so that starting stays quick.
import type { Verb } from "./verb.ts";

export type VerbEntry = {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Verb>;
};

export const VERBS: readonly VerbEntry[] = [
  {
    name: "run",
    summary: "start all services in one process",
    load: async () => (await import("./verbs/run.ts")).run,
  },
  {
    name: "collect",
    summary: "take logs in: syslog, files, HTTP",
    load: async () => (await import("./verbs/collect.ts")).collect,
  },
  {
    name: "detect",
    summary: "match events against the rules",
    load: async () => (await import("./verbs/detect.ts")).detect,
  },
  {
    name: "correlate",
    summary: "keep the windows of correlation rules",
    load: async () => (await import("./verbs/correlate.ts")).correlate,
  },
  {
    name: "alert",
    summary: "keep incidents and page people",
    load: async () => (await import("./verbs/alert.ts")).alert,
  },
  {
    name: "api",
    summary: "serve REST and the web page",
    load: async () => (await import("./verbs/api.ts")).api,
  },
  {
    name: "version",
    summary: "print the version",
    load: async () => (await import("./verbs/version.ts")).version,
  },
];

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
    name: "send",
    summary: "send log files to a running Wache",
    load: async () => (await import("./verbs/send.ts")).send,
  },
  {
    name: "events search",
    summary: "search the kept events",
    load: async () => (await import("./verbs/events-search.ts")).eventsSearch,
  },
  {
    name: "backfill",
    summary: "keep what rules find in stored events",
    load: async () => (await import("./verbs/backfill.ts")).backfill,
  },
  {
    name: "eval",
    summary: "try rules on a file of events",
    load: async () => (await import("./verbs/eval.ts")).evaluate,
  },
  {
    name: "rules validate",
    summary: "check rules before they go live",
    load: async () => (await import("./verbs/rules-validate.ts")).rulesValidate,
  },
  {
    name: "rules test",
    summary: "run the tests that stand beside rules",
    load: async () => (await import("./verbs/rules-test.ts")).rulesTest,
  },
  {
    name: "rules list",
    summary: "list rules with level and title",
    load: async () => (await import("./verbs/rules-list.ts")).rulesList,
  },
  {
    name: "rules explain",
    summary: "show how a rule is read: fields, windows, whom it awaits",
    load: async () => (await import("./verbs/rules-explain.ts")).rulesExplain,
  },
  {
    name: "rules backtest",
    summary: "count what rules would have found in the kept events",
    load: async () => (await import("./verbs/rules-backtest.ts")).rulesBacktest,
  },
  {
    name: "rules import",
    summary: "see what a checkout of public rules gives, and copy it",
    load: async () => (await import("./verbs/rules-import.ts")).rulesImport,
  },
  {
    name: "rules coverage",
    summary: "show which ATT&CK techniques rules look for",
    load: async () => (await import("./verbs/rules-coverage.ts")).rulesCoverage,
  },
  {
    name: "dead-letter list",
    summary: "show what could not be parsed or processed, and why",
    load: async () => (await import("./verbs/dead-letter-list.ts")).deadLetterList,
  },
  {
    name: "dead-letter replay",
    summary: "give dead letters another try, once their fault is mended",
    load: async () => (await import("./verbs/dead-letter-replay.ts")).deadLetterReplay,
  },
  {
    name: "token create",
    summary: "make an API token for a script",
    load: async () => (await import("./verbs/token.ts")).tokenCreate,
  },
  {
    name: "token list",
    summary: "list API tokens",
    load: async () => (await import("./verbs/token.ts")).tokenList,
  },
  {
    name: "token revoke",
    summary: "revoke an API token",
    load: async () => (await import("./verbs/token.ts")).tokenRevoke,
  },
  {
    name: "demo",
    summary: "replay a recorded attack as if it happened now",
    load: async () => (await import("./verbs/demo.ts")).demo,
  },
  {
    name: "doctor",
    summary: "check that everything Wache needs is there",
    load: async () => (await import("./verbs/doctor.ts")).doctor,
  },
  {
    name: "version",
    summary: "print the version",
    load: async () => (await import("./verbs/version.ts")).version,
  },
];

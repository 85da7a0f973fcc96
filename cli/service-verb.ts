// service-verb.ts — what `wache run` and the five services alone have in common: start, tell when ready, stop on a signal.
import type { Logger } from "pino";
import { openBus } from "../core/bus/open.ts";
import { systemClock } from "../core/clock.ts";
import { secretsOf } from "../core/config.ts";
import { configSchema } from "../core/config-schema.ts";
import { messageOf } from "../core/errors.ts";
import { createLog } from "../core/log.ts";
import { runServices } from "../core/run.ts";
import type { PartState, Service } from "../core/service.ts";
import { openStore } from "../core/store/open.ts";
import { configOf, SERVICE_OPTIONS } from "./common.ts";
import { readyLine, readyWords, setupLink, setupWords } from "./ready.ts";
import { type Call, EXIT, flagOf, type Verb } from "./verb.ts";

export function serviceVerb(about: {
  readonly name: string;
  readonly summary: string;
  readonly text: string;
  readonly services: () => Promise<readonly Service[]>;
}): Verb {
  const { name, summary, text } = about;
  const alone = name === "run" ? "" : " (needs bus.kind kafka)";
  return {
    name,
    summary,
    usage: "[--config FILE] [--data DIR] [--port N] [--json]",
    text,
    positionals: { min: 0, max: 0 },
    options: SERVICE_OPTIONS,
    examples: [
      { line: `wache ${name}`, does: `with ./wache.yaml, or with the defaults${alone}` },
      {
        line: `wache ${name} --data /var/lib/wache --port 0 --json`,
        does: "on a free port, which the line of JSON tells",
      },
    ],
    exits: { 0: "stopped by SIGTERM or SIGINT", 1: "failed, or not stopped within 20 s" },
    run: async (call) => runUntilSignal(await about.services(), call),
  };
}

async function runUntilSignal(services: readonly Service[], call: Call): Promise<number> {
  const json = flagOf(call.values, "json");
  const config = configOf(call.values);
  const log = createLog({
    level: config.log.level,
    secrets: secretsOf(config, configSchema),
    pretty: !json && process.stderr.isTTY === true,
  });
  const stopped = stopOnSignals(log);
  exitOnMistakes(log);
  let address: string | undefined;
  const code = await runServices(services, config, {
    openBus,
    openStore,
    log,
    signal: stopped,
    onStatus: (part, state) => {
      if (address !== undefined && part === "setup") tellSetup(address, state, call, json);
    },
    onReady: (ready) => {
      address = ready.address;
      if (json) call.out(readyLine(ready));
      else for (const line of readyWords(ready)) call.out(line);
    },
  });
  if (code === EXIT.ok) log.info("stopped");
  return code;
}

/** The link can be made only once the store answers, which may be after all else works. */
function tellSetup(address: string, state: PartState, call: Call, json: boolean): void {
  const setup = setupLink(address, state.data);
  if (setup !== undefined) call.out(json ? JSON.stringify({ setup }) : setupWords(setup));
}

const SAME_SIGNAL_MS = 1000;

/**
 * The first signal stops gracefully, a later one at once. One Ctrl-C comes several times: the terminal sends it to each
 * process, and npm and wache.mjs pass on what they get.
 */
function stopOnSignals(log: Logger): AbortSignal {
  const stopping = new AbortController();
  let firstMs = 0;
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => {
      const nowMs = systemClock.now();
      if (stopping.signal.aborted) {
        if (nowMs - firstMs > SAME_SIGNAL_MS) process.exit(EXIT.failed);
        return;
      }
      firstMs = nowMs;
      log.info(`${signal}: stopping; what is under way is finished first`);
      stopping.abort();
    });
  return stopping.signal;
}

function exitOnMistakes(log: Logger): void {
  const end = (error: unknown): void => {
    log.fatal({ err: error }, `an internal error, the process ends: ${messageOf(error)}`);
    process.exit(EXIT.internal);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

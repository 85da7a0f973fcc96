// doctor.ts — the verb that checks what Wache needs, and says what to do.
import { systemClock } from "../../core/clock.ts";
import type { Config } from "../../core/config-schema.ts";
import { messageOf, UserError } from "../../core/errors.ts";
import { CONFIG_OPTIONS, configOf, JSON_OPTION } from "../common.ts";
import { type Check, fail, type Result } from "../doctor/check.ts";
import { machineChecks } from "../doctor/machine.ts";
import { serverChecks } from "../doctor/servers.ts";
import { type Call, EXIT, flagOf, type Verb } from "../verb.ts";

const TIMEOUT_MS = 10_000;
const CHECKS: readonly Check[] = [...machineChecks, ...serverChecks];

export const doctor: Verb = {
  name: "doctor",
  summary: "check that everything Wache needs is there",
  usage: "[--config FILE] [--data DIR] [--json]",
  text: "It checks the configuration, the data folder, the clock, ports, rules, and each server that the configuration names. It sends no message and changes nothing.",
  positionals: { min: 0, max: 0 },
  options: { ...CONFIG_OPTIONS, ...JSON_OPTION },
  examples: [
    { line: "wache doctor", does: "a line for each check" },
    { line: "wache doctor --json --config /etc/wache.yaml", does: "one line of JSON for a script" },
  ],
  exits: { 0: "nothing failed; there may be warnings", 1: "a check failed" },
  run: runDoctor,
};

type Line = Result & { readonly check: string };

async function runDoctor(call: Call): Promise<number> {
  const lines: Line[] = [];
  const tell = (check: string, result: Result): void => {
    lines.push({ check, ...result });
    if (!flagOf(call.values, "json")) call.out(`${MARK[result.state]} ${check}: ${result.text}`);
  };
  const config = readConfig(call, tell);
  if (config !== undefined)
    for (const check of CHECKS.filter((one) => one.wanted(config)))
      for (const result of await tried(check, config)) tell(check.name, result);
  const failed = lines.some(({ state }) => state === "fail");
  if (flagOf(call.values, "json")) call.out(JSON.stringify({ ok: !failed, checks: lines }));
  return failed ? EXIT.failed : EXIT.ok;
}

const MARK = { ok: "ok   ", warn: "warn ", fail: "FAIL " } as const;

function readConfig(call: Call, tell: (check: string, result: Result) => void): Config | undefined {
  try {
    const config = configOf(call.values);
    tell("configuration", { state: "ok", text: "it is understood" });
    return config;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tell("configuration", fail(error.message));
    return undefined;
  }
}

async function tried(check: Check, config: Config): Promise<readonly Result[]> {
  try {
    return await check.run({ config, clock: systemClock, fetch, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    return [fail(`the check itself failed: ${messageOf(error)}`)];
  }
}

// demo.ts — the verb that shows a newcomer an incident: a recorded attack, sent as if it happened now.
import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import type { Config } from "../../core/config-schema.ts";
import { packageRoot } from "../../core/package-root.ts";
import { type Incident, LEVELS } from "../../core/records.ts";
import { readRunFile } from "../../core/run-files.ts";
import { CONFIG_OPTIONS, configOf, JSON_OPTION } from "../common.ts";
import { createIngest, destinationOf } from "../ingest.ts";
import { askLocalOk } from "../local.ts";
import { sendFile } from "../send-file.ts";
import { counted, printable } from "../table.ts";
import { type Call, EXIT, flagOf, type Verb } from "../verb.ts";

/** Written in March 2026. */
const RECORDED = ["auth.log", "access.log"] as const;
const RECORDED_MS = Date.UTC(2026, 2, 15);
const WAIT_MS_MAX = 60_000;
const LOOK_EVERY_MS = 500;
const SETTLED_MS = 2_500;
const INCIDENTS_MAX = 100;

export const demo: Verb = {
  name: "demo",
  summary: "replay a recorded attack as if it happened now",
  usage: "[--config FILE] [--data DIR] [--json]",
  text: "Three minutes of a server's night, written for this demo: somebody guesses SSH passwords until one fits, tries sudo, and scans the web server, among ordinary work. The lines are sent as new events to the Wache that runs with this data folder; then it waits for the incident. Its events stay, with demo as their source. Its incidents page as all others do: where channels are configured, tell those whom they wake.",
  positionals: { min: 0, max: 0 },
  options: { ...CONFIG_OPTIONS, ...JSON_OPTION },
  examples: [{ line: "wache demo", does: "with wache run in another terminal" }],
  exits: { 0: "an incident showed", 1: "no incident within a minute" },
  run: runDemo,
};

async function runDemo(call: Call): Promise<number> {
  const config = configOf(call.values);
  const json = flagOf(call.values, "json");
  const startMs = systemClock.now();
  const events = await sendRecorded(config, call);
  const address = config.api.publicUrl ?? readRunFile(config.data)?.address ?? "";
  if (!json) call.out(`${events} events were sent. Watch the page: ${address}`);
  const found = await incidentsSince(config, startMs);
  if (json) {
    call.out(JSON.stringify({ events, incidents: found }));
  } else {
    for (const incident of found) for (const line of wordsOf(incident, address)) call.out(line);
    if (found.length === 0)
      call.err(
        `no incident within ${WAIT_MS_MAX / 1000} s; wache rules list shows whether rules are in force, and the status page where events wait`,
      );
  }
  return found.length > 0 ? EXIT.ok : EXIT.failed;
}

async function sendRecorded(config: Config, call: Call): Promise<number> {
  const ingest = createIngest({
    find: destinationOf(config.data),
    clock: systemClock,
    fetch,
    onWait: (reason) => call.err(`wache demo: ${reason}; trying again`),
  });
  const options = {
    source: "demo",
    page: false,
    now: true,
    zone: "UTC",
    changedMs: RECORDED_MS,
  };
  let events = 0;
  for (const name of RECORDED) {
    const path = join(packageRoot(), "cli", "demo", name);
    const sent = await sendFile(path, options, {
      ingest,
      clock: systemClock,
      onProgress: () => {},
    });
    events += sent.events;
  }
  return events;
}

/** The live incidents that changed since; waits for the first, then until no more join it. */
async function incidentsSince(config: Config, startMs: number): Promise<readonly Incident[]> {
  let found: readonly Incident[] = [];
  let changedMs = startMs;
  while (systemClock.now() - startMs < WAIT_MS_MAX) {
    const path = `/api/incidents?replay=false&limit=${INCIDENTS_MAX}`;
    const page = await askLocalOk(config.data, { path });
    const items = (page?.items ?? []) as readonly Incident[];
    const now = items.filter(({ updatedMs }) => updatedMs >= startMs);
    if (now.length !== found.length) changedMs = systemClock.now();
    found = now;
    if (found.length > 0 && systemClock.now() - changedMs >= SETTLED_MS) break;
    await systemClock.sleep(LOOK_EVERY_MS);
  }
  return found.toSorted((a, b) => LEVELS.indexOf(b.severity) - LEVELS.indexOf(a.severity));
}

function wordsOf(incident: Incident, address: string): string[] {
  const { severity, title, group, count, id } = incident;
  const who = Object.entries(group).map(([name, value]) => `${name} ${value}`);
  return [
    printable(
      `  ${severity.toUpperCase()}  ${title} (${who.join(", ")}), ${counted(count, "event")}`,
    ),
    `      ${address}/incidents/${encodeURIComponent(id)}`,
  ];
}

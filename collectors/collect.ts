// collect.ts — the collectors' service: inputs take bytes in, parsers read them, the outbox hands them to the bus.
//
// In:    bytes by HTTP, syslog and from files (inputs/).
// Out:   events and ticks on wache.events, what cannot be an event on wache.dead-letter.
// Holds: nothing is acknowledged before it is on the bus or in the spool; no bytes stop an input; memory is bounded.
//
// The path of a line: an input frames it (inputs/), parsers/parsers.ts reads it, stamp.ts gives it its id and clock,
// outbox.ts puts it in order with the ticks and hands it to the bus, or to spool.ts while the bus is away.
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import type { LogSourceReader } from "../core/log-sources.ts";
import { loadMappings, mappingFolders } from "../core/mappings.ts";
import type { Clock, Service, ServiceContext } from "../core/service.ts";
import { spanMs } from "../core/spans.ts";
import { openCollectorDb } from "./collector-db.ts";
import { feederId } from "./identity.ts";
import { startDeadLetters } from "./inputs/dead-letters.ts";
import { startFiles } from "./inputs/files.ts";
import { startHttp } from "./inputs/http.ts";
import type { Input, Intake } from "./inputs/intake.ts";
import { startSyslog } from "./inputs/syslog.ts";
import { collectorMetrics } from "./metrics.ts";
import { Outbox } from "./outbox.ts";
import { isZone } from "./parsers/log-time.ts";
import { Presence } from "./presence.ts";
import { keptIfPossible, receiptsOf } from "./receipts.ts";
import { Spool } from "./spool.ts";
import { Streams } from "./streams.ts";

const BEGIN_MS = 10_000; // then it listens all the same
const INPUT_STOP_MS = 3_000;
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;

/** Every way in; each says itself whether the configuration wants it. */
const INPUTS: readonly {
  readonly wanted: (intake: Intake) => boolean;
  readonly start: (intake: Intake) => Promise<Input>;
}[] = [
  { wanted: () => true, start: startHttp },
  { wanted: () => true, start: startDeadLetters },
  { wanted: ({ config }) => config.syslog.enabled, start: startSyslog },
  { wanted: ({ config }) => config.files.length > 0, start: startFiles },
];

export const collectService: Service = {
  name: "collect",
  start: async (context) => {
    checkZones(context);
    const { sourcesOf } = await loadMappings(mappingFolders(context.config));
    const intake = openIntake(context, sourcesOf);
    const started: Input[] = [];
    const stop = async (): Promise<void> => {
      const { clock } = context;
      // An input may wait for a bus that is away: what it holds was not acknowledged.
      for (const input of started.reverse()) {
        const stopped = new AbortController();
        const end = input.stop().finally(() => stopped.abort());
        await Promise.race([end, clock.sleep(INPUT_STOP_MS, stopped.signal)]);
      }
      await intake.outbox.stop();
      intake.db.close();
    };
    try {
      // Nobody waits for a collector that is not known yet, or that said farewell: first it is heard, then it listens.
      await begun(intake, context.clock);
      for (const { wanted, start } of INPUTS) if (wanted(intake)) started.push(await start(intake));
    } catch (error) {
      await stop();
      throw error;
    }
    return { stop };
  },
};

async function begun({ outbox }: Intake, clock: Clock): Promise<void> {
  const heard = new AbortController();
  const first = outbox.begun.finally(() => heard.abort());
  await Promise.race([first, clock.sleep(BEGIN_MS, heard.signal)]);
}

function openIntake(context: ServiceContext, sourcesOf: LogSourceReader): Intake {
  const { bus, clock, log, dataDir } = context;
  const config = context.config.collectors;
  const metrics = collectorMetrics(context.metrics);
  const feeder = feederId(context);
  const latenessMs = spanMs(context.config.time.lateness);
  const db = openCollectorDb(dataDir);
  const receipts = receiptsOf(context, db);
  const spool = new Spool({
    dir: join(dataDir, "spool"),
    bytesMax: config.spoolBytesMax,
    segmentBytesMax: SEGMENT_BYTES_MAX,
    log,
  });
  const outbox = new Outbox({
    bus,
    spool,
    clock,
    receipts,
    presence: new Presence({
      knownFromMs: db.knownFrom(),
      save: keptIfPossible(db.saveKnownFrom, log),
      latenessMs,
      nowMs: receipts.now,
      metrics,
    }),
    log,
    metrics,
    feeder,
    queueBytesMax: config.queueBytesMax,
    onState: (state) => {
      context.status.set("outbox", state);
      if (state.ok) log.info(state.text);
      else log.error(state.text);
    },
  });
  return {
    context,
    config,
    zone: context.config.time.zone,
    latenessMs,
    feeder,
    sourcesOf,
    outbox,
    streams: new Streams({ db, outbox, receipts }),
    db,
    metrics,
  };
}

function checkZones({ config }: ServiceContext): void {
  const { http, syslog, files } = config.collectors;
  const named: (readonly [string, string | undefined])[] = [
    ["time.zone", config.time.zone],
    ["collectors.syslog.zone", syslog.zone],
    ...files.map((file, index) => [`collectors.files[${index}].zone`, file.zone] as const),
    ...http.sources.map(
      (one, index) => [`collectors.http.sources[${index}].zone`, one.zone] as const,
    ),
  ];
  for (const [key, zone] of named)
    if (zone !== undefined && !isZone(zone))
      throw new UserError(
        "collectors.zone",
        `${key} is "${zone}", which is no time zone; write an IANA name such as Europe/Berlin, or UTC`,
      );
}

// eval.ts — the verb that tries rules on a file of events, without a running Wache.
import { statSync } from "node:fs";
import { STREAM_NAME } from "../../collectors/streams.ts";
import { UserError } from "../../core/errors.ts";
import { LIVE } from "../../core/event.ts";
import type { Mappings } from "../../core/mappings.ts";
import { spanMs } from "../../core/spans.ts";
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { loadRules } from "../../correlator/sigma/load.ts";
import type { RuleSet } from "../../correlator/sigma/rule.ts";
import { thresholdWarnings } from "../../correlator/threshold-warnings.ts";
import { CONFIG_OPTIONS, configOf, unreadable } from "../common.ts";
import { Evaluation } from "../eval/evaluation.ts";
import { eachLogLine, type Log } from "../eval/log-lines.ts";
import { leftOutLines, summaryLines, summaryOf } from "../eval/summary.ts";
import { eachLine } from "../eval/text-lines.ts";
import { inputBytes, openBytes } from "../lines.ts";
import { nowMs } from "../local.ts";
import { readingOf, ruleFoldersOf } from "../rule-folders.ts";
import { printable } from "../table.ts";
import { type Call, EXIT, flagOf, stringOf, type Values, type Verb } from "../verb.ts";

const WRITE_CHARS_MIN = 64 * 1024; // written at once; what a chunk of input gave is written in any case

export const evaluate: Verb = {
  name: "eval",
  summary: "try rules on a file of events",
  usage: "[options] [FILE]",
  text: 'FILE holds one JSON object a line, plain or gzip; without one, or as -, standard input is read. Events are taken as Wache keeps them, as Windows events in the nested EVTX form, or flat in Sigma\'s own names with product, category and service, or as mapping files know them. Each match is one line: {"event":LINE FROM 0,"rule":ID,"title":…,"level":…}. At the end come the findings of correlations: {"finding":ID,"rule":ID,"group":{…},"first":TIME,"last":TIME,"count":N,"level":…}, and where there is something to say "bounded":true, "suppressed":N and, of an absence, "missing": "still", "ended" (one came again) or "forgotten" (no longer awaited). A summary, with what no rule could read, goes to standard error. Rules that do not load are left out, and said. With --logs, FILE is a log as wache send takes it: its lines become the same events.',
  positionals: { min: 0, max: 1 },
  options: {
    config: CONFIG_OPTIONS.config,
    rules: {
      type: "string",
      value: "DIR",
      text: "a folder of rules, or a file; without it, the rules that a start would load",
      multiple: true,
    },
    lateness: {
      type: "string",
      value: "SPAN",
      text: "close windows of correlations behind the clock of the events, and leave out what comes later than 30s, 10m, …; without it, windows stay open to the end and the order does not matter",
    },
    stream: {
      type: "string",
      value: "NAME",
      text: "name the findings as in the stream of this name (wache send --json prints it), so that they can be compared by id; without it, as in live",
    },
    logs: {
      type: "boolean",
      text: "FILE holds lines of a log (syslog, a web server's, JSON); a line can be several events",
    },
    json: { type: "boolean", text: "the summary as a line of JSON" },
  },
  needless: { lenient: "bad rules are always left out here, and said" },
  examples: [
    { line: "wache eval --rules my-rules events.ndjson", does: "a line for each match" },
    {
      line: "wache eval --logs --rules my-rules /var/log/auth.log",
      does: "what these rules would have found in a log",
    },
    {
      line: "zcat old.ndjson.gz | wache eval --rules sigma/rules | jq -r .title | sort | uniq -c",
      does: "how often each rule of a SigmaHQ checkout matches",
    },
  ],
  exits: {
    0: "all was read, whether or not a rule matched",
    1: "no rule loads, the file can't be read, or none of its lines is an event",
  },
  run: evaluateFile,
};

async function evaluateFile(call: Call): Promise<number> {
  const { values, positionals, err } = call;
  const { set, mappings } = await rulesOf(values, err);
  const { correlator, time, collectors } = configOf(values);
  const latenessMs = latenessOf(values);
  const stream = streamOf(values);
  const startedMs = nowMs();
  const evaluation = new Evaluation(set, {
    mappings,
    bounds: correlator,
    ...{ nowMs: startedMs, zone: time.zone },
    ...(latenessMs === undefined ? {} : { latenessMs }),
    ...(stream === undefined ? {} : { stream }),
  });
  const [file] = positionals;
  const bytes = await bytesOf(file);
  const evaluateAll = flagOf(values, "logs")
    ? logEvaluation(bytes, evaluation, {
        ...{ stream: stream ?? LIVE, zone: time.zone, sourcesOf: mappings.sourcesOf },
        ...{ changedMs: changedMsOf(file) ?? startedMs, nowMs: startedMs },
        lineBytesMax: collectors.lineBytesMax,
      })
    : jsonEvaluation(bytes, evaluation);
  const findings = await printAll(evaluateAll, evaluation, call);
  const summary = summaryOf(evaluation, findings);
  if (flagOf(values, "json")) err(JSON.stringify(summary));
  else for (const line of summaryLines(summary)) err(line);
  return summary.events === 0 && summary.unreadable > 0 ? EXIT.failed : EXIT.ok;
}

/** Tells what is to be printed for each line, and when it is time to write. */
type EvaluateAll = (take: (text: string) => void, afterChunk: () => Promise<void>) => Promise<void>;

const jsonEvaluation =
  (bytes: AsyncIterable<Uint8Array>, evaluation: Evaluation): EvaluateAll =>
  (take, afterChunk) =>
    eachLine(bytes, (line, number) => take(evaluation.evaluate(line, number)), { afterChunk });

const logEvaluation =
  (bytes: AsyncIterable<Uint8Array>, evaluation: Evaluation, log: Log): EvaluateAll =>
  (take, afterChunk) =>
    eachLogLine(
      bytes,
      log,
      {
        line: () => {
          evaluation.counts.lines += 1;
        },
        event: (event, number) => take(evaluation.evaluateEvent(event, number)),
        refused: (reason, number) => evaluation.fault(number, reason),
      },
      afterChunk,
    );

async function printAll(
  evaluateAll: EvaluateAll,
  evaluation: Evaluation,
  call: Call,
): Promise<number> {
  let text = "";
  const flush = async (charsMin = 0): Promise<void> => {
    if (text.length <= charsMin) return;
    call.out(text.slice(0, -1));
    text = "";
    await call.drained?.();
  };
  const take = (more: string): void => {
    text += more;
  };
  try {
    await evaluateAll(take, flush);
  } catch (error) {
    await flush();
    throw unreadable(call.positionals[0] ?? "-", error);
  }
  let findings = 0;
  for (const line of evaluation.end()) {
    findings += 1;
    text += line;
    await flush(WRITE_CHARS_MIN);
  }
  await flush();
  return findings;
}

async function rulesOf(
  values: Values,
  err: (line: string) => void,
): Promise<{ readonly set: RuleSet; readonly mappings: Mappings }> {
  const given = values.rules;
  const folders = ruleFoldersOf(values, Array.isArray(given) ? (given as string[]) : []);
  const lenient = folders.map(({ path }) => ({ path, lenient: true }));
  const loaded = await loadRules(lenient, ruleDisk, readingOf(values));
  const { set, mappings, problems, leftOut } = loaded;
  for (const { at, message } of problems) err(`${at}: ${message}`);
  for (const line of leftOutLines(leftOut)) err(line);
  for (const { at, message } of thresholdWarnings(loaded, configOf(values).correlator))
    err(printable(`${at}: warning: ${message}`));
  if (set === undefined || mappings === undefined || set.detections.length === 0)
    throw new UserError(
      "cli.no-rules",
      `no rule loads from ${folders.map(({ path }) => path).join(", ")}; name a folder with --rules, or look at wache rules validate`,
    );
  return { set, mappings };
}

async function bytesOf(file: string | undefined): Promise<AsyncIterable<Uint8Array>> {
  if (file === undefined || file === "-") return inputBytes();
  try {
    return await openBytes(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** When the lines of a file were written. */
const changedMsOf = (file: string | undefined): number | undefined =>
  file === undefined || file === "-" ? undefined : Math.floor(statSync(file).mtimeMs);

function streamOf(values: Values): string | undefined {
  const name = stringOf(values, "stream");
  if (name === undefined || STREAM_NAME.test(name)) return name;
  throw new UserError(
    "cli.usage",
    `--stream is "${name}"; allowed are letters, digits, dot, dash and underscore, 128 at most, not beginning with a dot`,
    { exitCode: EXIT.usage },
  );
}

function latenessOf(values: Values): number | undefined {
  const text = stringOf(values, "lateness");
  if (text === undefined) return undefined;
  const ms = spanMs(text);
  if (Number.isFinite(ms)) return ms;
  throw new UserError("cli.usage", `--lateness is "${text}"; write 30s, 10m, 1h`, {
    exitCode: EXIT.usage,
  });
}

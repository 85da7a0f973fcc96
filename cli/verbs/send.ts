// send.ts — the verb that sends log files to a running Wache.
import { createWriteStream, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { systemClock } from "../../core/clock.ts";
import type { Config } from "../../core/config-schema.ts";
import { UserError } from "../../core/errors.ts";
import { CONFIG_OPTIONS, configOf, unreadable } from "../common.ts";
import { createIngest, destinationOf, type FindDestination } from "../ingest.ts";
import { createProgress } from "../progress.ts";
import { type SendOptions, type Sent, sendFile } from "../send-file.ts";
import { counted } from "../table.ts";
import { type Call, EXIT, flagOf, stringOf, type Values, type Verb } from "../verb.ts";

export const send: Verb = {
  name: "send",
  summary: "send log files to a running Wache",
  usage: "[options] FILE…",
  text: "Each file is a stream of its own with the times that it carries, named by its content: a broken send goes on where it stopped, and a file that was sent before adds nothing. Its incidents are marked as a replay and page nobody unless --page is given. FILE can be gzip; - is standard input.",
  positionals: { min: 1, max: 10_000 },
  options: {
    ...CONFIG_OPTIONS,
    to: { type: "string", value: "URL", text: "another machine's Wache; needs a token" },
    token: { type: "string", value: "TOKEN", text: "one of collectors.http.sources" },
    "token-file": { type: "string", value: "FILE", text: "a file that holds the token" },
    now: {
      type: "boolean",
      text: "send the lines as new, live events, shifted so that the last one is now; sent again they count again",
    },
    page: { type: "boolean", text: "let incidents of these files page" },
    source: { type: "string", value: "NAME", text: "what the events name as their source" },
    json: { type: "boolean", text: "print one line of JSON for each file" },
  },
  examples: [
    { line: "wache send /var/log/auth.log.1", does: "to the Wache that runs with ./wache-data" },
    { line: "wache send --page old/*.log.gz", does: "last month's logs, with pages" },
    { line: "journalctl -o short | wache send --now -", does: "as if it happened now" },
    {
      line: "wache send --to https://wache.example --token-file token app.log",
      does: "to another machine",
    },
  ],
  exits: { 1: "a file can't be read, or was refused", 4: "nothing answered for two minutes" },
  run: runSend,
};

async function runSend(call: Call): Promise<number> {
  const { values } = call;
  const config = configOf(values);
  const options: SendOptions = {
    source: stringOf(values, "source"),
    page: flagOf(values, "page"),
    now: flagOf(values, "now"),
    zone: config.time.zone,
  };
  const find = findOf(values, config);
  let code: number = EXIT.ok;
  for (const file of call.positionals)
    code = Math.max(code, await sendOne(file, { options, find, call, config }));
  return code;
}

export function findOf(values: Values, config: Config): FindDestination {
  const to = stringOf(values, "to");
  if (to === undefined) return destinationOf(config.data);
  const tokenFile = stringOf(values, "token-file");
  const token =
    stringOf(values, "token") ?? (tokenFile === undefined ? undefined : read(tokenFile));
  if (token === undefined)
    throw new UserError("cli.usage", "--to needs --token TOKEN or --token-file FILE", {
      exitCode: EXIT.usage,
    });
  const destination = { url: to.replace(/\/+$/, ""), token };
  return () => destination;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw unreadable(file, error);
  }
}

type How = {
  readonly options: SendOptions;
  readonly find: FindDestination;
  readonly call: Call;
  readonly config: Config;
};

async function sendOne(file: string, how: How): Promise<number> {
  if (file === "-") return await sendStandardInput(how);
  return await sendNamed(file, file, how);
}

async function sendNamed(file: string, title: string, how: How): Promise<number> {
  const { call } = how;
  const clock = systemClock;
  const json = flagOf(call.values, "json");
  const isWatched = process.stderr.isTTY === true && !json;
  const progress = createProgress({
    write: isWatched ? (text) => void process.stderr.write(text) : undefined,
    clock,
    title,
  });
  const ingest = createIngest({
    find: how.find,
    clock,
    fetch,
    onWait: (reason) => {
      progress.clear();
      call.err(`wache send: ${reason}; trying again`);
    },
  });
  const startMs = clock.now();
  const onProgress = (done: number, all: number): void =>
    progress.show({ done, all, note: `${done}/${all} lines` });
  try {
    const sent = await sendFile(file, how.options, { ingest, clock, onProgress });
    progress.clear();
    tell(title, sent, { how, json, tookMs: clock.now() - startMs });
    return EXIT.ok;
  } catch (error) {
    progress.clear();
    if (error instanceof UserError) throw error;
    if (!isFileFault(error)) throw error;
    call.err(`wache send: ${unreadable(title, error).message}`);
    return EXIT.failed;
  }
}

const isFileFault = (error: unknown): boolean =>
  error instanceof Error && "code" in error && /^(E[A-Z]+|Z_.*)$/.test(String(error.code));

function tell(
  title: string,
  sent: Sent,
  about: { readonly how: How; readonly json: boolean; readonly tookMs: number },
): void {
  const { call, options } = about.how;
  if (about.json) {
    call.out(JSON.stringify({ file: title, ...sent, tookMs: about.tookMs }));
    return;
  }
  if (sent.wasComplete) {
    const again = options.page ? ", nobody paged anew" : "";
    call.out(`${title}: already imported, nothing added${again} (${counted(sent.lines, "line")})`);
    return;
  }
  const rate = Math.round((sent.sent * 1000) / Math.max(about.tookMs, 1));
  const seconds = (about.tookMs / 1000).toFixed(1);
  const resumed = sent.skipped > 0 ? `, ${sent.skipped} were there already` : "";
  const dead = sent.refused > 0 ? `, ${sent.refused} went to the dead letter` : "";
  call.out(
    `${title}: ${counted(sent.events, "event")} from ${counted(sent.sent, "line")} in ${seconds} s (${rate} lines/s)${resumed}${dead}`,
  );
  if (sent.late > 0) call.err(`${title}: ${lateWords(sent.late)}`);
}

function lateWords(late: number): string {
  const them = late === 1 ? "it" : "them";
  return `${counted(late, "event")} came later than the lateness (time.lateness): kept, not correlated; wache backfill --late correlates ${them}`;
}

/** Standard input is kept until its end: its content names the stream. */
async function sendStandardInput(how: How): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "wache-send-"));
  try {
    const file = join(folder, "input");
    await pipeline(process.stdin, createWriteStream(file, { mode: 0o600 }));
    const options = { ...how.options, path: "standard input" };
    return await sendNamed(file, "standard input", { ...how, options });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

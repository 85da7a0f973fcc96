// log.ts — the log of a process: JSON lines, or short coloured lines where a person watches a terminal.
//
// Holds: no secret goes out: neither under a key that names one, nor as a known value in any text.
import { writeSync } from "node:fs";
import pino, { type Logger } from "pino";
import { systemClock } from "./clock.ts";

export type LogOptions = {
  readonly level: string;
  /** Values that must never be seen. */
  readonly secrets?: readonly string[];
  /** Lines for people instead of JSON. */
  readonly pretty?: boolean;
  readonly write?: (line: string) => void;
};

const SECRET_KEYS = [
  "password",
  "saslPassword",
  "token",
  "key",
  "secret",
  "authorization",
  "cookie",
  "headers.authorization",
  "headers.cookie",
];
const SHORT_SECRET = 4; // shorter values would blank out ordinary words

export function createLog(options: LogOptions): Logger {
  const write = options.write ?? ((line: string) => writeStderr(line));
  const known = (options.secrets ?? []).filter((secret) => secret.length >= SHORT_SECRET);
  const hide = hider(known);
  return pino(
    {
      level: options.level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date(systemClock.now()).toISOString()}"`,
      serializers: { err: pino.stdSerializers.err },
      redact: {
        paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
        censor: "[secret]",
      },
    },
    {
      write: (line: string) => write(options.pretty === true ? prettyLine(hide(line)) : hide(line)),
    },
  );
}

/** Standard error may be a pipe that is closed or full; a log line must not end the process. */
function writeStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // nobody is left to tell
  }
}

function hider(secrets: readonly string[]): (line: string) => string {
  const inJson = secrets.map((secret) => JSON.stringify(secret).slice(1, -1));
  return (line) => inJson.reduce((text, secret) => text.replaceAll(secret, "[secret]"), line);
}

const COLOUR: Readonly<Record<string, string>> = {
  trace: "90",
  debug: "90",
  info: "36",
  warn: "33",
  error: "31",
  fatal: "31;1",
};

function prettyLine(line: string): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { level, time, msg, err, ...rest } = fields;
  const word = String(level);
  const details = Object.entries(rest).map(
    ([key, value]) =>
      ` \u001b[90m${key}=${typeof value === "string" ? value : JSON.stringify(value)}\u001b[0m`,
  );
  const cause = isError(err)
    ? `: ${err.message}${word === "fatal" ? `\n${err.stack ?? ""}` : ""}`
    : "";
  const at = String(time).slice(11, 19);
  return `\u001b[90m${at}\u001b[0m \u001b[${COLOUR[word] ?? "0"}m${word.padEnd(5)}\u001b[0m ${String(msg ?? "")}${cause}${details.join("")}\n`;
}

const isError = (value: unknown): value is { message: string; stack?: string } =>
  typeof value === "object" && value !== null && "message" in value;

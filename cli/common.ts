// common.ts — the options that most verbs share, the configuration that they lead to, the answer to a file of no use.
import { type Environment, loadConfig } from "../core/config.ts";
import type { Config } from "../core/config-schema.ts";
import { UserError } from "../core/errors.ts";
import { pathFault } from "../core/path-fault.ts";
import { EXIT, type Option, stringOf, type Values } from "./verb.ts";

export const CONFIG_OPTIONS = {
  config: {
    type: "string",
    value: "FILE",
    text: "configuration; ./wache.yaml unless told, and defaults where that is absent",
  },
  data: { type: "string", value: "DIR", text: "data folder; goes over the configuration" },
} satisfies Readonly<Record<string, Option>>;

export const SERVICE_OPTIONS = {
  ...CONFIG_OPTIONS,
  port: {
    type: "string",
    value: "N",
    text: "HTTP port; 0 picks a free one. Syslog then gets free ports too, unless they are configured",
  },
  json: { type: "boolean", text: "when ready, print one line of JSON; log in JSON" },
} satisfies Readonly<Record<string, Option>>;

export const JSON_OPTION = {
  json: { type: "boolean", text: "print JSON for scripts" },
} satisfies Readonly<Record<string, Option>>;

/** The configuration as file and command line say together. */
export function configOf(values: Values, env?: Environment): Config {
  const file = stringOf(values, "config");
  const data = stringOf(values, "data");
  const port = portOf(stringOf(values, "port"));
  const config = loadConfig({
    file,
    overrides: {
      ...(data === undefined ? {} : { data }),
      ...(port === undefined ? {} : { api: { port } }),
    },
    ...(env === undefined ? {} : { env }),
  });
  return port === undefined ? config : withFreeSyslogPorts(config);
}

/** Whoever chooses the HTTP port runs several side by side: the default syslog ports would collide. */
function withFreeSyslogPorts(config: Config): Config {
  const { syslog } = config.collectors;
  const free = { ...syslog, udpPort: syslog.udpPort ?? 0, tcpPort: syslog.tcpPort ?? 0 };
  return { ...config, collectors: { ...config.collectors, syslog: free } };
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new UserError("cli.port", `--port is "${text}", allowed is a number from 0 to 65535`, {
    exitCode: EXIT.usage,
  });
}

/** Of a file that somebody named; `-` is standard input. */
export function unreadable(file: string, cause: unknown): UserError {
  const what = file === "-" ? "standard input" : file;
  const message = `${what} can't be read: ${pathFault(cause, file)}`;
  return new UserError("cli.file-unreadable", message, { cause });
}

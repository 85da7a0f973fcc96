// config.ts — reads wache.yaml once, at start: the only place that looks at the environment.
//
// In:    a file (./wache.yaml unless named), what the command line says, the environment.
// Out:   a whole Config: every default filled, secrets read, paths absolute.
// Holds: any fault refuses the start, and all faults are told at once with file, line and column, in the order of the lines.
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  type Alias,
  type Document,
  isMap,
  isNode,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import { checkConfig, type Fault, type Path, type SchemaNode } from "./config-check.ts";
import { type Config, configSchema } from "./config-schema.ts";
import { messageOf, UserError } from "./errors.ts";
import { isObject } from "./json.ts";
import { pathFault } from "./path-fault.ts";

export type Environment = Readonly<Record<string, string | undefined>>;
export type LoadOptions = {
  /** The file; without it ./wache.yaml where there is one. */
  readonly file?: string | undefined;
  /** What the command line says: goes over the file. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly env?: Environment;
  /** What relative paths of the command line, and the default file, are relative to. */
  readonly cwd?: string;
};
export const DEFAULT_FILE = "wache.yaml";
const FILE_BYTES_MAX = 4 * 1024 * 1024;
const CONFIG_EXIT_CODE = 2;
const ALIASES_MAX = 100;
const SHOWN_MAX = 20; // faults that one message lists

export function loadConfig(options: LoadOptions = {}): Config {
  const cwd = options.cwd ?? process.cwd();
  const file = resolve(cwd, options.file ?? DEFAULT_FILE);
  const shownFile = options.file ?? DEFAULT_FILE;
  const text = readConfigFile(file, shownFile, options.file !== undefined);
  const parsed = parse(text, shownFile);
  const overrides = options.overrides ?? {};
  const given = plainOf(parsed, shownFile);
  if (given !== null && given !== undefined && !isObject(given))
    throw refused(shownFile, [
      `${shownFile}:1:1: the file must be a section of keys, such as "api:"`,
    ]);
  const { value, faults } = checkConfig(
    configSchema as unknown as SchemaNode,
    merged(given ?? {}, overrides),
    {
      substitute: (source) => substituteEnv(source, options.env ?? process.env),
      readSecret,
      absolute: (path, at) => resolve(hasPath(overrides, at) ? cwd : dirname(file), path),
    },
  );
  if (faults.length > 0)
    throw refused(
      shownFile,
      faults
        .map((fault) => worded(fault, overrides, shownFile, parsed))
        .toSorted((a, b) => a.offset - b.offset)
        .map(({ text }) => text),
    );
  return value as Config;
}

/** Every secret that a configuration holds, so that logs can leave them out. */
export function secretsOf(config: unknown, schema: unknown = configSchema): string[] {
  const node = schema as SchemaNode;
  if (typeof config === "string") return node.secret === true ? [config] : [];
  if (Array.isArray(config)) return config.flatMap((item) => secretsOf(item, node.items ?? {}));
  if (!isObject(config)) return [];
  const variant = node.anyOf?.find((one) => one.properties?.type?.const === config.type) ?? node;
  return Object.entries(config).flatMap(([key, value]) =>
    secretsOf(
      value,
      variant.properties?.[key] ?? Object.values(node.patternProperties ?? {})[0] ?? {},
    ),
  );
}

type Parsed = { readonly document: Document; readonly lines: LineCounter };

function readConfigFile(file: string, shownFile: string, mustExist: boolean): string {
  try {
    const bytes = readFileSync(file);
    if (bytes.length <= FILE_BYTES_MAX) return textOf(bytes, shownFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && !mustExist) return "";
    throw error instanceof UserError ? error : unreadable({ file, shownFile, mustExist }, error);
  }
  throw refused(shownFile, [`${shownFile}: larger than ${FILE_BYTES_MAX} bytes`]);
}

/** Another encoding would be read as other names and paths than those that were written. */
function textOf(bytes: Buffer, shownFile: string): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  let line = 1;
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end + 1;
    line++;
  }
  throw refused(shownFile, [
    `${shownFile}:${line}:1: this line is not UTF-8; save the file as such`,
  ]);
}

function unreadable(
  of: { readonly file: string; readonly shownFile: string; readonly mustExist: boolean },
  cause: unknown,
): UserError {
  const or = of.mustExist ? "leave --config out for the defaults" : "name another with --config";
  return new UserError(
    "config.unreadable",
    `the configuration ${of.shownFile} can't be read: ${pathFault(cause, of.file)}, or ${or}`,
    { cause, exitCode: CONFIG_EXIT_CODE },
  );
}

function parse(text: string, shownFile: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
  });
  // A warning is of something that would be left aside, such as a tag that nobody knows.
  const faults: readonly YAMLError[] = [...document.errors, ...document.warnings];
  if (faults.length > 0)
    throw refused(
      shownFile,
      faults.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return `${shownFile}:${line}:${col}: ${FAULT_WORDS[error.code] ?? error.message}`;
      }),
    );
  return { document, lines };
}

const FAULT_WORDS: Partial<Record<YAMLError["code"], string>> = {
  DUPLICATE_KEY: "the key stands here for the second time",
  MULTIPLE_DOCS: "a second document begins here; a configuration is one",
};

/** The document's values; the library throws at an alias that stands for nothing, or for too much. */
function plainOf({ document, lines }: Parsed, shownFile: string): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown;
  } catch (cause) {
    let first: Alias | undefined;
    let unknown: Alias | undefined;
    visit(document, {
      Alias: (_key, alias) => {
        first ??= alias;
        if (alias.resolve(document) === undefined) unknown ??= alias;
      },
    });
    const { line, col } = lines.linePos((unknown ?? first)?.range?.[0] ?? 0);
    const what =
      unknown === undefined
        ? `aliases stand for more than ${ALIASES_MAX} values; write them out (${messageOf(cause)})`
        : `*${unknown.source} is used, but no &${unknown.source} stands before it`;
    throw refused(shownFile, [`${shownFile}:${line}:${col}: ${what}`]);
  }
}

const refused = (shownFile: string, faults: readonly string[]): UserError =>
  new UserError(
    "config.refused",
    `${shownFile} has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}, nothing was started:\n${faults
      .slice(0, SHOWN_MAX)
      .map((fault) => `  ${fault}`)
      .join("\n")}`,
    { exitCode: CONFIG_EXIT_CODE },
  );

function worded(
  fault: Fault,
  overrides: Readonly<Record<string, unknown>>,
  shownFile: string,
  parsed: Parsed,
): { readonly offset: number; readonly text: string } {
  const key = fault.path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text === "" ? part : `${text}.${part}`,
    "",
  );
  if (hasPath(overrides, fault.path))
    return { offset: -1, text: `command line: ${key} ${fault.text}` };
  const offset = offsetOf(parsed.document, fault);
  const { line, col } = parsed.lines.linePos(offset);
  return { offset, text: `${shownFile}:${line}:${col}: ${key} ${fault.text}` };
}

/** Where the fault stands; where the key is absent, where its section stands. */
export function offsetOf(document: Document, fault: Fault): number {
  let offset = 0;
  let node: unknown = document.contents;
  for (const [depth, part] of fault.path.entries()) {
    const isLast = depth === fault.path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find((item) => isNode(item.key) && String(item.key) === String(part));
      if (pair === undefined) return offset;
      const target = (isLast && fault.atKey) || !isNode(pair.value) ? pair.key : pair.value;
      offset = isNode(target) ? (target.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = isNode(node) ? (node.range?.[0] ?? offset) : offset;
    } else return offset;
  }
  return offset;
}

function merged(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over === undefined ? base : over;
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over))
    result[key] = merged(Object.hasOwn(base, key) ? base[key] : undefined, value);
  return result;
}

function hasPath(value: unknown, path: Path): boolean {
  if (path.length === 0) return false;
  let node: unknown = value;
  for (const part of path) {
    if (!isObject(node) || !Object.hasOwn(node, String(part))) return false;
    node = node[String(part)];
  }
  return node !== undefined;
}

function substituteEnv(source: string, env: Environment): { text: string } | { fault: string } {
  const unset: string[] = [];
  const text = source.replaceAll(
    /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g,
    (_, name: string, fallback: string | undefined) => {
      const value = env[name];
      if (value !== undefined && value !== "") return value;
      if (fallback === undefined && value === undefined) unset.push(name);
      return fallback ?? "";
    },
  );
  if (unset.length === 0) return { text };
  return {
    fault: `names the environment variable ${unset.join(", ")}, which is not set; set it, or give a default: \${${unset[0]}:-…}`,
  };
}

function readSecret(path: string): { text: string } | { fault: string } {
  try {
    return { text: readFileSync(path, "utf8").trim() };
  } catch (error) {
    return { fault: `names ${path}, which can't be read: ${pathFault(error, path)}` };
  }
}

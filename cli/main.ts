// main.ts — the `wache` command: finds the verb, reads its options, runs it, and turns errors into words and exit codes.
import { once } from "node:events";
import { parseArgs } from "node:util";
import { messageOf, UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { helpOf, helpOfAll } from "./help.ts";
import { type Call, EXIT, type Values, type Verb } from "./verb.ts";
import { VERBS, type VerbEntry } from "./verbs.ts";

export type Output = Pick<Call, "out" | "err" | "drained">;

/** The exit code. */
export async function main(args: readonly string[], output: Output = terminal()): Promise<number> {
  try {
    return await dispatch(args, output);
  } catch (error) {
    return failed(error, output);
  }
}

async function dispatch(args: readonly string[], output: Output): Promise<number> {
  const [first, ...others] = args;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    const wanted = others.length > 0 ? find(others)?.entry : undefined;
    output.out(wanted === undefined ? helpOfAll(VERBS) : helpOf(await wanted.load()));
    return first === undefined ? EXIT.usage : EXIT.ok;
  }
  if (first === "--version" || first === "-v") return await dispatch(["version"], output);
  const found = find(args);
  if (found === undefined) return groupOrUnknown(args, output);
  const verb = await found.entry.load();
  if (wantsHelp(found.rest)) {
    output.out(helpOf(verb));
    return EXIT.ok;
  }
  const { values, positionals } = parse(verb, found.rest);
  return await verb.run({ values, positionals, ...output });
}

const wantsHelp = (rest: readonly string[]): boolean => {
  const end = rest.indexOf("--");
  const before = end < 0 ? rest : rest.slice(0, end);
  return before.includes("--help") || before.includes("-h");
};

/** The longest verb that the words begin with: `rules test` before `rules`. */
function find(
  words: readonly string[],
): { readonly entry: VerbEntry; readonly rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const entry = VERBS.find((one) => one.name === name);
    if (entry !== undefined) return { entry, rest: words.slice(length) };
  }
  return undefined;
}

/** `wache rules`: the verbs of that group; anything else is a typing error. */
function groupOrUnknown(words: readonly string[], output: Output): number {
  const group = VERBS.filter((entry) => entry.name.startsWith(`${words[0]} `));
  const given = words.slice(0, group.length > 0 ? 2 : 1).join(" ");
  if (group.length > 0 && (words.length === 1 || words[1]?.startsWith("-") === true)) {
    output.out(helpOfAll(group));
    return wantsHelp(words) ? EXIT.ok : EXIT.usage;
  }
  const names = (group.length > 0 ? group : VERBS).map((entry) => entry.name);
  const near = nearest(given, names);
  const meant = near === undefined ? `known are ${names.join(", ")}` : `did you mean ${near}?`;
  throw usage("cli.unknown-verb", `wache ${given}: there is no such verb; ${meant}`);
}

function parse(
  verb: Verb,
  args: readonly string[],
): { readonly values: Values; readonly positionals: readonly string[] } {
  const options = Object.fromEntries(
    Object.entries(verb.options).map(([name, { type, multiple }]) => [
      name,
      { type, ...(multiple === true ? { multiple } : {}) },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) if (token.kind === "option") refuseWrongOption(verb, token);
  const parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  const values = parsed.values as Values;
  const { positionals } = parsed;
  const { min, max } = verb.positionals;
  if (positionals.length < min || positionals.length > max)
    throw usage(
      "cli.usage",
      `usage: wache ${verb.name} ${verb.usage}\nwache ${verb.name} --help says more`,
    );
  return { values, positionals };
}

type Given = {
  readonly name: string;
  readonly rawName: string; // as it was written: -x
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined; // behind a =
};

function refuseWrongOption(verb: Verb, { name, rawName: raw, value, inlineValue }: Given): void {
  const option = Object.hasOwn(verb.options, name) ? verb.options[name] : undefined;
  if (option === undefined)
    throw usage(
      "cli.unknown-option",
      `wache ${verb.name}: ${raw} is not an option; ${insteadOf(verb, name)}`,
    );
  const needs = `wache ${verb.name}: ${raw} needs a value: ${raw} ${option.value ?? "VALUE"}`;
  if (option.type === "string" && value === undefined) throw usage("cli.usage", needs);
  if (option.type === "string" && inlineValue === false && /^-./.test(value ?? ""))
    throw usage(
      "cli.usage",
      `${needs}; ${value} looks like an option, write ${raw}=${value} if it is the value`,
    );
  if (option.type === "boolean" && value !== undefined)
    throw usage("cli.usage", `wache ${verb.name}: ${raw} takes no value`);
}

function insteadOf(verb: Verb, name: string): string {
  if (verb.needless !== undefined && Object.hasOwn(verb.needless, name))
    return `leave it out: ${verb.needless[name]}`;
  const known = [...Object.keys(verb.options), "help"];
  const near = nearest(name, known);
  return near === undefined
    ? `known are ${known.map((one) => `--${one}`).join(", ")}`
    : `did you mean --${near}?`;
}

const usage = (code: string, message: string): UserError =>
  new UserError(code, message, { exitCode: EXIT.usage });

function failed(error: unknown, output: Output): number {
  if (error instanceof UserError) {
    output.err(`wache: ${error.message}`);
    return error.exitCode;
  }
  output.err(
    `wache: internal error: ${error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error)}`,
  );
  return EXIT.internal;
}

function terminal(): Output {
  // A reader such as `head` that goes away ends the command quietly.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
  });
  return {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    drained: async () => {
      if (process.stdout.writableNeedDrain) await once(process.stdout, "drain");
    },
  };
}

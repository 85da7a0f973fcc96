// help.ts — the help of the command, and docs/cli.md, from the table of verbs.
import { EXITS, type Verb } from "./verb.ts";

type Named = { readonly name: string; readonly summary: string };

export function helpOfAll(verbs: readonly Named[]): string {
  const width = Math.max(...verbs.map((verb) => verb.name.length)) + 2;
  return [
    "Wache collects logs, correlates them with Sigma rules, and pages the team on watch.",
    "",
    "usage: wache VERB [options]",
    "",
    ...verbs.map((verb) => `  ${verb.name.padEnd(width)}${verb.summary}`),
    "",
    "wache VERB --help says more of each; wache run starts everything.",
  ].join("\n");
}

export function helpOf(verb: Verb): string {
  return [
    `wache ${verb.name} — ${verb.summary}`,
    "",
    `usage: wache ${verb.name} ${verb.usage}`.trimEnd(),
    ...(verb.text === undefined ? [] : ["", verb.text]),
    "",
    "options:",
    ...optionLines(verb),
    "",
    "examples:",
    ...verb.examples.flatMap(({ line, does }) => [`  ${line}`, `      ${does}`]),
    "",
    "exit codes:",
    ...exitsOf(verb).map(([code, text]) => `  ${code.padEnd(4)}${text}`),
  ].join("\n");
}

/** docs/cli.md. */
export function cliPage(verbs: readonly Verb[]): string {
  const sections = verbs.flatMap((verb) => [
    `## wache ${verb.name}`,
    "",
    "```text",
    helpOf(verb),
    "```",
    "",
  ]);
  return [
    "# The command",
    "",
    "Made from the table of verbs (`node cli/docs.ts`); a test compares it.",
    "",
    "| exit code | meaning |",
    "|---|---|",
    ...Object.entries(EXITS).map(([code, text]) => `| ${code} | ${text} |`),
    "",
    ...sections,
  ]
    .join("\n")
    .replace(/\n+$/, "\n");
}

function optionLines(verb: Verb): string[] {
  const rows = Object.entries(verb.options).map(([name, option]) => ({
    left: `--${name}${option.type === "string" ? ` ${option.value ?? "VALUE"}` : ""}`,
    text: `${option.text}${option.multiple === true ? " (can be repeated)" : ""}`,
  }));
  const all = [...rows, { left: "--help", text: "this help" }];
  const width = Math.max(...all.map(({ left }) => left.length)) + 2;
  return all.map(({ left, text }) => `  ${left.padEnd(width)}${text}`);
}

const exitsOf = (verb: Verb): [string, string][] => Object.entries({ ...EXITS, ...verb.exits });

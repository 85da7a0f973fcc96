// backfill.ts — the verb that keeps what rules find in stored events.
import { UserError } from "../../core/errors.ts";
import type { Finding } from "../../core/records.ts";
import { backfill as backfillRange } from "../../correlator/backfill/backfill.ts";
import type { KeptWorld } from "../../correlator/backfill/kept-world.ts";
import { backfillLate } from "../../correlator/backfill/late.ts";
import type { Rules } from "../../correlator/backfill/range.ts";
import { CONFIG_OPTIONS, configOf, JSON_OPTION } from "../common.ts";
import { findingLine, findingText } from "../finding-line.ts";
import { withKeptWorld } from "../kept-world.ts";
import { RULE_OPTIONS } from "../rule-folders.ts";
import { rulesFor, settledMs } from "../rules-for-kept.ts";
import { TIME_OPTIONS, timesOf } from "../stored-events.ts";
import { counted } from "../table.ts";
import { type Call, EXIT, flagOf, type Verb } from "../verb.ts";

export const backfill: Verb = {
  name: "backfill",
  summary: "keep what rules find in stored events",
  usage: "--from TIME [--to TIME] [options] [PATH…], or --late",
  text: "The findings that the rules give in the stored events of these times are kept as if the rules had been in force: with the ids and the content that live would have given, and with incidents. A finding that is kept already stays, unless the new one is fuller, which then replaces it; running it again adds nothing. Nobody is paged unless --page is given. Episodes that may still grow are left to the running rules. With --late: what came later than time.lateness, which live left out, is correlated with the events around it; each late event once, or again where --from and --to say so. PATH is a folder or a file of rules; without one, the folders that the configuration names and the rules that ship with Wache, as they are on the disk. In embedded mode it works through the process that runs with this data folder, or opens the folder itself: findings then reach incidents at the next start.",
  positionals: { min: 0, max: 1000 },
  options: {
    ...RULE_OPTIONS,
    data: CONFIG_OPTIONS.data,
    ...TIME_OPTIONS,
    late: { type: "boolean", text: "correlate what came later than the lateness" },
    page: { type: "boolean", text: "let incidents of these findings page" },
    ...JSON_OPTION,
  },
  examples: [
    {
      line: "wache backfill --from 2026-11-16 --to 2026-11-23 my-rules/vpn.yml",
      does: "a new rule for the week before it was in force",
    },
    { line: "wache backfill --late", does: "late events; correlator.late.every does it by itself" },
    {
      line: "wache backfill --json --from 2026-11-16 | jq -r .finding",
      does: "a line of JSON for each finding that is told",
    },
  ],
  exits: { 1: "the rules are refused" },
  run: async (call) => {
    const { values, positionals, err } = call;
    const config = configOf(values);
    const times = timesOf(values);
    const late = flagOf(values, "late");
    if (!late && times.fromMs === undefined)
      throw new UserError("cli.usage", "--from is missing: from when on? or --late", {
        exitCode: EXIT.usage,
      });
    const rules = await rulesFor(values, positionals, err);
    const wish = {
      ...times,
      settledMs: settledMs(config),
      page: () => flagOf(values, "page"),
      onTold: (finding: Finding) => tell(finding, call),
    };
    await withKeptWorld(config, (world) =>
      late ? runLate(world, rules, { wish, err }) : runRange(world, rules, { wish, err }),
    );
    return EXIT.ok;
  },
};

type Work<Wish> = { readonly wish: Wish; readonly err: Call["err"] };

async function runRange(
  world: KeptWorld,
  rules: Rules,
  { wish, err }: Work<Parameters<typeof backfillRange>[2]>,
): Promise<void> {
  const { events, found, told, growing, leftOut } = await backfillRange(world, rules, wish);
  err(
    `${counted(told, "finding")} told of ${found} found in ${counted(events, "event")}${found > told ? "; the others are kept already, or may still grow" : ""}`,
  );
  if (growing > 0)
    err(
      `${counted(growing, "finding")} may still grow and ${growing === 1 ? "is" : "are"} left to the running rules; run it again later for what they miss`,
    );
  if (leftOut > 0) err(`${counted(leftOut, "event")} of too many imports not correlated`);
}

async function runLate(
  world: KeptWorld,
  rules: Rules,
  { wish, err }: Work<Parameters<typeof backfillLate>[2]>,
): Promise<void> {
  const { late, told, pending } = await backfillLate(world, rules, wish);
  err(`${counted(told, "finding")} told because of ${counted(late, "late event")}`);
  if (pending > 0)
    err(
      `${counted(pending, "late event")} to be looked at again: windows with them may still grow`,
    );
}

function tell(finding: Finding, { values, out }: Call): void {
  out(flagOf(values, "json") ? JSON.stringify(findingLine(finding)) : findingText(finding));
}

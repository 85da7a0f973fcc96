// rules-backtest.ts — the verb that tries rules on the kept events.
import { isoOf } from "../../core/event.ts";
import { type Backtest, type Backtested, backtest } from "../backtest.ts";
import { CONFIG_OPTIONS, configOf, JSON_OPTION } from "../common.ts";
import { findingLine, foundText } from "../finding-line.ts";
import { withKeptWorld } from "../kept-world.ts";
import { RULE_OPTIONS } from "../rule-folders.ts";
import { rulesFor, settledMs } from "../rules-for-kept.ts";
import { TIME_OPTIONS, timesOf } from "../stored-events.ts";
import { counted, table } from "../table.ts";
import { type Call, EXIT, flagOf, stringOf, type Verb } from "../verb.ts";

export const rulesBacktest: Verb = {
  name: "rules backtest",
  summary: "count what rules would have found in the kept events",
  usage: "[options] [PATH…]",
  text: "For each rule and day (UTC) the number of events that a detection matches, and of findings that a correlation gives, by the day on which they begin. Findings that overlap the times are told; events around them are read as far as is needed for their true beginnings and ends. Nothing is written and nobody is paged: wache backfill does that. PATH is a folder or a file of rules; without one, the folders that the configuration names and the rules that ship with Wache. It asks the process that runs with this data folder, or opens the store itself.",
  positionals: { min: 0, max: 1000 },
  options: {
    ...RULE_OPTIONS,
    data: CONFIG_OPTIONS.data,
    ...TIME_OPTIONS,
    query: {
      type: "string",
      value: "QUERY",
      text: "only the events that it finds, as in events search",
    },
    findings: {
      type: "boolean",
      text: "list the findings of correlations instead of counting, with the ids that live would have given them; an absence of a listed group of which no event was read begins with the first event that was read, and has an id of its own",
    },
    ...JSON_OPTION,
  },
  examples: [
    {
      line: "wache rules backtest --from 2026-11-16 --to 2026-11-23 my-rules/vpn.yml",
      does: "how often a new rule would have fired in a week",
    },
    {
      line: "wache rules backtest --findings --from 2026-11-16 my-rules/vpn.yml",
      does: "each finding: its group, its times, its id",
    },
    {
      line: "wache rules backtest --json | jq -r .title",
      does: "a line of JSON for each rule and day",
    },
  ],
  exits: {
    0: "the events were tried, whether or not a rule matched",
    1: "the rules or the query are refused",
  },
  run: async (call) => {
    const { values, positionals, err } = call;
    const config = configOf(values);
    const wish = {
      ...{ q: stringOf(values, "query") ?? "", settledMs: settledMs(config) },
      ...timesOf(values),
    };
    const rules = await rulesFor(values, positionals, err);
    const tried = await withKeptWorld(config, (world) => backtest(world, rules, wish));
    if (flagOf(values, "findings")) tellFindings(tried, call);
    else tellCounts(tried.counts, call);
    const found = new Set(tried.counts.map(({ rule }) => rule)).size;
    const all = rules.set.detections.length + rules.set.correlations.length;
    err(`${found} of ${counted(all, "rule")} found something in ${counted(tried.events, "event")}`);
    if (tried.leftOut > 0)
      err(`${counted(tried.leftOut, "event")} of too many imports not correlated`);
    return EXIT.ok;
  },
};

function tellCounts(counts: readonly Backtested[], { values, out }: Call): void {
  if (flagOf(values, "json")) for (const one of counts) out(JSON.stringify(one));
  else if (counts.length > 0) {
    const head = ["DAY", "COUNT", "LEVEL", "KIND", "TITLE", "ID"];
    const rows = counts.map(({ day, count, level, kind, title, rule }) => [
      ...[day, String(count), level, kind, title, rule],
    ]);
    for (const line of table(head, rows)) out(line);
  }
}

function tellFindings({ findings }: Backtest, { values, out }: Call): void {
  if (flagOf(values, "json")) for (const one of findings) out(JSON.stringify(findingLine(one)));
  else if (findings.length > 0) {
    const head = ["FIRST", "LAST", "FOUND", "LEVEL", "TITLE", "GROUP", "ID"];
    const rows = findings.map((finding) => {
      const { id, firstMs, lastMs, rule, group } = finding;
      return [
        ...[isoOf(firstMs), isoOf(lastMs), foundText(finding), rule.level, rule.title],
        ...[Object.values(group).join(", "), id],
      ];
    });
    for (const line of table(head, rows)) out(line);
  }
}

// rules-backtest.ts — the verb that tries rules on the kept events.
import { UserError } from "../../core/errors.ts";
import { ruleDisk } from "../../correlator/sigma/disk.ts";
import { loadRules } from "../../correlator/sigma/load.ts";
import { Backtest } from "../backtest.ts";
import { CONFIG_OPTIONS, configOf, JSON_OPTION } from "../common.ts";
import { RULE_OPTIONS, readingOf, ruleFoldersOf } from "../rule-folders.ts";
import { PAGE_MAX, TIME_OPTIONS, timesOf, withPages } from "../stored-events.ts";
import { counted, table } from "../table.ts";
import { EXIT, flagOf, stringOf, type Verb } from "../verb.ts";

export const rulesBacktest: Verb = {
  name: "rules backtest",
  summary: "count what rules would have found in the kept events",
  usage: "[options] [PATH…]",
  text: "For each rule and day (UTC) the number of events that a detection matches, and of findings that a correlation gives. Nothing is written and nobody is paged. PATH is a folder or a file of rules; without one, the folders that the configuration names and the rules that ship with Wache. It asks the process that runs with this data folder, or opens the store itself.",
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
    ...JSON_OPTION,
  },
  examples: [
    {
      line: "wache rules backtest --from 2026-11-16 --to 2026-11-23 my-rules/vpn.yml",
      does: "how often a new rule would have fired in a week",
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
  run: async ({ values, positionals, out, err }) => {
    const config = configOf(values);
    const wish = {
      q: stringOf(values, "query") ?? "",
      order: "oldest",
      ...timesOf(values),
    } as const;
    const folders = ruleFoldersOf(values, positionals);
    const { set, problems, leftOut } = await loadRules(folders, ruleDisk, readingOf(values));
    if (set === undefined)
      throw new UserError(
        "rules.refused",
        `the rules are refused: ${problems[0]?.at}: ${problems[0]?.message}; wache rules validate says more`,
      );
    if (leftOut.length > 0) err(`${counted(leftOut.length, "rule")} left out of lenient folders`);
    const backtest = new Backtest(set, config.correlator);
    await withPages(config, { wish, firstLimit: PAGE_MAX }, async (readPage) => {
      let cursor: string | undefined;
      do {
        const page = await readPage(PAGE_MAX, cursor);
        for (const event of page.items) backtest.add(event);
        cursor = page.cursor;
      } while (cursor !== undefined);
    });
    const found = backtest.end();
    if (flagOf(values, "json")) for (const one of found) out(JSON.stringify(one));
    else if (found.length > 0) {
      const head = ["DAY", "COUNT", "LEVEL", "KIND", "TITLE", "ID"];
      const rows = found.map(({ day, count, level, kind, title, rule }) => [
        ...[day, String(count), level, kind, title, rule],
      ]);
      for (const line of table(head, rows)) out(line);
    }
    const rules = new Set(found.map(({ rule }) => rule)).size;
    const all = set.detections.length + set.correlations.length;
    err(
      `${rules} of ${counted(all, "rule")} found something in ${counted(backtest.events, "event")}`,
    );
    if (backtest.streamsLeftOut > 0)
      err(`${counted(backtest.streamsLeftOut, "event")} of too many imports not correlated`);
    return EXIT.ok;
  },
};

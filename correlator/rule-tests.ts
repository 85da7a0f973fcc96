// rule-tests.ts — runs the tests that stand beside rules: events in, findings out, through the same match and windows as live.
//
// In:    `<name>.test.yml`, as rule-test-file.ts reads it.
// Out:   for each case what was wanted and found, or what keeps it from being run.
// Holds: the findings of a case are compared whole, both ways round, for the rules of the file beside it.
import type { EcsEvent } from "../core/event.ts";
import { isObject, type Json } from "../core/json.ts";
import type { Finding } from "../core/records.ts";
import { areAsWanted } from "./findings-wanted.ts";
import { FinishedStream } from "./finished-stream.ts";
import { indexedMatcher } from "./match/indexed.ts";
import type { Matcher } from "./match/matcher.ts";
import {
  type FindingWanted,
  type ReadCase,
  readTestFile,
  refusal,
  type TestCase,
} from "./rule-test-file.ts";
import { ruleDisk } from "./sigma/disk.ts";
import { ruleId } from "./sigma/feeds.ts";
import { readAlone, readText } from "./sigma/load.ts";
import type { Problem, RuleSet } from "./sigma/rule.ts";

export type CaseResult = {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
  readonly wanted: readonly FindingWanted[];
  readonly found: readonly FindingWanted[];
  readonly problems?: readonly Problem[]; // for which it was not run
};

const START_MS = Date.UTC(2026, 0, 5, 8);
const EVENTS_MAX = 100_000;

/** Runs one test file against the whole set; what is compared are the findings of the rule file beside it. */
export async function runRuleTest(file: string, set: RuleSet): Promise<CaseResult[]> {
  const read = await readText(file, ruleDisk);
  const { events, cases } = read.ok
    ? readTestFile({ path: file, text: read.text })
    : { events: {}, cases: unread(`${file}:1:1`, read.message) };
  const beside = await rulesBeside(file);
  if (beside === undefined) {
    const path = besideOf(file);
    const problem = refusal(`${file}:1:1`, `no rule stands beside it; it would be ${path}`);
    return cases.map(({ name, problems = [] }) => notRun(file, name, [problem, ...problems]));
  }
  const matcher = indexedMatcher(set);
  return cases.map((one) => {
    if (one.problems !== undefined) return notRun(file, one.name, one.problems);
    const { name, findings: wanted, until } = one.test;
    const untilMs = until === undefined ? undefined : START_MS + until * 1000;
    const found = findingsOf(eventsOf(one.test, events), set, { matcher, untilMs })
      .filter(({ rule }) => beside.has(rule.id))
      .map((finding) => asWanted(finding, wanted));
    return { file, name, wanted, found, passed: areAsWanted(found, wanted) };
  });
}

const unread = (at: string, message: string): readonly ReadCase[] => [
  { name: "the whole file", problems: [refusal(at, message)] },
];

const notRun = (file: string, name: string, problems: readonly Problem[]): CaseResult => ({
  ...{ file, name, passed: false, wanted: [], found: [] },
  problems,
});

function eventsOf({ events }: TestCase, inAll: Json): readonly EcsEvent[] {
  const all = events.flatMap(({ at = 0, repeat = 1, everyS = 1, event }) =>
    Array.from({ length: repeat }, (_, n) => ({
      atMs: START_MS + (at + n * everyS) * 1000,
      event,
    })),
  );
  return all.map(({ atMs, event }, n) => eventOf(atMs, `e${n}`, merged(inAll, event)));
}

/** As a test writes it: with level and suppressed episodes where it names them for one of its findings. */
function asWanted(finding: Finding, wanted: readonly FindingWanted[]): FindingWanted {
  const { rule, group, count, suppressed = 0 } = finding;
  return {
    ...{ rule: rule.name ?? rule.id, group, count },
    ...(wanted.some(({ level }) => level !== undefined) && { level: rule.level }),
    ...(wanted.some((one) => one.suppressed !== undefined) && { suppressed }),
  };
}

const besideOf = (file: string): string => file.replace(/\.test\.(ya?ml)$/i, ".$1");

/** The ids of the rules that the test is for; undefined where there is no such file. */
async function rulesBeside(file: string): Promise<ReadonlySet<string> | undefined> {
  const read = await readAlone(besideOf(file), ruleDisk);
  if (read === undefined) return undefined;
  const { drafts, refused } = read;
  // One that only the set's placeholders make whole is refused here: its names are told all the same.
  return new Set([...drafts.map(ruleId), ...refused.flatMap(({ names = [] }) => names)]);
}

/** What a finished stream of these events leads to: unsuperseded findings, the newest revision of each. */
export function findingsOf(
  events: readonly EcsEvent[],
  set: RuleSet,
  { matcher, untilMs }: { readonly matcher: Matcher; readonly untilMs?: number | undefined },
): readonly Finding[] {
  const stream = new FinishedStream(set, {
    ...{ latenessMs: 0, matchesMax: EVENTS_MAX, valuesMax: EVENTS_MAX, groupsMax: EVENTS_MAX },
    evidenceMax: 20,
  });
  for (const event of events)
    stream.add(
      event,
      matcher.match(event, event.wache.sources).map(({ rule }) => rule),
    );
  if (untilMs !== undefined) stream.seen(untilMs);
  return stream.end();
}

function eventOf(atMs: number, id: string, fields: Json): EcsEvent {
  const wache = merged({ stream: "live", sources: [] }, (fields["wache"] ?? {}) as Json);
  const event = merged({ id }, (fields["event"] ?? {}) as Json);
  return {
    ...fields,
    "@timestamp": new Date(atMs).toISOString(),
    event,
    wache,
  } as unknown as EcsEvent;
}

function merged(base: Json, over: Json): Json {
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const before = result[name];
    result[name] = isObject(before) && isObject(value) ? merged(before, value) : value;
  }
  return result;
}

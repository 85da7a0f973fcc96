// rule-tests.ts — runs the tests that stand beside rules: events in, findings out, through the same match and windows as live.
//
// In:    `<name>.test.yml`: defaults for every event, and cases: events (`at` in seconds, `repeat`, `everyS`), `until` when
//        their stream goes on without events, findings wanted.
// Out:   for each case what was wanted and found.
// Holds: the findings of a case are compared whole, both ways round, for the rules of the file beside it.
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { UserError } from "../core/errors.ts";
import type { EcsEvent } from "../core/event.ts";
import { isObject, type Json } from "../core/json.ts";
import type { Finding } from "../core/records.ts";
import { FinishedStream } from "./finished-stream.ts";
import { indexedMatcher } from "./match/indexed.ts";
import type { Matcher } from "./match/matcher.ts";
import type { RuleSet } from "./sigma/rule.ts";

export type FindingWanted = {
  readonly rule: string;
  readonly group: Readonly<Record<string, string>>;
  readonly count: number;
  readonly level?: string; // compared where the test names it
  readonly suppressed?: number;
};
export type CaseResult = {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
  readonly wanted: readonly FindingWanted[];
  readonly found: readonly FindingWanted[];
};
type TestFile = {
  readonly events?: Json;
  readonly cases?: readonly {
    readonly name: string;
    readonly events: readonly {
      readonly at?: number;
      readonly repeat?: number;
      readonly everyS?: number;
      readonly event: Json;
    }[];
    readonly until?: number;
    readonly findings?: readonly FindingWanted[];
  }[];
};

const START_MS = Date.UTC(2026, 0, 5, 8);
const EVENTS_MAX = 100_000;

/** Runs one test file against the whole set; what is compared are the findings of the rule file beside it. */
export async function runRuleTest(file: string, set: RuleSet): Promise<CaseResult[]> {
  const text = await readFile(file, "utf8");
  const test = parse(text) as TestFile | null;
  const cases = test?.cases ?? [];
  if (cases.length === 0)
    throw new UserError(
      "rule-test.no-cases",
      `${file}: has no cases; write cases: [{ name, events, findings }]`,
    );
  const beside = await rulesBeside(file);
  const matcher = indexedMatcher(set);
  return cases.map(({ name, events, until, findings }) => {
    const all = events.flatMap(({ at = 0, repeat = 1, everyS = 1, event }) =>
      Array.from({ length: Math.min(repeat, EVENTS_MAX) }, (_, n) => ({
        atMs: START_MS + (at + n * everyS) * 1000,
        event,
      })),
    );
    const stamped = all.map(({ atMs, event }, n) =>
      eventOf(atMs, `e${n}`, merged(test?.events ?? {}, event)),
    );
    const untilMs = until === undefined ? undefined : START_MS + until * 1000;
    const wanted = findings ?? [];
    const found = findingsOf(stamped, set, { matcher, untilMs })
      .filter(({ rule }) => beside.has(rule.id))
      .map((finding) => asWanted(finding, wanted));
    return { file, name, wanted, found, passed: same(wanted, found) };
  });
}

/** What a test compares: level and suppressed episodes only where it names them for one of its findings. */
function asWanted(finding: Finding, wanted: readonly FindingWanted[]): FindingWanted {
  const { rule, group, count, suppressed = 0 } = finding;
  return {
    ...{ rule: rule.name ?? rule.id, group, count },
    ...(wanted.some(({ level }) => level !== undefined) && { level: rule.level }),
    ...(wanted.some((one) => one.suppressed !== undefined) && { suppressed }),
  };
}

async function rulesBeside(file: string): Promise<ReadonlySet<string>> {
  const path = file.replace(/\.test\.(ya?ml)$/, ".$1");
  const text = await readFile(path, "utf8").catch(() => {
    throw new UserError(
      "rule-test.no-rule",
      `${file}: no rule stands beside it; it would be ${path}`,
    );
  });
  return new Set(
    [...text.matchAll(/^id:\s*["']?([0-9a-fA-F-]{36})/gm)].map(([, id]) => id?.toLowerCase() ?? ""),
  );
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

function same(wanted: readonly FindingWanted[], found: readonly FindingWanted[]): boolean {
  const text = (one: FindingWanted) =>
    JSON.stringify([
      one.rule,
      Object.entries(one.group).sort(),
      one.count,
      one.level,
      one.suppressed,
    ]);
  return JSON.stringify(wanted.map(text).sort()) === JSON.stringify(found.map(text).sort());
}

// absences.ts — what did not come: drawn, written, and found in the plainest words.
//
// Holds: docs/correlation.md, "Absence": with a timespan one is missed at s + span, s + 2 · span and so on, until one comes;
//        with a deadline at each D with none in the closed span [D − span, D].
import type { Chance } from "./chance.ts";
import type { Member } from "./correlation-types.ts";
import { type DrawnDeadline, deadlineLine, deadlinesBetween, drawDeadline } from "./deadlines.ts";
import type { Choice } from "./drawn-assets.ts";
import type { DrawnCorrelation } from "./drawn-rules.ts";

export type Awaiting = {
  readonly rememberS?: number;
  readonly expected?: readonly (readonly string[])[]; // groups
  readonly choice?: Choice | undefined; // of the assets that these are
  readonly deadline?: DrawnDeadline;
};

/** What the stream is to those who await something in it. */
export type Wait = {
  readonly clockMs: number; // how far it came
  /** Since when a listed group is awaited, where it is awaited before it was seen. */
  readonly since: (rule: string, group: readonly string[]) => number | undefined;
};

export type AbsenceFound = {
  readonly dueMs: number; // when it was missed first: what feeds others
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly evidence: readonly string[];
};

/** By what a group may be listed. */
export const VALUES: Readonly<Record<string, readonly string[]>> = {
  "sim.user": ["ann", "bob", "nobody"],
  "sim.address": ["10.0.0.1", "10.0.0.9"],
  "sim.host": ["x", "y"],
  "sim.port": ["1", "2.5", "web"],
};

export function drawAwaiting(
  chance: Chance,
  { groupBy, spanS }: { readonly groupBy: readonly string[]; readonly spanS: number },
): Awaiting {
  const rememberS = spanS * chance.int(2, 10);
  if (groupBy.length === 0) return chance.is(0.5) ? { rememberS } : {};
  const expected = drawGroups(chance, groupBy);
  return chance.one([{ rememberS }, { rememberS }, { expected }, { rememberS, expected }]);
}

/** One or two that are awaited for ever. */
export function drawGroups(chance: Chance, groupBy: readonly string[]): string[][] {
  const draw = (): string[] => groupBy.map((field) => chance.one(VALUES[field] ?? [""]));
  const groups = [draw(), draw()].map((group) => [JSON.stringify(group), group] as const);
  return [...new Map(groups).values()];
}

/** The same by a time of day: groups are remembered for seconds still, or for long enough to miss some. */
export function withDeadline(chance: Chance, { rememberS, ...awaiting }: Awaiting): Awaiting {
  const longerS = chance.one([rememberS, 600, 86_400, 40 * 86_400]);
  return {
    ...awaiting,
    ...(rememberS !== undefined && { rememberS: longerS }),
    deadline: drawDeadline(chance),
  };
}

export const awaitingLines = ({ rememberS, expected, choice, deadline }: Awaiting): string[] => [
  ...(rememberS === undefined ? [] : [`rememberFor: ${rememberS}s`]),
  ...(expected ? [`expected: ${JSON.stringify(choice ? { assets: choice } : expected)}`] : []),
  ...(deadline ? [deadlineLine(deadline)] : []),
];

/** The groups that are awaited for ever, by name. */
export function listedOf({ awaiting, groupBy }: DrawnCorrelation): (readonly string[])[] {
  if (groupBy.length === 0 && awaiting?.rememberS === undefined) return [[]];
  return [...(awaiting?.expected ?? [])];
}

export function absencesOf(
  rule: DrawnCorrelation,
  group: {
    readonly values: readonly string[];
    readonly members: readonly Pick<Member, "timeMs" | "id">[];
  },
  wait: Wait,
): AbsenceFound[] {
  const isListed = listedOf(rule).some((one) => one.join("\n") === group.values.join("\n"));
  const rememberMs = isListed ? Number.POSITIVE_INFINITY : (rule.awaiting?.rememberS ?? 0) * 1000;
  if (rememberMs === 0) return [];
  const came = momentsOf(group.members);
  const sinceMs = isListed ? wait.since(rule.name, group.values) : undefined;
  if (sinceMs !== undefined && !came.some(({ timeMs }) => timeMs <= sinceMs))
    came.unshift({ timeMs: sinceMs, ids: [] });
  const missedAfter = missesOf(rule, came, wait.clockMs);
  return came.flatMap((from, index) => {
    const next = came[index + 1];
    const found = { from, next, forgetMs: from.timeMs + rememberMs, missed: missedAfter(from) };
    return gapOf(rule, found, wait.clockMs) ?? [];
  });
}

type Moment = { readonly timeMs: number; readonly ids: readonly string[] };

/** Of those that came at one time the first by id is named. */
function momentsOf(members: readonly Pick<Member, "timeMs" | "id">[]): Moment[] {
  const times = [...Map.groupBy(members, ({ timeMs }) => timeMs)].sort(([a], [b]) => a - b);
  return times.map(([timeMs, all]) => ({
    timeMs,
    ids: all
      .map(({ id }) => id)
      .sort()
      .slice(0, 1),
  }));
}

/** When the nth is missed, from 1. */
type Missed = (nth: number) => number;

function missesOf(
  { spanS, awaiting }: DrawnCorrelation,
  came: readonly Moment[],
  clockMs: number,
): (from: Moment) => Missed {
  const spanMs = spanS * 1000;
  if (!awaiting?.deadline) return (from) => (nth) => from.timeMs + nth * spanMs;
  const times = came.map(({ timeMs }) => timeMs);
  const range = { fromMs: Math.min(...times), toMs: Math.max(...times, clockMs) };
  const all = times.length === 0 ? [] : deadlinesBetween(awaiting.deadline, range);
  return ({ timeMs, ids }) => {
    const seenMs = ids.length === 0 ? timeMs - 1 : timeMs; // where the wait begins, none came
    const missed = all.filter((atMs) => atMs - spanMs > seenMs);
    return (nth) => missed[nth - 1] ?? Number.POSITIVE_INFINITY;
  };
}

type Gap = {
  readonly from: Moment;
  readonly next: Moment | undefined;
  readonly forgetMs: number;
  readonly missed: Missed;
};

function gapOf(rule: DrawnCorrelation, gap: Gap, clockMs: number): AbsenceFound | undefined {
  const { from, next, forgetMs, missed } = gap;
  const firstMs = rule.awaiting?.deadline ? missed(1) : from.timeMs;
  const missedUntil = (isMissed: (atMs: number) => boolean): number => {
    let count = 0;
    while (isMissed(missed(count + 1))) count += 1;
    return count;
  };
  const found = (count: number, lastMs: number, evidence: readonly string[]) =>
    count === 0 ? undefined : { dueMs: missed(1), firstMs, lastMs, count, evidence };
  if (next !== undefined && next.timeMs <= forgetMs) {
    const count = missedUntil((atMs) => atMs < next.timeMs);
    return found(count, next.timeMs, [...from.ids, ...next.ids]);
  }
  if (next !== undefined || forgetMs < clockMs)
    return found(
      missedUntil((atMs) => atMs <= forgetMs),
      forgetMs,
      from.ids,
    );
  const count = toldOf(
    rule,
    missedUntil((atMs) => atMs < clockMs),
  );
  return found(count, missed(count), from.ids);
}

/** The count that was told last, while it goes on. */
function toldOf({ awaiting, escalate = [] }: DrawnCorrelation, missed: number): number {
  if (missed === 0 || awaiting?.deadline) return missed;
  const told = [1, ...escalate.map(({ count }) => count)];
  while ((told[0] ?? 0) * 2 <= missed) told.unshift((told[0] ?? 0) * 2);
  return Math.max(...told.filter((one) => one <= missed));
}

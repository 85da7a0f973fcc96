// absences.ts — what did not come: drawn, written, and found in the plainest words.
//
// Holds: docs/correlation.md, "Absence", for a timespan: one is missed at s + span, s + 2 · span and so on, until one comes.
import type { Chance } from "./chance.ts";
import type { Member } from "./correlation-types.ts";
import type { DrawnCorrelation } from "./drawn-rules.ts";

export type Awaiting = {
  readonly rememberS?: number;
  readonly expected?: readonly (readonly string[])[]; // groups
};

/** What the stream is to those who await something in it. */
export type Wait = {
  readonly clockMs: number; // how far it came
  /** Since when a listed group is awaited, where it is awaited before it was seen. */
  readonly since: (rule: string, group: readonly string[]) => number | undefined;
};

export type AbsenceFound = {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly evidence: readonly string[];
};

const VALUES: Readonly<Record<string, readonly string[]>> = {
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
  const draw = (): string[] => groupBy.map((field) => chance.one(VALUES[field] ?? [""]));
  const groups = [draw(), draw()].map((group) => [JSON.stringify(group), group] as const);
  const expected = [...new Map(groups).values()];
  return chance.one([{ rememberS }, { rememberS }, { expected }, { rememberS, expected }]);
}

export const awaitingLines = ({ rememberS, expected }: Awaiting): string[] => [
  ...(rememberS === undefined ? [] : [`rememberFor: ${rememberS}s`]),
  ...(expected ? [`expected: ${JSON.stringify(expected)}`] : []),
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
  return came.flatMap((from, index) => {
    const next = came[index + 1];
    const found = { from, next, forgetMs: from.timeMs + rememberMs };
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

function gapOf(
  rule: DrawnCorrelation,
  gap: { readonly from: Moment; readonly next: Moment | undefined; readonly forgetMs: number },
  clockMs: number,
): AbsenceFound | undefined {
  const { from, next, forgetMs } = gap;
  const firstMs = from.timeMs;
  const missedUntil = (isMissed: (atMs: number) => boolean): number => {
    let count = 0;
    while (isMissed(firstMs + (count + 1) * rule.spanS * 1000)) count += 1;
    return count;
  };
  const found = (count: number, lastMs: number, evidence: readonly string[]) =>
    count === 0 ? undefined : { firstMs, lastMs, count, evidence };
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
  const missed = missedUntil((atMs) => atMs < clockMs);
  const told = [1, ...(rule.escalate ?? []).map(({ count }) => count)];
  while ((told[0] ?? 0) * 2 <= missed) told.unshift((told[0] ?? 0) * 2);
  const count = missed === 0 ? 0 : Math.max(...told.filter((one) => one <= missed));
  return found(count, firstMs + count * rule.spanS * 1000, from.ids);
}

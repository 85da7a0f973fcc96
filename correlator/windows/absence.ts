// absence.ts — one group from which something is awaited: says since when it is missing, and when it came again.
//
// In:    the times at which it came, in any order.
// Out:   absences: each began with the last one before it and ends with the next, or when the group is forgotten.
// Holds: the same set of times gives the same absences; only times that end or begin one, or still may, are kept.
// Why:   of three times within a span the middle one ends and begins no absence, whatever else comes: a source that is
//        heard a thousand times a second costs no more than one that is heard once.
import type { CorrelationRule } from "../../core/records.ts";
import { Deadlines } from "./deadline.ts";

/** When one is missed that came last at a time. */
export type Due = {
  /** What stands for the last one where none came yet: the wait began then. */
  readonly waiting: (beganMs: number) => number;
  readonly after: (sinceMs: number) => number;
  /** The time at which it was missed for the nth time. */
  readonly nth: (absence: { readonly sinceMs: number; readonly count: number }) => number;
  /** How often it was missed before `untilMs`. */
  readonly count: (absence: { readonly sinceMs: number; readonly untilMs: number }) => number;
  /** The count that is told while nothing comes: each is told once. */
  readonly told: (count: number) => number;
};
export type Awaited = {
  readonly values: readonly string[];
  readonly listed: boolean; // expected always
  readonly times: number[]; // the last one that is settled, then those that may still begin or end an absence
  readonly ids: string[]; // of their events; empty: none came, the wait began
  told?: { readonly revision: number; readonly count: number }; // of the absence that began with the first time
  bounded?: true;
  page?: true;
};
export type Absence = {
  readonly sinceMs: number;
  readonly sinceId: string;
  readonly dueMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly revision: number;
  readonly end?: { readonly atMs: number; readonly id?: string }; // no id: it is no longer expected
};
/** All that came before `knownMs` is known; the clock stands at `clockMs`. */
export type Reached = { readonly knownMs: number; readonly clockMs: number };

export function dueOf({ spanMs, absence, escalate }: CorrelationRule): Due {
  if (absence?.deadline) return dueByDeadline(new Deadlines(absence.deadline), spanMs);
  const steps = (escalate ?? []).map(({ count }) => count);
  return {
    waiting: (beganMs) => beganMs,
    after: (sinceMs) => sinceMs + spanMs,
    nth: ({ sinceMs, count }) => sinceMs + count * spanMs,
    count: ({ sinceMs, untilMs }) => Math.max(0, Math.ceil((untilMs - sinceMs) / spanMs) - 1),
    told: (count) =>
      Math.max(2 ** Math.floor(Math.log2(count)), ...steps.filter((step) => step <= count)),
  };
}

function dueByDeadline(deadlines: Deadlines, spanMs: number): Due {
  const after = (sinceMs: number): number => deadlines.after(sinceMs + spanMs);
  return {
    // A span that begins with the wait was seen whole: none came in it, at its first moment neither.
    waiting: (beganMs) => beganMs - 1,
    after,
    nth: ({ sinceMs, count }) => {
      let atMs = after(sinceMs);
      for (let n = 1; n < count; n++) atMs = deadlines.after(atMs);
      return atMs;
    },
    count: ({ sinceMs, untilMs }) => {
      let count = 0;
      for (let atMs = after(sinceMs); atMs < untilMs; atMs = deadlines.after(atMs)) count += 1;
      return count;
    },
    told: (count) => count,
  };
}

/** It came at a time that is not settled. False where that says nothing new. */
export function came(
  due: Due,
  group: Awaited,
  { timeMs, id }: { readonly timeMs: number; readonly id: string },
): boolean {
  const { times, ids } = group;
  if (times.length > 0 && ids[0] === "" && timeMs <= (times[0] ?? 0)) {
    times.shift();
    ids.shift();
  }
  let at = times.length;
  while ((times[at - 1] ?? Number.NEGATIVE_INFINITY) > timeMs) at -= 1;
  if (times[at - 1] === timeMs) {
    if (id >= (ids[at - 1] ?? "")) return false;
    ids[at - 1] = id;
    return true;
  }
  times.splice(at, 0, timeMs);
  ids.splice(at, 0, id);
  for (const place of [at + 1, at, at - 1]) dropNeedless(due, group, place);
  return true;
}

function dropNeedless(due: Due, { times, ids }: Awaited, at: number): void {
  const [before, after] = [times[at - 1], times[at + 1]];
  if (ids[at - 1] === "") return; // an earlier time may take the place of the wait's beginning
  if (before === undefined || after === undefined || due.after(before) < after) return;
  times.splice(at, 1);
  ids.splice(at, 1);
}

/** Nothing came yet: since when one is awaited. */
export function awaits(group: Awaited, sinceMs: number): void {
  const { times, ids, told } = group;
  if (times.length > 0 && ids[0] === "" && told === undefined) {
    times.shift();
    ids.shift();
  }
  if ((times[0] ?? Number.POSITIVE_INFINITY) <= sinceMs) return;
  times.unshift(sinceMs);
  ids.unshift("");
}

/** The absences that are to be told, and when to look again; never: the group is forgotten. */
export function settle(
  rule: CorrelationRule,
  due: Due,
  { group, to }: { readonly group: Awaited; readonly to: Reached },
): { readonly told: readonly Absence[]; readonly againMs: number | undefined } {
  const { times } = group;
  const told: Absence[] = [];
  const rememberMs = group.listed ? undefined : rule.absence?.rememberMs;
  for (;;) {
    const [sinceMs, nextMs] = times;
    if (sinceMs === undefined) return { told, againMs: undefined };
    const forgetMs = sinceMs + (rememberMs ?? Number.POSITIVE_INFINITY);
    const isNext = nextMs !== undefined && nextMs < to.knownMs;
    if (!isNext && forgetMs >= to.clockMs) {
      const open = stillOpen(due, group, { sinceMs, clockMs: to.clockMs });
      if (open.absence) told.push(open.absence);
      return { told, againMs: Math.min(forgetMs, nextMs ?? forgetMs, open.againMs) };
    }
    const over = ended(due, group, { sinceMs, nextMs: isNext ? nextMs : undefined, forgetMs });
    if (over) told.push(over);
    times.shift();
    group.ids.shift();
    delete group.told;
  }
}

function stillOpen(
  due: Due,
  group: Awaited,
  { sinceMs, clockMs }: { readonly sinceMs: number; readonly clockMs: number },
): { readonly absence?: Absence; readonly againMs: number } {
  const [sinceId = ""] = group.ids;
  const lastOneMs = sinceId === "" ? due.waiting(sinceMs) : sinceMs;
  const missed = due.count({ sinceMs: lastOneMs, untilMs: clockMs });
  const dueMs = due.after(lastOneMs);
  if (missed === 0) return { againMs: dueMs };
  const count = due.told(missed);
  // Counts that are told rise at least with every doubling: the next one is looked for when one more is missed.
  const againMs = due.nth({ sinceMs: lastOneMs, count: missed + 1 });
  if (count <= (group.told?.count ?? 0)) return { againMs };
  const revision = (group.told?.revision ?? 0) + 1;
  group.told = { revision, count };
  const lastMs = due.nth({ sinceMs: lastOneMs, count });
  const absence = { sinceMs, sinceId, dueMs, lastMs, count, revision };
  return { absence, againMs };
}

function ended(
  due: Due,
  group: Awaited,
  times: {
    readonly sinceMs: number;
    readonly nextMs: number | undefined;
    readonly forgetMs: number;
  },
): Absence | undefined {
  const { sinceMs, nextMs, forgetMs } = times;
  const cameMs = nextMs !== undefined && nextMs <= forgetMs ? nextMs : undefined;
  const [sinceId = "", nextId = ""] = group.ids;
  const lastOneMs = sinceId === "" ? due.waiting(sinceMs) : sinceMs;
  const dueMs = due.after(lastOneMs);
  if (cameMs === undefined ? dueMs > forgetMs : dueMs >= cameMs) return undefined;
  const atMs = cameMs ?? forgetMs;
  return {
    ...{ sinceMs, sinceId, dueMs, lastMs: atMs },
    count: due.count({ sinceMs: lastOneMs, untilMs: cameMs ?? forgetMs + 1 }),
    revision: (group.told?.revision ?? 0) + 1,
    end: { atMs, ...(cameMs !== undefined && { id: nextId }) },
  };
}

// range.ts — what rules find in the kept events of a range, with the true beginnings and ends of what reaches over its edges.
//
// In:    a range of event time; kept events, also those around it.
// Out:   the findings of correlations that overlap the range; each event of the range with the rules that match it.
// Holds: a finding is as it would be with all events before and after it: where its beginning or end may lie further out
//        than was read, more is read and all is correlated anew.
import { type EcsEvent, timeOf } from "../../core/event.ts";
import type { Finding } from "../../core/records.ts";
import type { Matcher } from "../match/matcher.ts";
import type { DetectionRule, RuleSet } from "../sigma/rule.ts";
import type { Bounds } from "../windows/rule-windows.ts";
import { allOf, type EventsWish, type KeptWorld } from "./kept-world.ts";
import { mostOf, type Reach, reachOf } from "./reach.ts";
import { StoredStreams } from "./stored-streams.ts";

export type Rules = {
  readonly set: RuleSet;
  readonly matcher: Matcher; // of the same set, or of more
  readonly bounds: Bounds;
};
export type RangeWish = {
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly q: string; // only events that it finds
  readonly settledMs: number; // how far live has come: its clock less the lateness
};
export type InRange = {
  readonly findings: readonly Finding[]; // of what came in time
  readonly withLate: readonly Finding[]; // and of all events, late ones too; empty unless asked for
  readonly events: number; // of the range
  readonly leftOut: number; // of too many streams: not correlated
};
export type OnEvent = (event: EcsEvent, rules: readonly DetectionRule[]) => Promise<void> | void;

type Edges = { readonly fromMs?: number; readonly toMs?: number };

export async function findInRange(
  world: Pick<KeptWorld, "events">,
  rules: Rules,
  { onEvent: tell, ...wish }: RangeWish & { readonly late?: true; readonly onEvent?: OnEvent },
): Promise<InRange> {
  const reach = reachOf(rules.set);
  const kept = await keptSpan(world);
  let beforeMs = mostOf(reach);
  let afterMs = beforeMs;
  for (let onEvent = tell; ; onEvent = undefined) {
    const read: Edges = {
      ...(wish.fromMs !== undefined && { fromMs: Math.max(0, wish.fromMs - beforeMs) }),
      ...(wish.toMs !== undefined && { toMs: wish.toMs + afterMs }),
    };
    const found = await correlate(world, rules, { ...wish, read, ...(onEvent && { onEvent }) });
    const all = [...found.findings, ...found.withLate].filter((one) => !isNeverSeen(one));
    const cut = cutOf(all, { reach, read, kept });
    if (!cut.before && !cut.after) return found;
    if (cut.before) beforeMs = Math.max(1, beforeMs * 2);
    if (cut.after) afterMs = Math.max(1, afterMs * 2);
  }
}

/** An absence that begins where reading begins, however early that is. */
export const isNeverSeen = ({ absence }: Finding): boolean =>
  absence !== undefined && absence.sinceMs === undefined && absence.deadline === undefined;

async function correlate(
  world: Pick<KeptWorld, "events">,
  { set, matcher, bounds }: Rules,
  wish: RangeWish & { readonly read: Edges; readonly late?: true; readonly onEvent?: OnEvent },
): Promise<InRange> {
  const inTime = new StoredStreams(set, bounds);
  const withLate = wish.late ? new StoredStreams(set, bounds) : undefined;
  const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = wish;
  let events = 0;
  for await (const event of eventsOf(world, { q: wish.q, order: "oldest", ...wish.read })) {
    const matched = matcher.match(event, event.wache.sources).map(({ rule }) => rule);
    const timeMs = timeOf(event);
    if (timeMs >= fromMs && timeMs <= toMs) {
      events += 1;
      await wish.onEvent?.(event, matched);
    }
    if (event.wache.implausible) continue;
    if (!event.wache.late) inTime.add(event, matched);
    withLate?.add(event, matched);
  }
  const untilMs = Math.min(wish.read.toMs ?? wish.settledMs, wish.settledMs);
  const overlaps = ({ firstMs, lastMs }: Finding): boolean => lastMs >= fromMs && firstMs <= toMs;
  return {
    findings: inTime.end(untilMs).filter(overlaps),
    withLate: (withLate?.end(untilMs) ?? []).filter(overlaps),
    ...{ events, leftOut: inTime.leftOut },
  };
}

/** Whether a finding may begin before what was read, or end after it. */
function cutOf(
  findings: readonly Finding[],
  about: { readonly reach: Reach; readonly read: Edges; readonly kept: Edges },
): { readonly before: boolean; readonly after: boolean } {
  const { reach, read, kept } = about;
  const { fromMs, toMs } = read;
  const isMoreBefore = fromMs !== undefined && (kept.fromMs ?? fromMs) < fromMs;
  const isMoreAfter = toMs !== undefined && (kept.toMs ?? toMs) > toMs;
  const far = ({ ruleVersion }: Finding): number => reach.get(ruleVersion) ?? 0;
  return {
    before: isMoreBefore && findings.some((one) => one.firstMs - far(one) < fromMs),
    after: isMoreAfter && findings.some((one) => one.lastMs + far(one) > toMs),
  };
}

/** Of all events: asking for the first of some would be a search through those before it. */
async function keptSpan(world: Pick<KeptWorld, "events">): Promise<Edges> {
  const edge = async (order: EventsWish["order"]): Promise<number | undefined> => {
    for await (const event of eventsOf(world, { q: "", order, limit: 1 })) return timeOf(event);
    return undefined;
  };
  const [fromMs, toMs] = [await edge("oldest"), await edge("newest")];
  return { ...(fromMs !== undefined && { fromMs }), ...(toMs !== undefined && { toMs }) };
}

export const eventsOf = (
  world: Pick<KeptWorld, "events">,
  wish: EventsWish,
): AsyncGenerator<EcsEvent> => allOf((cursor) => world.events(wish, cursor));

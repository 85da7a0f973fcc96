// edges.ts — more of the events that decide: at the very moment at which something awaited is due, a millisecond before
// and after it, and likewise where a deadline's span begins.
//
// Why:   drawn as all others are, an event hardly ever hits such a moment, least of all a deadline.
import type { Chance } from "./chance.ts";
import { deadlinesBetween } from "./deadlines.ts";
import type { Delivery, DrawnEvent, Scene } from "./drawn-events.ts";
import type { DrawnCorrelation, DrawnRule } from "./drawn-rules.ts";

const AHEAD_MS_MAX = 20_000; // of the last of the others
const EVENTS_MAX = 4;

/** With some more, at times, where a rule awaits something. */
export function withEdges(
  chance: Chance,
  { rules, scene }: { readonly rules: readonly DrawnRule[]; readonly scene: Scene },
  deliveries: readonly Delivery[],
): readonly Delivery[] {
  const awaiting = rules.filter((rule) => rule.kind === "correlation" && rule.awaiting);
  if (awaiting.length === 0 || !chance.is(0.5)) return deliveries;
  const more = Array.from({ length: chance.int(1, EVENTS_MAX) }, (_, index): Delivery[] => {
    const rule = chance.one(awaiting) as DrawnCorrelation;
    const like = chance.one(likely(rules, rule, deliveries));
    const times = edgesOf(rule, scene, like).filter(
      (timeMs) => timeMs >= scene.startMs && timeMs <= scene.startMs + scene.spanMs + AHEAD_MS_MAX,
    );
    if (times.length === 0) return [];
    const timeMs = chance.one(times) + chance.one([0, 0, 0, 1, -1]);
    const atMs = Math.max(scene.startMs, timeMs) + chance.int(0, scene.latenessMs);
    const event = { ...like, id: `at-${index}`, timeMs };
    return [{ event, atMs, feeder: chance.int(0, scene.feeders - 1) }];
  });
  return [...deliveries, ...more.flat()].sort((a, b) => a.atMs - b.atMs);
}

/** Those that it awaits, where it awaits events. */
function likely(
  rules: readonly DrawnRule[],
  { rules: [awaited] }: DrawnCorrelation,
  deliveries: readonly Delivery[],
): readonly DrawnEvent[] {
  const all = deliveries.map(({ event }) => event);
  const below = rules.find(({ name }) => name === awaited);
  const matched = all.filter(
    ({ sim: { mark } }) =>
      below?.kind === "detection" && [mark].flat().some((one) => one === below.mark),
  );
  return matched.length > 0 ? matched : all;
}

function edgesOf(
  { spanS, awaiting }: DrawnCorrelation,
  { startMs, spanMs }: Scene,
  { timeMs }: DrawnEvent,
): number[] {
  const missedMs = spanS * 1000;
  if (!awaiting?.deadline) return [timeMs + missedMs, timeMs + missedMs, timeMs + 2 * missedMs];
  const range = { fromMs: startMs - 1, toMs: startMs + spanMs + missedMs };
  return deadlinesBetween(awaiting.deadline, range).flatMap((atMs) => [atMs, atMs - missedMs]);
}

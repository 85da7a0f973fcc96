// backfill.ts — keeps what rules find in stored events: what live would have told, had they been in force.
//
// In:    a range of event time, rules, kept events and findings.
// Out:   findings on the bus that are new, or fuller than what is kept.
// Holds: run again, it tells nothing; what live is still at work on is left to it.
import { type EcsEvent, LIVE } from "../../core/event.ts";
import type { Finding } from "../../core/records.ts";
import type { DetectionRule } from "../sigma/rule.ts";
import { findingOf } from "../signals.ts";
import { keptFindings, keptIds, NOTHING_KEPT, toTell } from "./fuller.ts";
import type { KeptWorld } from "./kept-world.ts";
import { findInRange, isNeverSeen, type RangeWish, type Rules } from "./range.ts";
import { mayGrow, reachOf } from "./reach.ts";

const BATCH_MAX = 500;

export type Backfilled = {
  readonly events: number;
  readonly found: number; // findings, whether or not they were kept before
  readonly told: number;
  readonly growing: number; // episodes of live that may still grow
  readonly leftOut: number; // events of too many streams
};
export type Telling = {
  readonly page: (finding: Finding) => boolean;
  readonly onTold?: (finding: Finding) => void;
};

export async function backfill(
  world: KeptWorld,
  rules: Rules,
  wish: Omit<RangeWish, "q"> & Telling,
): Promise<Backfilled> {
  const single = new Singles(world, wish, wish.fromMs);
  const found = await findInRange(world, rules, {
    ...{ ...wish, q: "" },
    onEvent: (event, matched) => single.add(event, matched),
  });
  await single.tell();
  const reach = reachOf(rules.set);
  const findings = found.findings.filter((one) => !isNeverSeen(one));
  const growing = findings.filter(
    (one) => one.stream === LIVE && mayGrow(one, { reach, settledMs: wish.settledMs }),
  );
  const settled = findings.filter((one) => !growing.includes(one));
  const told = await tellFuller(world, settled, wish);
  return {
    ...{ events: found.events, leftOut: found.leftOut, growing: growing.length },
    ...{ found: findings.length + single.found, told: told + single.told },
  };
}

/** Publishes those that are new or fuller; gives how many. */
export async function tellFuller(
  world: Pick<KeptWorld, "findings" | "publish">,
  findings: readonly Finding[],
  { page, onTold }: Telling,
): Promise<number> {
  if (findings.length === 0) return 0;
  const kept = await keptFindings(world, {
    fingerprints: new Set(findings.map(({ fingerprint }) => fingerprint)),
    sinceMs: findings.reduce(
      (least, { firstMs }) => Math.min(least, firstMs),
      Number.POSITIVE_INFINITY,
    ),
  });
  const fuller = findings
    .map((one) => toTell(one, kept, page))
    .filter((one) => one !== undefined)
    .sort((a, b) => a.firstMs - b.firstMs || (a.id < b.id ? -1 : 1));
  for (let at = 0; at < fuller.length; at += BATCH_MAX)
    await world.publish(fuller.slice(at, at + BATCH_MAX));
  for (const finding of fuller) onTold?.(finding);
  return fuller.length;
}

/** Findings of rules that stand alone: one an event, told as they come, so that there may be any number. */
class Singles {
  found = 0;
  told = 0;
  readonly #world: KeptWorld;
  readonly #telling: Telling;
  readonly #fromMs: number | undefined;
  #known: ReadonlySet<string> | undefined;
  #waiting: Finding[] = [];

  constructor(world: KeptWorld, telling: Telling, fromMs: number | undefined) {
    this.#world = world;
    this.#telling = telling;
    this.#fromMs = fromMs;
  }

  async add(event: EcsEvent, rules: readonly DetectionRule[]): Promise<void> {
    for (const rule of rules)
      if (rule.standalone) this.#waiting.push(findingOf(event, rule).value as Finding);
    if (this.#waiting.length >= BATCH_MAX) await this.tell();
  }

  async tell(): Promise<void> {
    const findings = this.#waiting.splice(0);
    this.found += findings.length;
    if (findings.length === 0) return;
    this.#known ??= await keptIds(this.#world, this.#fromMs ?? Number.NEGATIVE_INFINITY);
    const known = this.#known;
    const fresh = findings
      .filter(({ id }) => !known.has(id))
      .map((finding) => toTell(finding, NOTHING_KEPT, this.#telling.page))
      .filter((finding) => finding !== undefined);
    await this.#world.publish(fresh);
    for (const finding of fresh) this.#telling.onTold?.(finding);
    this.told += fresh.length;
  }
}

// drawn-reloads.ts — reloads while all runs: sets that differ in what an absence awaits, and when a worker takes which.
//
// Holds: what is drawn here moves no other draw of the seed: its chance is made from the rules.
// Why:   that workers start with one set or another says little of a rule that is changed while it runs, and changed back,
//        by some of them before the others.
import { type Awaiting, drawGroups } from "./absences.ts";
import { type Chance, chanceOf, hashed } from "./chance.ts";
import { awaitedIn, type DrawnAsset, type DrawnSet, retagged } from "./drawn-assets.ts";
import { type DrawnCorrelation, type DrawnRule, drawSteps, redrawn } from "./drawn-rules.ts";

const SHARE = 0.13; // of the seeds that await something
const SHARE_OF_ASSETS = 0.5; // of those that await assets
const SOON_MS_MAX = 40_000; // after the start: while events come
const LATER_MS_MAX = 15 * 60_000; // while time leaps
const BEHINDS_MS_MAX = [0, 500, 6000, SOON_MS_MAX]; // a worker

export type Reloads = {
  readonly sets: readonly DrawnSet[]; // the first has every rule
  /** Which of them this worker has so long after the start. */
  readonly takenBy: (worker: string, afterMs: number) => number;
};

export function drawReloads({ rules, assets }: DrawnSet): Reloads | undefined {
  const chance = chanceOf(hashed(JSON.stringify(rules), 4));
  const absences = rules.filter((rule) => rule.kind === "correlation" && rule.awaiting);
  const ofAssets = absences.some((rule) => rule.kind === "correlation" && rule.awaiting?.choice);
  if (absences.length === 0 || !chance.is(ofAssets ? SHARE_OF_ASSETS : SHARE)) return undefined;
  const changes = Array.from({ length: chance.one([1, 1, 1, 2]) }, () =>
    drawChange(chance, { rules, assets }, chance.one(absences) as DrawnCorrelation),
  );
  const shown = new Set(changes.flatMap((change) => change.shown ?? []));
  const whole = rules.map((rule) => (shown.has(rule.name) ? { ...rule, generate: true } : rule));
  const first = { rules: whole, assets };
  const sets = [first, ...changes.map(({ to }) => ({ ...first, ...to(whole) }))];
  return { sets, takenBy: drawTaking(chance, sets.length) };
}

type Change = {
  readonly to: (whole: readonly DrawnRule[]) => Partial<DrawnSet>;
  /** What must say that it is shown, so that nothing else comes to be shown by the change. */
  readonly shown?: readonly string[];
};

function drawChange(
  chance: Chance,
  { rules, assets }: DrawnSet,
  absence: DrawnCorrelation,
): Change {
  if (chance.is(0.3)) return removal(rules, absence);
  if (absence.awaiting?.choice && chance.is(0.5)) return otherTags(retagged(chance, assets));
  const changed = drawChanged(chance, rules, absence);
  return {
    to: (whole) => ({
      rules: whole.map((rule) =>
        rule.name === absence.name ? { ...changed, generate: rule.generate } : rule,
      ),
    }),
  };
}

/** Each absence that chooses assets may await others by that. One to which none would be left is as it was. */
const otherTags = (assets: readonly DrawnAsset[]): Change => ({
  to: (whole) => {
    const chosen = whole.map((rule) =>
      rule.kind === "correlation" && rule.awaiting?.choice ? awaitedIn(rule, assets) : rule,
    );
    const rules = chosen.filter((rule) => rule !== undefined);
    return rules.length < whole.length ? {} : { rules, assets };
  },
});

/** With all that it feeds. */
function removal(rules: readonly DrawnRule[], { name }: DrawnCorrelation): Change {
  const gone = new Set([name]);
  for (const rule of rules)
    if (rule.kind === "correlation" && rule.rules.some((one) => gone.has(one))) gone.add(rule.name);
  const fed = rules.flatMap((rule) =>
    rule.kind === "correlation" && gone.has(rule.name) ? rule.rules : [],
  );
  return {
    to: (whole) => ({ rules: whole.filter((rule) => !gone.has(rule.name)) }),
    shown: fed,
  };
}

function drawChanged(
  chance: Chance,
  rules: readonly DrawnRule[],
  absence: DrawnCorrelation,
): DrawnCorrelation {
  const { awaiting = {}, groupBy, spanS } = absence;
  const feeds = rules.some((one) => one.kind === "correlation" && one.rules.includes(absence.name));
  switch (chance.int(0, feeds ? 3 : 4)) {
    case 0:
      return { ...absence, awaiting: drawRemembering(chance, awaiting, spanS) };
    case 1:
      if (groupBy.length === 0) break;
      return { ...absence, awaiting: { ...awaiting, ...drawListed(chance, groupBy) } };
    case 2:
      return { ...absence, escalate: drawSteps(chance, absence.level) };
    case 4:
      return redrawn(chance, absence, rules);
  }
  return { ...absence, spanS: spanS + chance.int(1, 5) };
}

const drawListed = (chance: Chance, groupBy: readonly string[]): Awaiting => ({
  expected: drawGroups(chance, groupBy),
  choice: undefined,
});

/** For another time; at times no longer at all, or at last. */
function drawRemembering(chance: Chance, awaiting: Awaiting, spanS: number): Awaiting {
  const { rememberS, ...others } = awaiting;
  const isNeeded = awaiting.expected === undefined;
  if (rememberS !== undefined && !isNeeded && chance.is(0.5)) return others;
  return { ...others, rememberS: (rememberS ?? spanS) + chance.int(1, 20) };
}

/** Mostly there and back: state of a version that comes again must not be what it was. */
function drawTaking(chance: Chance, count: number): Reloads["takenBy"] {
  const others = Array.from({ length: count - 1 }, (_, index) => index + 1);
  const orders: readonly (readonly number[])[] = [
    [0, ...others],
    [...others, 0],
    [0, ...others, 0],
    [0, ...others, 0],
    [0, ...others, 0, 1],
    [1, 0, ...others, 0],
  ];
  const order = chance.one(orders);
  const isLate = chance.is(0.3);
  const times = order
    .slice(1)
    .map(() => chance.int(0, isLate && chance.is(0.5) ? LATER_MS_MAX : SOON_MS_MAX))
    .sort((a, b) => a - b);
  const [behindMsMax, salt] = [chance.one(BEHINDS_MS_MAX), chance.int(0, 0xffff)];
  return (worker, afterMs) => {
    const behindMs = chanceOf(hashed(worker, salt)).int(0, behindMsMax);
    return order[times.filter((atMs) => atMs + behindMs <= afterMs).length] ?? 0;
  };
}

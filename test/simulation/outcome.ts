// outcome.ts — compares what a run left behind with what it must have left: nothing lost, nothing doubled, nothing else.
import { type EcsEvent, idOf, LIVE } from "../../core/event.ts";
import type { Finding, Incident, Notification } from "../../core/records.ts";
import { EVENT_ID_CHARS_MAX } from "../../core/store/indices.ts";
import type { ActiveRules } from "../../correlator/detection.ts";
import { FinishedStream } from "../../correlator/finished-stream.ts";
import { partitionOfGroup } from "../../correlator/windows/signal-records.ts";
import type { Wait } from "./absences.ts";
import { type Certainty, certaintyOf, type Judged, wrongIn } from "./bounds.ts";
import type { DrawnEvent, SimValue } from "./drawn-events.ts";
import { LEVELS, type Level } from "./drawn-rules.ts";
import {
  type AllEditions,
  changedIn,
  type Edition,
  feedsAlways,
  isAboveAbsence,
  ruleIn,
  versionOf,
} from "./editions.ts";
import {
  type ExpectedFinding,
  expectedFindings,
  type Fed,
  type Known,
  type SeenEvent,
} from "./reference.ts";
import { type AbsenceLife, nameOf, type SignalClock } from "./signal-clock.ts";

export type Left = {
  readonly editions: AllEditions;
  readonly evidenceMax: number;
  readonly events: readonly EcsEvent[]; // each once; late or implausible only where all its deliveries were
  readonly acknowledged: ReadonlySet<string>;
  readonly stored: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  readonly incidents: readonly Incident[];
  readonly pages: readonly Notification[]; // each id once
  readonly deadLetters: ReadonlySet<string>; // ids of events, or reasons
  readonly signalClock: SignalClock;
  readonly latenessMs: number;
  readonly partitions: number;
  /** How far the clock of an import came. */
  readonly importClockMs: (stream: string) => number;
  /** Rules that reached a bound. */
  readonly gaveUp: ReadonlySet<string>;
};
export type Differences = {
  readonly expected: number;
  readonly got: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[]; // or nobody expected them
  readonly other: readonly string[]; // with another content
};

export function differencesOf(left: Left): Differences {
  const all = expectedOf(left);
  const found = unsuperseded(left.findings);
  const { gaveUp } = left;
  const certainty = certaintyOf(left.editions[0].rules, { gaveUp, unsure: unsureOf(left) });
  const isCertain = (rule: string): boolean => certainty(rule) === "all";
  const expected = all.filter(({ rule }) => isCertain(rule));
  const certain = found.filter(({ rule }) => isCertain(rule.id));
  const shown = [...expected, ...found.filter((one) => !certain.includes(one)).map(asShown)];
  const mustBeDead = (id: string): boolean => id.length > EVENT_ID_CHARS_MAX;
  const lost: string[] = [...left.acknowledged]
    .filter((id) => !(mustBeDead(id) ? left.deadLetters : left.stored).has(id))
    .map((id) => `event ${id} was acknowledged and is neither in the store nor in the dead letter`);
  const doubled: string[] = [];
  const other = [...left.deadLetters]
    .filter((text) => !mustBeDead(text))
    .map((text) => `in the dead letter: ${text}`);
  const kinds: readonly (readonly [string, Words, Words])[] = [
    ["finding", wordsOf(expected), foundWords(certain, expected)],
    ["incident", expectedIncidents(shown), incidentWords(left.incidents)],
    ["page", expectedPages(shown), pageWords(left.pages, shown)],
  ];
  for (const [kind, want, have] of kinds) {
    for (const [id, words] of want) {
      const got = have.get(id);
      if (got === undefined) lost.push(`${kind} ${id}: ${words}`);
      else if (got !== words) other.push(`${kind} ${id}: ${got}\n      not ${words}`);
    }
    for (const [id, words] of have) if (!want.has(id)) doubled.push(`${kind} ${id}: ${words}`);
  }
  other.push(...wrongOfThose(left, found, certainty));
  return { expected: all.length, got: found.length, lost, doubled, other };
}

type Shown = Pick<Named, "stream" | "fingerprint" | "firstMs" | "lastMs" | "count" | "level"> & {
  readonly isAny?: true;
};

/** As the incidents must show it, whether or not it is what it should be. */
const asShown = ({ stream, fingerprint, firstMs, lastMs, count, rule }: Finding): Shown => ({
  ...{ stream, fingerprint, firstMs, lastMs, count },
  level: rule.level as Level,
  isAny: true,
});

/** Of the rules that gave something up. */
function wrongOfThose(
  left: Left,
  found: readonly Finding[],
  certainty: (rule: string) => Certainty,
): string[] {
  if (left.gaveUp.size === 0) return [];
  const episodes = Map.groupBy(expectedOf(left, "every episode"), ({ rule }) => rule);
  const told = Map.groupBy(found, ({ rule }) => rule.id);
  return left.editions[0].rules.flatMap((rule) => {
    if (certainty(rule.name) !== "unmarked") return [];
    const all = episodes.get(rule.name) ?? [];
    // An episode that is not told has no twin to name its evidence.
    const suppresses = rule.kind === "correlation" && rule.suppressS !== undefined;
    const names = !suppresses && all.every(({ evidence }) => evidence !== "some");
    const judged = (one: Content & Omit<Judged, "words">): Judged => ({
      ...one,
      words: contentOf({ ...one, suppressed: 0, ...(!names && { evidence: "some" }) }),
    });
    const mine = (told.get(rule.name) ?? []).map((one) =>
      judged({
        ...{ ...one, rule: rule.name, group: Object.entries(one.group), suppressed: 0 },
        level: one.rule.level as Level,
      }),
    );
    return wrongIn(rule, mine, all.map(judged));
  });
}

type Words = ReadonlyMap<string, string>;
type Named = Omit<ExpectedFinding, "evidence"> & {
  readonly id: string;
  readonly stream: string;
  readonly fingerprint: string;
  readonly evidence: readonly string[] | "some";
};

/** Of all editions: where they say the same of a rule, it is one rule. */
function expectedOf(left: Left, told?: "every episode"): Named[] {
  const streams = Map.groupBy(left.events, (event) => event.wache.stream);
  const changed = changedIn(left.editions);
  const editions = changed.size === 0 ? left.editions.slice(0, 1) : left.editions;
  const found = [...streams].flatMap(([stream, events]) =>
    editions.flatMap((edition) => expectedIn(left, { stream, events, edition, changed, told })),
  );
  return [...new Map(found.map((one) => [one.id, one])).values()];
}

function expectedIn(
  left: Left,
  of: {
    readonly stream: string;
    readonly events: readonly EcsEvent[];
    readonly edition: Edition;
    readonly changed: ReadonlySet<string>;
    readonly told: "every episode" | undefined;
  },
): Named[] {
  const { stream, events, edition, changed } = of;
  const { rules, active } = edition;
  const twins = undisturbed(left, active, events);
  const sees = ({ rule, by, ...match }: Fed): boolean =>
    !changed.has(rule) ||
    feedsAlways(left.editions, active, { by, rule }) ||
    left.signalClock.wasTaken({ stream, version: versionOf(active, rule), ...match });
  const to: Known = {
    ...{ wait: waitOf(left, active, stream), sees, told: of.told },
    idOf: (rule, group, firstMs) => idOf(stream, versionOf(active, rule), ...group, firstMs),
    lives: (rule) => (changed.has(rule) ? livesOf(left, { active, stream, rule }) : undefined),
  };
  return expectedFindings(rules, events.map(seen), to).map((one): Named => {
    const version = versionOf(active, one.rule);
    const values = one.group.map(([, value]) => value);
    const id =
      one.event === undefined
        ? idOf(stream, version, ...values, one.firstMs)
        : idOf(stream, version, one.event);
    const twin = twins.get(placeOf(one.rule, one.group, one));
    const own = one.evidence ?? (one.event === undefined ? undefined : [one.event]);
    const named = own ?? (isAboveAbsence(rules, one.rule) ? "some" : (twin?.evidence ?? []));
    return {
      ...one,
      ...{ id, stream, fingerprint: idOf("fingerprint", stream, one.rule, ...values) },
      evidence: changed.has(one.rule) ? "some" : named,
    };
  });
}

function waitOf(left: Left, active: ActiveRules, stream: string): Wait {
  const { signalClock, latenessMs, partitions } = left;
  if (stream !== LIVE) return { clockMs: left.importClockMs(stream), since: () => undefined };
  return {
    clockMs: signalClock.clockMs - latenessMs,
    since: (name, group) => {
      const rule = active.set.correlations.find(({ about }) => about.id === name);
      const partition = partitionOfGroup(stream, group, partitions);
      return rule && signalClock.beganMs({ partition, version: rule.version, level: rule.level });
    },
  };
}

type Of = { readonly active: ActiveRules; readonly stream: string; readonly rule: string };

/** Of an absence: nothing that it saw in one of them means anything in the next. */
function livesOf(left: Left, { active, stream, rule }: Of): Pick<Known, "wait" | "sees">[] {
  const version = versionOf(active, rule);
  return left.signalClock.livesOf(stream, version).flatMap((life) => {
    const { knownMs, beganMs, taken, partition } = life;
    if (knownMs === undefined) return []; // it was never in force
    const isHere = (group: readonly string[]): boolean =>
      partitionOfGroup(stream, group, left.partitions) === partition;
    const clockMs = Number.isFinite(knownMs) ? knownMs : left.importClockMs(stream);
    return {
      sees: ({ from, id, group }) => {
        const timeMs = taken.get(nameOf({ stream, version, from, id, group }));
        return timeMs !== undefined && timeMs < knownMs;
      },
      wait: { clockMs, since: (_, group) => (isHere(group) ? beganMs : undefined) },
    };
  });
}

/** Absences that told of one gap twice, in two lives; or that saw what they would not have seen after a restart. */
function unsureOf(left: Left): ReadonlySet<string> {
  const { signalClock, editions } = left;
  const streams = new Set(left.events.map(({ wache }) => wache.stream));
  const unsure = new Set<string>();
  for (const name of changedIn(editions))
    for (const { active } of editions) {
      const rule = ruleIn(active, name);
      if (rule === undefined) continue;
      const lives = [...streams].map((stream) => signalClock.livesOf(stream, rule.version));
      if (lives.some((all) => all.some(({ isUnsure }) => isUnsure) || areTwice(all)))
        unsure.add(name);
    }
  return unsure;
}

/** A match was taken in two of them. */
function areTwice(lives: readonly AbsenceLife[]): boolean {
  const told = lives.filter(({ knownMs }) => knownMs !== undefined);
  const names = told.flatMap(({ taken }) => [...taken.keys()]);
  return new Set(names).size < names.length;
}

function seen({ event, wache, sim, host, ...rest }: EcsEvent): SeenEvent {
  const fields = Object.entries(sim as DrawnEvent["sim"]).map(
    ([name, value]) => [`sim.${name}`, textsOf(value)] as const,
  );
  const known = Object.fromEntries(fields);
  return {
    id: event.id,
    timeMs: Date.parse(rest["@timestamp"]),
    marks: known["sim.mark"] ?? [],
    host: (host as { readonly name: string }).name,
    fields: known,
    counts: !wache.late && !wache.implausible,
  };
}

const textsOf = (value: SimValue): readonly string[] => {
  if (value === null) return [];
  const all = typeof value === "object" ? value : [value];
  return all.map(String).filter((text) => text !== "");
};

/** The same events through the same windows, in one go and without a fault: what it names as evidence must be named. */
function undisturbed({ evidenceMax }: Left, active: ActiveRules, events: readonly EcsEvent[]) {
  const bounds = { matchesMax: 100_000, valuesMax: 100_000, groupsMax: 100_000, evidenceMax };
  const stream = new FinishedStream(active.set, { ...bounds, latenessMs: 0 });
  for (const event of events) {
    if (event.wache.late || event.wache.implausible) continue;
    const matched = active.matcher.match(event, event.wache.sources).map(({ rule }) => rule);
    stream.correlate({ ...event, wache: { ...event.wache, stream: LIVE } }, matched);
  }
  return new Map(
    stream
      .end()
      .map((finding) => [
        placeOf(finding.rule.id, Object.entries(finding.group), finding),
        finding,
      ]),
  );
}

const placeOf = (
  rule: string,
  group: readonly (readonly [string, string])[],
  { firstMs }: { readonly firstMs: number },
): string => JSON.stringify([rule, group, firstMs]);

export function unsuperseded(findings: readonly Finding[]): Finding[] {
  const superseded = new Set(findings.flatMap(({ supersedes }) => supersedes ?? []));
  return findings.filter(({ id, withdrawn }) => !superseded.has(id) && !withdrawn);
}

type Content = Pick<
  Named,
  "stream" | "rule" | "group" | "firstMs" | "lastMs" | "count" | "level" | "suppressed" | "evidence"
>;

const contentOf = (one: Content): string =>
  `${one.stream} ${one.rule} ${JSON.stringify(one.group)} ${one.firstMs}..${one.lastMs} ${one.count} of ` +
  `${one.evidence === "some" ? "some" : one.evidence.join(",")} ${one.level}, ${one.suppressed} suppressed`;

const wordsOf = (expected: readonly Named[]): Words =>
  new Map(expected.map((one) => [one.id, contentOf(one)]));

function foundWords(found: readonly Finding[], expected: readonly Named[]): Words {
  const isAny = new Set(expected.filter(({ evidence }) => evidence === "some").map(({ id }) => id));
  return new Map(
    found.map((one) => {
      const { rule, suppressed = 0 } = one;
      const evidence = isAny.has(one.id) ? "some" : one.evidence;
      const group = Object.entries(one.group);
      const level = rule.level as Level;
      const words = contentOf({ ...one, rule: rule.id, group, level, suppressed, evidence });
      return [one.id, words + (one.bounded ? " bounded" : "")];
    }),
  );
}

/** One a fingerprint, of all its findings. */
function expectedIncidents(expected: readonly Shown[]): Words {
  const keys = Map.groupBy(expected, ({ fingerprint }) => fingerprint);
  return new Map(
    [...keys].map(([key, findings]) => {
      const firstMs = Math.min(...findings.map((one) => one.firstMs));
      const lastMs = Math.max(...findings.map((one) => one.lastMs));
      const count = findings.reduce((sum, one) => sum + one.count, 0);
      return [idOf(key, 1), `${firstMs}..${lastMs} ${count} ${gravest(findings)}`];
    }),
  );
}

const gravest = (findings: readonly Pick<Named, "level">[]): Level =>
  LEVELS.findLast((level) => findings.some((one) => one.level === level)) ?? "low";

const incidentWords = (incidents: readonly Incident[]): Words =>
  new Map(
    incidents.map(({ id, firstMs, lastMs, count, severity }) => [
      id,
      `${firstMs}..${lastMs} ${count} ${severity}`,
    ]),
  );

/** Each incident of tonight from medium up is paged once, and told up to its level; an import pages nobody. */
function expectedPages(expected: readonly Shown[]): Words {
  const live = expected.filter(({ stream }) => stream === LIVE);
  const pages = new Map<string, string>();
  for (const [key, findings] of Map.groupBy(live, ({ fingerprint }) => fingerprint)) {
    const level = gravest(findings);
    const isAny = findings.some((one) => one.isAny);
    if (level !== "low") pages.set(idOf(key, 1), pageText(1, isAny ? "any" : level));
  }
  return pages;
}

/** What a rule told before it gave something up may have been graver than what is left. */
function pageWords(pages: readonly Notification[], shown: readonly Shown[]): Words {
  const any = shown.filter(({ isAny }) => isAny);
  const anyIds = new Set(any.map(({ fingerprint }) => idOf(fingerprint, 1)));
  const incidents = Map.groupBy(pages, ({ incident }) => incident.id);
  return new Map(
    [...incidents].map(([id, all]) => {
      const opened = all.filter(({ reason }) => reason === "opened").length;
      const level = LEVELS.findLast((one) => all.some(({ incident }) => incident.severity === one));
      return [id, pageText(opened, anyIds.has(id) ? "any" : level)];
    }),
  );
}

const pageText = (opened: number, level: Level | "any" | undefined): string =>
  `opened ${opened} times, told up to ${level}`;

// reference.ts — what must be found: a naive program that sees all events at once and tries every window by brute force.
//
// Holds: DESIGN.md, "Findings", word for word: an episode is the maximal union of overlapping closed windows [f, t], t a
//        member event, f the oldest member event with t - f <= timespan, in which the condition holds; a correlation is
//        fed by each member event with which the condition of another held. docs/correlation.md, "Suppression" and
//        "Rising severity": which of a group's episodes are told, how many are not, how grave each is. An absence feeds
//        others with the moment at which it was due.
import { type AbsenceFound, absencesOf, listedOf, type Wait } from "./absences.ts";
import {
  type Body,
  CORRELATION_TYPES,
  combinations,
  type Fields,
  type Member,
} from "./correlation-types.ts";
import { type DrawnCorrelation, type DrawnRule, LEVELS, type Level } from "./drawn-rules.ts";

export type SeenEvent = {
  readonly id: string;
  readonly timeMs: number;
  readonly marks: readonly string[];
  readonly host: string;
  readonly fields: Fields;
  readonly counts: boolean; // neither late nor implausible: correlations see it
};

export type ExpectedFinding = {
  readonly rule: string; // name
  readonly group: readonly (readonly [name: string, value: string])[];
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly level: Level;
  readonly suppressed: number; // episodes that are only counted here
  readonly members: readonly string[]; // ids, sorted
  readonly event?: string; // the one event of a rule that stands alone
  readonly evidence?: readonly string[]; // of what did not come
};

/** `own` are the event's fields, `fields` those and, in their stead, the group's of a correlation that tells of it. */
type Point = Pick<Member, "id" | "timeMs"> & { readonly fields: Fields; readonly own: Fields };

/** What comes to a rule by another, for one of its groups. */
export type Fed = {
  readonly rule: string;
  readonly by: string;
  readonly from: number;
  readonly id: string;
  readonly group: readonly string[];
};

export type Known = {
  readonly wait: Wait;
  readonly sees: (fed: Fed) => boolean; // false for what a rule that a reload changed never saw
  /** Of an absence that a reload changed: each time that it was in force, what it saw and how far that went. */
  readonly lives?: (rule: string) => readonly Pick<Known, "wait" | "sees">[] | undefined;
  readonly told?: "every episode" | undefined; // as if nothing were suppressed
  /** The id that a finding of the rule has. */
  readonly idOf: (rule: string, group: readonly string[], firstMs: number) => string;
};

/** Of one stream. */
export function expectedFindings(
  rules: readonly DrawnRule[],
  events: readonly SeenEvent[],
  known: Known,
): ExpectedFinding[] {
  const { sees, told } = known;
  const found: ExpectedFinding[] = [];
  const points = new Map<string, readonly Point[]>(); // by rule
  for (const rule of rules) {
    const users = rules.filter(
      (one): one is DrawnCorrelation => one.kind === "correlation" && one.rules.includes(rule.name),
    );
    const isShown = users.length === 0 || rule.generate || users.some(({ generate }) => generate);
    if (rule.kind === "detection") {
      const matched = events.filter(({ marks }) => marks.includes(rule.mark));
      const counted = matched.filter(({ counts }) => counts);
      points.set(
        rule.name,
        counted.map((event) => ({ ...event, own: event.fields })),
      );
      if (isShown) found.push(...matched.map((event) => findingOf(rule, event)));
      continue;
    }
    if (rule.awaiting) {
      const absences = (known.lives?.(rule.name) ?? [known]).flatMap((life) =>
        awaitedOf(rule, groupsOf(rule, points, life.sees), life.wait),
      );
      if (isShown) found.push(...absences);
      points.set(
        rule.name,
        absences.map((one) => dueIn(one, known)),
      );
      continue;
    }
    const groups = groupsOf(rule, points, sees);
    const held: Point[] = [];
    for (const { values, members } of groups.values()) {
      const { episodes, points: these } = episodesOf(rule, members);
      const group = rule.groupBy.map((name, index) => [name, values[index] ?? ""] as const);
      const fields = Object.fromEntries(group.map(([name, value]) => [name, [value]]));
      for (const { id, timeMs, own } of these)
        held.push({ id, timeMs, own, fields: { ...own, ...fields } });
      const shown = told ? { ...rule, suppressS: undefined } : rule;
      if (isShown)
        found.push(
          ...toldOf(shown, values, episodes).map((one) => ({ rule: rule.name, group, ...one })),
        );
    }
    points.set(rule.name, held);
  }
  return found;
}

function findingOf({ name, level }: DrawnRule, { id, timeMs, host }: SeenEvent): ExpectedFinding {
  const group = [["host.name", host]] as const;
  const times = { firstMs: timeMs, lastMs: timeMs };
  const content = { count: 1, level, suppressed: 0, members: [id], event: id };
  return { rule: name, group, ...times, ...content };
}

type Absence = ExpectedFinding & Pick<AbsenceFound, "dueMs">;

/** What did not come has no event: its id is the finding's, and its fields are the group's. */
function dueIn({ rule, group, firstMs, dueMs }: Absence, { idOf }: Known): Point {
  const values = group.map(([, value]) => value);
  const fields = Object.fromEntries(group.map(([name, value]) => [name, [value]]));
  return { id: idOf(rule, values, firstMs), timeMs: dueMs, own: fields, fields };
}

/** Of all groups that were seen or are listed. */
function awaitedOf(
  rule: DrawnCorrelation,
  seen: ReadonlyMap<string, Group>,
  wait: Wait,
): Absence[] {
  const groups = new Map(seen);
  for (const values of listedOf(rule)) {
    const key = values.join("\n");
    if (!groups.has(key)) groups.set(key, { values, members: [] });
  }
  return [...groups.values()].flatMap(({ values, members }) => {
    const group = rule.groupBy.map((name, index) => [name, values[index] ?? ""] as const);
    return absencesOf(rule, { values, members }, wait).map((one) => ({
      ...{ rule: rule.name, group, suppressed: 0, members: [], ...one },
      level: levelOf(rule, values, one.count),
    }));
  });
}

type Group = { readonly values: readonly string[]; readonly members: readonly Member[] };

function groupsOf(
  rule: DrawnCorrelation,
  points: ReadonlyMap<string, readonly Point[]>,
  sees: (fed: Fed) => boolean,
): ReadonlyMap<string, Group> {
  const groups = new Map<string, { values: readonly string[]; members: Member[] }>();
  rule.rules.forEach((name, from) => {
    for (const point of points.get(name) ?? []) {
      const { id, timeMs, fields, own } = asCalledIn(rule, name, point);
      const place = rule.type.startsWith("temporal") ? from : 0; // else an event that two rules match is one
      const member: Member = { id, timeMs, from: place, own, told: [fields] };
      if (CORRELATION_TYPES[rule.type]?.counts?.(rule.body, member) === false) continue;
      const all = new Map(combinations(rule.groupBy, fields).map((one) => [one.join("\n"), one]));
      for (const [key, values] of all) {
        if (!sees({ rule: rule.name, by: name, from, id, group: values })) continue;
        const group = groups.get(key) ?? { values, members: [] };
        groups.set(key, group);
        const known = group.members.findIndex((one) => one.id === id && one.from === place);
        if (known < 0) group.members.push(member);
        else group.members[known] = withMore(group.members[known] ?? member, member);
      }
    }
  });
  return groups;
}

/** With the alias that the rule has for a field of the one below. */
function asCalledIn({ alias }: DrawnCorrelation, below: string, point: Point): Point {
  const meant = alias?.fields[below];
  if (alias === undefined || meant === undefined) return point;
  const named = (fields: Fields): Fields => ({ ...fields, [alias.name]: fields[meant] ?? [] });
  return { ...point, fields: named(point.fields), own: named(point.own) };
}

/** An alias can mean another field of an event for each rule that tells of it. */
function withMore(member: Member, { own, told }: Member): Member {
  const both = new Set([...Object.keys(member.own), ...Object.keys(own)]);
  const more = [...both].map(
    (name) => [name, joined(member.own[name] ?? [], own[name] ?? [])] as const,
  );
  return { ...member, own: Object.fromEntries(more), told: [...member.told, ...told] };
}

/** Each value as often as the one or the other has it. */
function joined(some: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...some];
  const beyond = others.filter((value) => {
    const at = left.indexOf(value);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [...some, ...beyond];
}

type Span = { firstMs: number; lastMs: number };

function episodesOf(rule: DrawnCorrelation, unsorted: readonly Member[]) {
  const members = [...unsorted].sort((a, b) => a.timeMs - b.timeMs);
  const spans: Span[] = [];
  const points: Member[] = [];
  for (const lastMs of new Set(members.map(({ timeMs }) => timeMs))) {
    const window = members.filter(
      ({ timeMs }) => timeMs <= lastMs && lastMs - timeMs <= rule.spanS * 1000,
    );
    if (!holds(rule.type, rule.body, window)) continue;
    points.push(...members.filter(({ timeMs }) => timeMs === lastMs));
    const firstMs = Math.min(...window.map(({ timeMs }) => timeMs));
    const before = spans.at(-1);
    if (before && firstMs <= before.lastMs) before.lastMs = lastMs;
    else spans.push({ firstMs, lastMs });
  }
  const episodes = spans.map(({ firstMs, lastMs }) => {
    const inside = members.filter(({ timeMs }) => timeMs >= firstMs && timeMs <= lastMs);
    const ids = [...new Set(inside.map(({ id }) => id))].sort();
    return { firstMs, lastMs, count: ids.length, members: ids };
  });
  return { episodes, points };
}

type Episode = Span & { readonly count: number; readonly members: readonly string[] };
type Told = Episode & { readonly level: Level; suppressed: number };

/** In the order of their beginnings; each is judged by the one that was told before it. */
function toldOf(
  rule: Graded & { readonly suppressS?: number | undefined },
  group: readonly string[],
  episodes: readonly Episode[],
): Told[] {
  const told: Told[] = [];
  for (const episode of episodes) {
    const level = levelOf(rule, group, episode.count);
    const head = told.at(-1);
    const isQuiet =
      rule.suppressS !== undefined &&
      head !== undefined &&
      episode.lastMs <= head.lastMs + rule.suppressS * 1000 &&
      LEVELS.indexOf(level) <= LEVELS.indexOf(head.level);
    if (isQuiet) head.suppressed += 1;
    else told.push({ ...episode, level, suppressed: 0 });
  }
  return told;
}

type Graded = Pick<DrawnCorrelation, "level" | "escalate" | "assetLevels">;

/** The highest that the count or an asset among the group's values asks for. */
function levelOf(
  { level, escalate = [], assetLevels = [] }: Graded,
  group: readonly string[],
  count: number,
): Level {
  const reached = escalate.filter((step) => step.count <= count);
  const names = group.map((value) => value.toLowerCase());
  const about = assetLevels.filter((one) => names.some((name) => one.names.includes(name)));
  const asked = [level, ...[...reached, ...about].map((one) => one.level)];
  return LEVELS.findLast((one) => asked.includes(one)) ?? level;
}

const holds = (type: string, body: Body, window: readonly Member[]): boolean =>
  CORRELATION_TYPES[type]?.holds(body, window) === true;

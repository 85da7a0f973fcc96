// absence.ts — reads what only an `absence` says: which groups are expected, and by when.
import type { Asset } from "../../core/assets.ts";
import { DAY_MS } from "../../core/event.ts";
import {
  type AbsenceRule,
  type CorrelationRule,
  type Deadline,
  WEEKDAYS,
} from "../../core/records.ts";
import { nameOf } from "../windows/group-name.ts";
import { assetsIn } from "./asset-choice.ts";
import { textsIn } from "./header.ts";
import { spanMsOf } from "./span.ts";
import {
  entryOf,
  type ListNode,
  type MapNode,
  type Node,
  nameOfKind,
  type Source,
} from "./yaml.ts";

export const ABSENCE_KEYS = ["deadline", "expected", "rememberFor"];
const DEADLINE_KEYS = ["by", "timezone", "days"];
const expectedMax = 1000;
const valueCharsMax = 256;
const expectedCharsMax = 100_000;
const rememberDaysMax = 365;

export type AbsenceBody = Omit<AbsenceRule, "what">;

export function absenceOf(
  node: MapNode,
  rule: {
    readonly type: CorrelationRule["type"] | undefined;
    readonly groupBy: readonly string[];
    readonly spanMs: number | undefined;
    readonly inventory: readonly Asset[] | undefined;
  },
  source: Source,
): AbsenceBody | undefined {
  if (rule.type !== "absence") {
    for (const { key, keyOffset } of node.entries)
      if (ABSENCE_KEYS.includes(key) && rule.type !== undefined)
        source.problem(
          "rule.absence",
          keyOffset,
          `${key} belongs to the type absence, and this one is ${rule.type}; remove it`,
        );
    return undefined;
  }
  const condition = entryOf(node, "condition");
  if (condition !== undefined)
    source.problem(
      "rule.absence",
      condition.keyOffset,
      "an absence has no condition: it is that nothing came; remove it",
    );
  const deadline = deadlineOf(node, source);
  const expected = expectedOf(node, rule, source);
  const rememberMs = rememberOf(node, rule.spanMs, source);
  if (
    rule.groupBy.length > 0 &&
    entryOf(node, "expected") === undefined &&
    entryOf(node, "rememberFor") === undefined
  )
    source.problem(
      "rule.absence",
      node.offset,
      `it says not which groups are expected; list them, as in expected: [db1, db2], choose assets, as in expected: { assets: { tags: [backup] } }, or say how long one that was seen is, as in rememberFor: 7d`,
    );
  const listed = rule.groupBy.length === 0 && rememberMs === undefined ? [[]] : expected;
  return {
    ...(deadline && { deadline }),
    ...(listed && { expected: listed }),
    ...(rememberMs !== undefined && { rememberMs }),
  };
}

function rememberOf(node: MapNode, spanMs: number | undefined, source: Source): number | undefined {
  const entry = entryOf(node, "rememberFor");
  if (entry === undefined) return undefined;
  const to = { key: "rememberFor", daysMax: rememberDaysMax, map: node, source };
  const ms = spanMsOf(entry.value, to);
  if (ms !== undefined && spanMs !== undefined && ms <= spanMs)
    source.problem(
      "rule.absence",
      entry.value.offset,
      `rememberFor is ${nameOfKind(entry.value)}, no longer than the timespan: a group would be forgotten before it is missed; make it longer`,
    );
  return ms;
}

function deadlineOf(node: MapNode, source: Source): Deadline | undefined {
  const entry = entryOf(node, "deadline");
  if (entry === undefined) return undefined;
  const { value: map } = entry;
  if (map.kind !== "map") {
    source.problem(
      "rule.absence",
      map.offset,
      `deadline is ${nameOfKind(map)}; it must be a map, as in { by: "04:00", timezone: Europe/Berlin, days: [mon, tue] }`,
    );
    return undefined;
  }
  for (const { key, keyOffset } of map.entries)
    if (!DEADLINE_KEYS.includes(key))
      source.problem(
        "rule.key-unknown",
        keyOffset,
        `deadline has the key ${JSON.stringify(key)}; allowed are ${DEADLINE_KEYS.join(", ")}`,
      );
  const by = entryOf(map, "by")?.value;
  const time = by?.kind === "scalar" ? by.source : "";
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(time))
    source.problem(
      "rule.absence",
      by?.offset ?? map.offset,
      `by is ${by === undefined ? "missing" : nameOfKind(by)}; write a time of day from 00:00 to 23:59, as in "04:00"`,
    );
  return { by: time, timezone: zoneOf(map, source), days: daysOf(map, source) };
}

function zoneOf(map: MapNode, source: Source): string {
  const value = entryOf(map, "timezone")?.value;
  if (value === undefined) return "UTC";
  const name = value.kind === "scalar" ? value.source : "";
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    source.problem(
      "rule.absence",
      value.offset,
      `timezone is ${nameOfKind(value)}; write a name of the IANA time zones, as in Europe/Berlin or UTC`,
    );
    return "UTC";
  }
}

function daysOf(map: MapNode, source: Source): Deadline["days"] {
  const value = entryOf(map, "days")?.value;
  if (value === undefined) return WEEKDAYS;
  const items = value.kind === "list" ? value.items : [value];
  const found = items.map((item) => {
    const day = WEEKDAYS.find((word) => item.kind === "scalar" && item.value === word);
    if (day === undefined)
      source.problem(
        "rule.absence",
        item.offset,
        `days holds ${nameOfKind(item)}; allowed are ${[...WEEKDAYS.slice(1), "sun"].join(", ")}`,
      );
    return day;
  });
  if (items.length === 0)
    source.problem(
      "rule.absence",
      value.offset,
      "days is empty; name one, or leave it out for all",
    );
  return WEEKDAYS.filter((day) => found.includes(day));
}

type Expecting = {
  readonly groupBy: readonly string[];
  readonly inventory: readonly Asset[] | undefined;
};

function expectedOf(
  node: MapNode,
  { groupBy, inventory }: Expecting,
  source: Source,
): readonly (readonly string[])[] | undefined {
  const value = entryOf(node, "expected")?.value;
  if (value === undefined) return undefined;
  const refuse = (message: string, offset = value.offset) => {
    source.problem("rule.absence", offset, message);
    return undefined;
  };
  if (groupBy.length === 0)
    return refuse("expected lists groups, but there is no group-by; add one, or remove the list");
  if (value.kind === "map" && entryOf(value, "assets"))
    return expectedAssets(value, { groupBy, inventory }, source);
  if (value.kind !== "list" || value.items.length === 0 || value.items.length > expectedMax)
    return refuse(
      `expected is ${nameOfKind(value)}; it must list 1 to ${expectedMax} groups, as in [db1, db2], or choose assets, as in { assets: { tags: [backup] } }`,
    );
  const groups: (readonly string[])[] = [];
  const known = new Set<string>();
  for (const item of value.items) {
    const group = groupOf(item, groupBy, source);
    if (group === undefined) continue;
    const name = nameOf(group);
    if (known.has(name))
      refuse(`expected names ${group.join(", ")} twice; name it once`, item.offset);
    known.add(name);
    groups.push(group);
  }
  checkChars(groups, refuse);
  return groups;
}

/** They travel with the rule. */
function checkChars(
  groups: readonly (readonly string[])[],
  refuse: (message: string) => unknown,
): void {
  const chars = groups.reduce((sum, group) => sum + nameOf(group).length, 0);
  if (chars > expectedCharsMax)
    refuse(`expected has ${chars} characters; the most is ${expectedCharsMax}; split the rule`);
}

/** A group for each asset, by its name. */
function expectedAssets(
  map: MapNode,
  { groupBy, inventory }: Expecting,
  source: Source,
): readonly (readonly string[])[] | undefined {
  const refuse = (message: string, offset = map.offset) => {
    source.problem("rule.absence", offset, message);
    return undefined;
  };
  const [first, other] = map.entries;
  if (first === undefined || other !== undefined)
    return refuse(
      `expected has the key ${JSON.stringify(other?.key)} beside assets; write one rule for the assets and one for the list`,
      other?.keyOffset,
    );
  if (groupBy.length !== 1)
    return refuse(
      `expected chooses assets by their name, but group-by has ${groupBy.length} fields; it must have one`,
    );
  const assets = assetsIn(first.value, inventory, source);
  if (assets === undefined) return undefined;
  if (assets.length === 0 || assets.length > expectedMax)
    return refuse(
      `expected chooses ${assets.length} assets; it must be 1 to ${expectedMax}: choose others`,
    );
  const groups = assets.map(({ name }) => [name]);
  checkChars(groups, refuse);
  return groups;
}

/** One group: a text where there is one field, else a list in the order of group-by or a map of its fields. */
function groupOf(
  item: Node,
  groupBy: readonly string[],
  source: Source,
): readonly string[] | undefined {
  const wanted =
    groupBy.length === 1
      ? `a text for ${groupBy[0]}, or a map of it`
      : `a list of ${groupBy.length} texts for ${groupBy.join(", ")}, or a map of them`;
  const nodes = nodesOf(item, groupBy);
  if (nodes === undefined || nodes.length !== groupBy.length) {
    source.problem(
      "rule.absence",
      item.offset,
      `expected holds ${nameOfKind(item)}; write ${wanted}`,
    );
    return undefined;
  }
  const texts = nodes.flatMap((node) => textsIn(node, "expected", source));
  const bad = nodes.find(
    (_, index) => (texts[index] ?? "") === "" || (texts[index] ?? "").length > valueCharsMax,
  );
  if (bad === undefined) return texts;
  source.problem(
    "rule.absence",
    bad.offset,
    `expected holds ${nameOfKind(bad)}; a value is text of 1 to ${valueCharsMax} characters`,
  );
  return undefined;
}

function nodesOf(item: Node, groupBy: readonly string[]): readonly Node[] | undefined {
  if (item.kind === "scalar") return [item];
  if (item.kind === "list") return (item as ListNode).items;
  if (item.entries.length !== groupBy.length) return undefined;
  return groupBy.flatMap((field) => entryOf(item, field)?.value ?? []);
}

/** How far back from a deadline one must have come, unless told. */
export const DEADLINE_SPAN_MS = DAY_MS;

// log-sources.ts — which log sources an event belongs to, by what its fields say.
//
// In:    the `sources` of all mapping files, and an event in any form.
// Out:   every log source of every entry whose conditions hold, each once, in the order of the files.
// Holds: the cost follows the event's own top-level keys: entries are found by the value of their first field.
import { fieldOf, type LogSource } from "./event.ts";

export type SourceRule = {
  readonly when: readonly {
    readonly paths: readonly string[];
    readonly values: readonly string[];
  }[];
  readonly are: readonly LogSource[];
};
export type LogSourceReader = (event: Readonly<Record<string, unknown>>) => readonly LogSource[];

type ValueTest = (text: string) => boolean;
type Condition = { readonly paths: readonly string[]; readonly test: ValueTest };
type Entry = { readonly place: number; readonly rest: readonly Condition[] };
/** The entries whose first condition reads the same field. */
type Group = {
  readonly paths: readonly string[];
  readonly exact: Map<string, Entry[]>;
  readonly others: { readonly test: ValueTest; readonly entry: Entry }[];
};

const COMBINATIONS_MAX = 1000;
const NONE: readonly LogSource[] = [];

export function logSourceReader(rules: readonly SourceRule[]): LogSourceReader {
  const heads = headsOf(grouped(rules));
  const made = new Map<string, readonly LogSource[]>(); // by the places of the entries that hold
  return (event) => {
    const groups = new Set<Group>();
    for (const key in event) {
      const dot = key.indexOf(".");
      for (const group of heads.get(dot < 0 ? key : key.slice(0, dot)) ?? []) groups.add(group);
    }
    if (groups.size === 0) return NONE;
    const places: number[] = [];
    for (const group of groups) for (const place of holding(group, event)) places.push(place);
    if (places.length === 0) return NONE;
    const name = places.sort((a, b) => a - b).join();
    const known = made.get(name);
    if (known) return known;
    const sources = distinct(places.flatMap((place) => rules[place]?.are ?? []));
    if (made.size >= COMBINATIONS_MAX) made.clear();
    made.set(name, sources);
    return sources;
  };
}

function grouped(rules: readonly SourceRule[]): readonly Group[] {
  const groups = new Map<string, Group>();
  rules.forEach(({ when }, place) => {
    const [first, ...rest] = when;
    if (first === undefined) return;
    const key = first.paths.join("\n");
    const group: Group = groups.get(key) ?? { paths: first.paths, exact: new Map(), others: [] };
    groups.set(key, group);
    const entry = {
      place,
      rest: rest.map(({ paths, values }) => ({ paths, test: anyOf(values) })),
    };
    for (const value of first.values) {
      if (value.includes("*")) group.others.push({ test: testOf(value), entry });
      else {
        const folded = value.toLowerCase();
        group.exact.set(folded, [...(group.exact.get(folded) ?? []), entry]);
      }
    }
  });
  return [...groups.values()];
}

/** Groups by the top-level keys at which their paths begin. */
function headsOf(groups: readonly Group[]): ReadonlyMap<string, readonly Group[]> {
  const heads = new Map<string, Group[]>();
  for (const group of groups)
    for (const head of new Set(group.paths.map((path) => path.split(".", 1)[0] ?? path)))
      heads.set(head, [...(heads.get(head) ?? []), group]);
  return heads;
}

function* holding(
  { paths, exact, others }: Group,
  event: Readonly<Record<string, unknown>>,
): Generator<number> {
  const seen = new Set<number>();
  for (const text of textsAt(event, paths)) {
    const entries = [
      ...(exact.get(text) ?? []),
      ...others.filter(({ test }) => test(text)).map(({ entry }) => entry),
    ];
    for (const { place, rest } of entries) {
      if (seen.has(place)) continue;
      if (!rest.every(({ paths: at, test }) => textsAt(event, at).some(test))) continue;
      seen.add(place);
      yield place;
    }
  }
}

const ELEMENTS_MAX = 16;

function textsAt(
  event: Readonly<Record<string, unknown>>,
  paths: readonly string[],
): readonly string[] {
  for (const path of paths) {
    const value = fieldOf(event, path);
    if (value === undefined) continue;
    const values: readonly unknown[] = Array.isArray(value)
      ? value.slice(0, ELEMENTS_MAX)
      : [value];
    return values.map((one) => (typeof one === "object" ? "" : String(one).toLowerCase()));
  }
  return [];
}

const anyOf = (values: readonly string[]): ValueTest => {
  const exact = new Set(values.filter((one) => !one.includes("*")).map((one) => one.toLowerCase()));
  const others = values.filter((one) => one.includes("*")).map(testOf);
  return (text) => exact.has(text) || others.some((test) => test(text));
};

/** `*` stands for anything at the beginning, at the end, or alone for any value. */
function testOf(value: string): ValueTest {
  const text = value.toLowerCase();
  if (text === "*") return () => true;
  const start = text.startsWith("*");
  const end = text.endsWith("*");
  const middle = text.slice(start ? 1 : 0, end ? -1 : undefined);
  if (start && end) return (found) => found.includes(middle);
  return start ? (found) => found.endsWith(middle) : (found) => found.startsWith(middle);
}

function distinct(sources: readonly LogSource[]): readonly LogSource[] {
  const byName = new Map<string, LogSource>();
  for (const { product, category, service } of sources) {
    const name = JSON.stringify([product, category, service]);
    if (!byName.has(name))
      byName.set(name, {
        ...(product !== undefined && { product }),
        ...(category !== undefined && { category }),
        ...(service !== undefined && { service }),
      });
  }
  return [...byName.values()];
}

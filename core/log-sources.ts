// log-sources.ts — which log sources an event belongs to, by what its fields say.
//
// In:    the `sources` of all mapping files, and an event in any form.
// Out:   every log source of every entry whose conditions hold, each once, in the order of the files.
// Holds: the cost follows the event, not the number of entries: they are found by the value of their first field.
import type { LogSource } from "./event.ts";
import { finderOf, valueAtFirst } from "./field-finder.ts";

export type SourceRule = {
  readonly when: readonly {
    readonly paths: readonly string[];
    readonly values: readonly string[];
  }[];
  readonly are: readonly LogSource[];
};
type Json = Readonly<Record<string, unknown>>;
export type LogSourceReader = (event: Json) => readonly LogSource[];

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
  const groups = grouped(rules);
  const find = finderOf(groups.map(({ paths }) => paths));
  const made = new Map<string, readonly LogSource[]>(); // by the places of the entries that hold
  return (event) => {
    let places: number[] | undefined;
    find(event, (index, value) => {
      for (const place of holding(groups[index] as Group, value, event)) {
        places ??= [];
        places.push(place);
      }
    });
    if (places === undefined) return NONE;
    const name = (places as number[]).sort((a, b) => a - b).join();
    const known = made.get(name);
    if (known) return known;
    const sources = distinct((places as number[]).flatMap((place) => rules[place]?.are ?? []));
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

function holding({ exact, others }: Group, value: unknown, event: Json): readonly number[] {
  const places = new Set<number>();
  for (const text of textsOf(value)) {
    for (const { place, rest } of exact.get(text) ?? NO_ENTRIES)
      if (holds(rest, event)) places.add(place);
    for (const { test, entry } of others)
      if (test(text) && holds(entry.rest, event)) places.add(entry.place);
  }
  return [...places];
}

const NO_ENTRIES: readonly Entry[] = [];

const holds = (conditions: readonly Condition[], event: Json): boolean =>
  conditions.every(({ paths, test }) => textsOf(valueAtFirst(event, paths)).some(test));

const ELEMENTS_MAX = 16;

function textsOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const values: readonly unknown[] = Array.isArray(value) ? value.slice(0, ELEMENTS_MAX) : [value];
  return values.map((one) => (typeof one === "object" ? "" : String(one).toLowerCase()));
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

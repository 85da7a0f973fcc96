// log-sources.ts — which log sources an event belongs to, by what its fields say.
//
// In:    the `sources` of all mapping files, and an event in any form.
// Out:   every log source of every entry whose conditions hold, each once, in the order of the files.
// Holds: the cost follows the event, not the number of entries: they are found by the value of their first field.
import type { LogSource } from "./event.ts";
import { FieldReader } from "./field-reader.ts";
import { isObject } from "./json.ts";
import { kept } from "./kept.ts";
import { lowered } from "./letter-case.ts";
import { SaidValues } from "./said-values.ts";

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
type Condition = { readonly slot: number; readonly test: ValueTest };
type Entry = { readonly place: number; readonly rest: readonly Condition[] };
/** The entries whose first condition reads the same field. */
type Group = {
  readonly exact: Map<string, Entry[]>;
  readonly others: { readonly test: ValueTest; readonly entry: Entry }[];
};

const ANY = "*";
const NONE: readonly LogSource[] = [];

export function logSourceReader(rules: readonly SourceRule[]): LogSourceReader {
  const reader = new FieldReader();
  const groups = grouped(rules, reader); // by slot
  const made = new Map<string, readonly LogSource[]>(); // by the places of the entries that hold
  const known = new SaidValues<readonly LogSource[]>(reader, comparedSlots(rules, reader));
  const sourcesOf = (slots: readonly number[]): readonly LogSource[] => {
    const places = new Set<number>();
    for (const slot of slots) {
      const group = groups[slot];
      if (group) hold(group, reader, textsOf(reader.value(slot)), places);
    }
    if (places.size === 0) return NONE;
    const inOrder = [...places].sort((a, b) => a - b);
    return kept(made, inOrder.join(), () =>
      distinct(inOrder.flatMap((place) => rules[place]?.are ?? [])),
    );
  };
  return (event) => {
    const slots = reader.read(event);
    if (slots.length === 0) return NONE;
    const said = known.placeOf(slots);
    if (said === undefined) return sourcesOf(slots);
    said.own ??= sourcesOf(slots);
    return said.own;
  };
}

/** By slot: whether a condition asks more of the field than that it is there. */
function comparedSlots(rules: readonly SourceRule[], reader: FieldReader): readonly boolean[] {
  const compared: boolean[] = [];
  for (const { paths, values } of rules.flatMap(({ when }) => when)) {
    const slot = reader.slotOf(paths);
    compared[slot] = compared[slot] === true || values.some((value) => value !== ANY);
  }
  return compared;
}

function grouped(
  rules: readonly SourceRule[],
  reader: FieldReader,
): readonly (Group | undefined)[] {
  const groups: (Group | undefined)[] = [];
  rules.forEach(({ when }, place) => {
    const [first, ...rest] = when;
    if (first === undefined) return;
    const slot = reader.slotOf(first.paths);
    const group: Group = groups[slot] ?? { exact: new Map(), others: [] };
    groups[slot] = group;
    const entry = {
      place,
      rest: rest.map(({ paths, values }) => ({ slot: reader.slotOf(paths), test: anyOf(values) })),
    };
    for (const value of first.values) {
      if (value.includes("*")) group.others.push({ test: testOf(value), entry });
      else {
        const folded = lowered(value);
        group.exact.set(folded, [...(group.exact.get(folded) ?? []), entry]);
      }
    }
  });
  return groups;
}

/** Adds the places of the group's entries that hold for the event that was read. */
function hold(
  { exact, others }: Group,
  reader: FieldReader,
  texts: readonly string[],
  places: Set<number>,
): void {
  const holds = ({ rest }: Entry): boolean =>
    rest.every(({ slot, test }) => textsOf(reader.value(slot)).some(test));
  for (const text of texts) {
    for (const entry of exact.get(text) ?? NO_ENTRIES) if (holds(entry)) places.add(entry.place);
    for (const { test, entry } of others) if (test(text) && holds(entry)) places.add(entry.place);
  }
}

const NO_ENTRIES: readonly Entry[] = [];

const ELEMENTS_MAX = 16;

function textsOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const values: readonly unknown[] = Array.isArray(value) ? value.slice(0, ELEMENTS_MAX) : [value];
  return values.map((one) => (typeof one === "object" ? "" : lowered(String(one))));
}

const anyOf = (values: readonly string[]): ValueTest => {
  const exact = new Set(values.filter((one) => !one.includes("*")).map((one) => lowered(one)));
  const others = values.filter((one) => one.includes("*")).map(testOf);
  return (text) => exact.has(text) || others.some((test) => test(text));
};

/** `*` stands for anything at the beginning, at the end, or alone for any value. */
function testOf(value: string): ValueTest {
  const text = lowered(value);
  if (text === ANY) return () => true;
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

const WORD_CHARS_MAX = 128;

/** The log sources that an event of JSON names itself: in `log_source`, and at its top. */
export function saidSources(event: Json): LogSource[] {
  const nested = event.log_source;
  const said = [isObject(nested) ? wordsIn(nested) : undefined, wordsIn(event)];
  return said.filter((source) => source !== undefined);
}

function wordsIn(from: Json): LogSource | undefined {
  const source: Record<string, string> = {};
  for (const name of ["product", "category", "service"]) {
    const word = from[name];
    if (typeof word === "string" && word !== "" && word.length <= WORD_CHARS_MAX)
      source[name] = word;
  }
  return Object.keys(source).length === 0 ? undefined : source;
}

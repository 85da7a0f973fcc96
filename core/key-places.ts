// key-places.ts — where in a schema a key stands that was written at a place which has none of its name.
import type { Path, SchemaNode } from "./config-check.ts";

const STEPS_MAX = 3; // up and down from where it was written; what is farther away shares no more than the name
const ENTRY = "[]"; // of a list
const NAMED = "NAME"; // an entry of a map

type Place = { readonly section: readonly string[]; readonly key: string };

/** The nearest ones, all that are equally near, as the reference page writes them. */
export function placesOf(key: string, written: Path, schema: SchemaNode): readonly string[] {
  const places = placesIn(schema, []).filter((place) => place.key === key);
  const steps = places.map(({ section }) => stepsBetween(section, written));
  const least = Math.min(...steps);
  if (least === 0 || least > STEPS_MAX) return []; // 0: of another variant of the same section
  const near = places.filter((_, at) => steps[at] === least);
  return [...new Set(near.map(({ section }) => joined([...section, key])))];
}

function placesIn(node: SchemaNode, section: readonly string[]): readonly Place[] {
  return [
    ...(node.anyOf ?? []).flatMap((variant) => placesIn(variant, section)),
    ...Object.entries(node.properties ?? {}).flatMap(([key, field]) => [
      { section, key },
      ...(field.secret === true ? [{ section, key: `${key}_file` }] : []),
      ...placesIn(field, [...section, key]),
    ]),
    ...Object.values(node.patternProperties ?? {}).flatMap((entry) =>
      placesIn(entry, [...section, NAMED]),
    ),
    ...(node.items === undefined ? [] : placesIn(node.items, [...section, ENTRY])),
  ];
}

function stepsBetween(section: readonly string[], written: Path): number {
  const isSame = (part: string | undefined, at: number): boolean =>
    at < written.length && (part === ENTRY || part === NAMED || part === written[at]);
  let shared = 0;
  while (shared < section.length && isSame(section[shared], shared)) shared += 1;
  return section.length + written.length - 2 * shared;
}

const joined = (parts: readonly string[]): string =>
  parts.reduce((text, part) => (part === ENTRY || text === "" ? text + part : `${text}.${part}`));

// field-finder.ts — finds the values of many fields in one walk over an event.
//
// In:    for each field its paths, likeliest first; an event.
// Out:   each field that is present, with the value that fieldOf gives at the first of its paths that is.
// Why:   an event has a dozen keys, its fields could stand at hundreds of paths: looking for each costs more than parsing.
import { fieldOf } from "./event.ts";

type Json = Readonly<Record<string, unknown>>;
type Target = { readonly field: number; readonly rank: number }; // a lower rank goes first
type Node = { readonly next: Map<string, Node>; readonly targets: Target[] };
type Found = { readonly rank: number; readonly value: unknown };

export function finderOf(
  fields: readonly (readonly string[])[],
): (event: Json, found: (field: number, value: unknown) => void) => void {
  const root = newNode();
  fields.forEach((paths, field) => {
    let rank = 0;
    for (const path of paths)
      for (const keys of waysOf(path)) nodeAt(root, keys).targets.push({ field, rank: rank++ });
  });
  return (event, found) => {
    let best: Map<number, Found> | undefined;
    const put = ({ field, rank }: Target, value: unknown): void => {
      best ??= new Map();
      const before = best.get(field);
      if (before === undefined || rank < before.rank) best.set(field, { rank, value });
    };
    const walk = (node: Node, object: Json): void => {
      for (const key in object) {
        const next = node.next.get(key);
        const value = next && object[key];
        if (next === undefined || value === undefined) continue;
        for (const target of next.targets) put(target, value);
        if (next.next.size === 0 || typeof value !== "object" || value === null) continue;
        if (!Array.isArray(value)) walk(next, value as Json);
        else
          for (const field of fieldsBelow(next)) {
            const whole = valueAtFirst(event, fields[field] ?? []);
            if (whole !== undefined) put({ field, rank: -1 }, whole);
          }
      }
    };
    walk(root, event);
    if (best) for (const [field, { value }] of best as Map<number, Found>) found(field, value);
  };
}

const newNode = (): Node => ({ next: new Map(), targets: [] });

function nodeAt(root: Node, keys: readonly string[]): Node {
  let node = root;
  for (const key of keys) {
    const next = node.next.get(key) ?? newNode();
    node.next.set(key, next);
    node = next;
  }
  return node;
}

/** Every way to cut a path into keys, in the order in which they count: `a.b` as one key before `b` in `a`. */
export function waysOf(path: string): string[][] {
  const ways = [[path]];
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1))
    for (const rest of waysOf(path.slice(dot + 1))) ways.push([path.slice(0, dot), ...rest]);
  return ways;
}

function fieldsBelow({ next }: Node): Set<number> {
  const fields = new Set<number>();
  for (const node of next.values()) {
    for (const { field } of node.targets) fields.add(field);
    for (const field of fieldsBelow(node)) fields.add(field);
  }
  return fields;
}

/** The value at the first of these paths that is present. */
export function valueAtFirst(event: Json, paths: readonly string[]): unknown {
  for (const path of paths) {
    const value = fieldOf(event, path);
    if (value !== undefined) return value;
  }
  return undefined;
}

// path-steps.ts — what a path goes on with in brackets, where a value is no field of an object.
//
// In:    `parameters[name=NEW_VALUE].value`, and the value at `parameters`.
// Out:   the value that is meant, undefined where there is none.
//          a[0]           the element at a place of a list
//          a[name=x].b    of the elements of a list that have this name, `b`; names are compared in any case
//          a[ ]           the texts of a list as one, a space between them
//          a[**]          every text and number below, however deep
//          a[json]        its JSON, unless it is a text already
//          a[.]           of a path or an address, the extension of its file
// Why:   logs keep pairs in lists, arguments in lists, and in one field whole documents that rules ask for a word.
import { fieldOf } from "./event.ts";
import { isObject } from "./json.ts";

export type Stepped = {
  readonly base: string; // the path before the bracket
  readonly read: (value: unknown) => unknown; // from the value there
};

const STEP = /^([^[\]]+)\[([^[\]]+)\](?:\.(.+))?$/s; // the first; more may stand in what follows
const ELEMENTS_MAX = 1000;
const DEPTH_MAX = 64;

/** Undefined: a path of names only. */
export function steppedOf(path: string): Stepped | undefined {
  const known = stepped.get(path);
  if (known !== undefined || stepped.has(path)) return known;
  const read = readStepped(path);
  if (stepped.size < KEPT_MAX) stepped.set(path, read);
  return read;
}

const stepped = new Map<string, Stepped | undefined>();
const KEPT_MAX = 5000;

/** What is wrong with a path of a mapping; undefined where nothing is. */
export const stepFault = (path: string): string | undefined =>
  /[[\]]/.test(path) && steppedOf(path) === undefined
    ? `is ${JSON.stringify(path)}; in brackets stands a number, name=value, a space, **, json or a dot, as in a[name=x].b`
    : undefined;

/** The value at one path, with what it goes on with. */
export function valueAtPath(event: unknown, path: string): unknown {
  const step = path.includes("[") ? steppedOf(path) : undefined;
  if (step === undefined) return fieldOf(event, path);
  const base = fieldOf(event, step.base);
  const value = base === undefined ? undefined : step.read(base);
  if (value !== undefined || base === undefined) return value;
  for (const keys of waysOf(step.base)) {
    const other = valueAlong(event, keys);
    const read = other === undefined ? undefined : step.read(other);
    if (read !== undefined) return read;
  }
  return undefined;
}

/** Every way to cut a path into keys, in the order in which they count: `a.b` as one key before `b` in `a`. */
export function waysOf(path: string): string[][] {
  const ways = [[path]];
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1))
    for (const rest of waysOf(path.slice(dot + 1))) ways.push([path.slice(0, dot), ...rest]);
  return ways;
}

const valueAlong = (event: unknown, keys: readonly string[]): unknown =>
  keys.reduce(
    (value: unknown, key) =>
      isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined,
    event,
  );

function readStepped(path: string): Stepped | undefined {
  const [, base, word, rest] = STEP.exec(path) ?? [];
  if (base === undefined || word === undefined) return undefined;
  const step = stepOf(word);
  if (step === undefined) return undefined;
  if (rest === undefined) return { base, read: step };
  if (/[[\]]/.test(rest) && steppedOf(rest) === undefined) return undefined;
  return { base, read: (value) => below(step(value), rest) };
}

const below = (value: unknown, rest: string): unknown =>
  Array.isArray(value)
    ? someOf(value.map((one) => valueAtPath(one, rest)).filter((one) => one !== undefined))
    : valueAtPath(value, rest);

function stepOf(word: string): ((value: unknown) => unknown) | undefined {
  if (/^\d{1,3}$/.test(word))
    return (value) => (Array.isArray(value) ? value[Number(word)] : undefined);
  const named = NAMED.get(word);
  if (named !== undefined) return named;
  const equals = word.indexOf("=");
  if (equals <= 0) return undefined;
  const name = word.slice(0, equals);
  const wanted = word.slice(equals + 1).toLowerCase();
  return (value) =>
    Array.isArray(value)
      ? someOf(value.slice(0, ELEMENTS_MAX).filter((one) => nameIn(one, name) === wanted))
      : undefined;
}

const someOf = (values: readonly unknown[]): unknown =>
  values.length === 0 ? undefined : values.length === 1 ? values[0] : values.flat();

const nameIn = (element: unknown, name: string): string | undefined =>
  isObject(element) && Object.hasOwn(element, name)
    ? String(element[name]).toLowerCase()
    : undefined;

const NAMED: ReadonlyMap<string, (value: unknown) => unknown> = new Map([
  [" ", (value) => (Array.isArray(value) ? value.filter(isPlain).join(" ") : value)],
  ["**", textsBelow],
  ["json", (value) => (typeof value === "string" ? value : JSON.stringify(value))],
  [".", (value) => (typeof value === "string" ? behindDot(value) : undefined)],
] satisfies [string, (value: unknown) => unknown][]);

const isPlain = (value: unknown): boolean => typeof value === "string" || typeof value === "number";

function textsBelow(value: unknown): unknown {
  const texts: unknown[] = [];
  const walk = (one: unknown, depth: number): void => {
    if (texts.length >= ELEMENTS_MAX || depth > DEPTH_MAX || one === null) return;
    if (typeof one !== "object") texts.push(one);
    else for (const child of Object.values(one)) walk(child, depth + 1);
  };
  walk(value, 0);
  return texts;
}

/** Of the last part of a path, without a query. */
function behindDot(text: string): string | undefined {
  const path = text.replace(/[?#].*$/s, "").replace(/^\w+:\/\/[^/]*/, "");
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? undefined : name.slice(dot + 1);
}

// config-check.ts — checks a value against the configuration schema, fills the defaults, and words every fault for people.
//
// In:    the parsed file as plain values, and the schema.
// Out:   the value with every default filled in, and all faults at once, each with its path.
// Holds: a secret's value never appears in a fault.
// Why:   a walk of our own, not a validator's errors: it knows which variant of a union was meant and the nearest known key.
import { FORMS, type Form } from "./addresses.ts";
import { isObject, type Json } from "./json.ts";
import { placesOf } from "./key-places.ts";
import { nearest } from "./nearest.ts";

/** The part of JSON Schema that configuration uses. */
export type SchemaNode = {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: unknown; // true: further keys may stand beside, whatever they hold
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number; // UTF-16 code units
  readonly minItems?: number;
  readonly pattern?: string;
  readonly secret?: boolean;
  readonly isPath?: boolean;
  readonly form?: Form;
};

export type Path = readonly (string | number)[];
export type Fault = {
  readonly path: Path;
  readonly atKey: boolean; // the fault is the key itself, not its value
  readonly text: string;
};
/** What the walk needs from outside: the environment's values and files of secrets, and what a path is relative to. */
export type Resolver = {
  readonly substitute: (text: string) => { readonly text: string } | { readonly fault: string };
  readonly readSecret: (path: string) => { readonly text: string } | { readonly fault: string };
  readonly absolute: (path: string, at: Path) => string;
};

export function checkConfig(
  schema: SchemaNode,
  value: unknown,
  resolver: Resolver,
): { readonly value: unknown; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const walk: Walk = { schema, resolver, faults };
  return { value: checkNode(walk, schema, value ?? {}, []), faults };
}

type Walk = {
  readonly schema: SchemaNode; // of the whole
  readonly resolver: Resolver;
  readonly faults: Fault[];
};
const FILE = "_file";

function checkNode(walk: Walk, schema: SchemaNode, given: unknown, path: Path): unknown {
  const value = substituted(walk, schema, given, path);
  if (value === FAULTY) return undefined;
  if (schema.anyOf !== undefined) return checkUnion(walk, schema.anyOf, value, path);
  if (schema.properties !== undefined) return checkObject(walk, schema, value, path);
  if (schema.patternProperties !== undefined) return checkRecord(walk, schema, value, path);
  if (schema.items !== undefined) return checkArray(walk, schema, value, path);
  const fault = scalarFault(schema, value);
  if (fault !== undefined) return refuse(walk, path, fault);
  return schema.isPath === true ? walk.resolver.absolute(String(value), path) : value;
}

const FAULTY = Symbol("faulty");

/** Replaces `${NAME}`; a number or boolean may come from the environment too. */
function substituted(walk: Walk, schema: SchemaNode, value: unknown, path: Path): unknown {
  if (typeof value !== "string" || !value.includes("${")) return value;
  const result = walk.resolver.substitute(value);
  if ("fault" in result) {
    refuse(walk, path, result.fault);
    return FAULTY;
  }
  if (schema.type === "integer" && /^-?[0-9]{1,15}$/.test(result.text)) return Number(result.text);
  if (schema.type === "boolean" && /^(true|false)$/.test(result.text))
    return result.text === "true";
  return result.text;
}

function checkObject(walk: Walk, schema: SchemaNode, given: unknown, path: Path): unknown {
  const value = given ?? {};
  if (!isObject(value))
    return refuse(walk, path, `is ${shown(given)}, allowed is a section of keys`);
  const fields = schema.properties ?? {};
  const filled: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const secretOf = key.endsWith(FILE) ? key.slice(0, -FILE.length) : undefined;
    const isSecretFile = secretOf !== undefined && ownField(fields, secretOf)?.secret === true;
    if (ownField(fields, key) !== undefined || isSecretFile) continue;
    if (schema.additionalProperties === true)
      Object.defineProperty(filled, key, ownValue(value[key]));
    else {
      const known = Object.keys(fields);
      refuse(walk, [...path, key], unknownKey(walk.schema, key, { value, path, known }), true);
    }
  }
  for (const [key, field] of Object.entries(fields)) {
    const filledValue = checkField(walk, { schema, field, value, path, key });
    if (filledValue !== undefined) filled[key] = filledValue;
  }
  return filled;
}

function checkField(
  walk: Walk,
  at: {
    readonly schema: SchemaNode;
    readonly field: SchemaNode;
    readonly value: Record<string, unknown>;
    readonly path: Path;
    readonly key: string;
  },
): unknown {
  const { field, key } = at;
  const path = [...at.path, key];
  const given = Object.hasOwn(at.value, key) ? at.value[key] : undefined;
  const filePath = field.secret === true ? at.value[key + FILE] : undefined;
  if (filePath !== undefined && filePath !== null) {
    const atFile = [...at.path, key + FILE];
    if (given !== undefined && given !== null)
      return refuse(walk, atFile, `is given beside ${key}; allowed is one of the two`, true);
    return secretFromFile(walk, field, filePath, atFile);
  }
  if (given !== undefined && given !== null) return checkNode(walk, field, given, path);
  if (field.default !== undefined) return checkNode(walk, field, field.default, path);
  if (at.schema.required?.includes(key) !== true) return undefined;
  if (given === null) return refuse(walk, path, `is empty, allowed is ${allowed(field)}`);
  return refuse(walk, at.path, `lacks the key ${key} (${field.description ?? allowed(field)})`);
}

function secretFromFile(walk: Walk, field: SchemaNode, given: unknown, path: Path): unknown {
  const name = checkNode(walk, { type: "string", minLength: 1, isPath: true }, given, path);
  if (typeof name !== "string") return undefined;
  const content = walk.resolver.readSecret(name);
  if ("fault" in content) return refuse(walk, path, content.fault);
  const fault = scalarFault(field, content.text);
  return fault === undefined ? content.text : refuse(walk, path, `names a file that ${fault}`);
}

function checkRecord(walk: Walk, schema: SchemaNode, given: unknown, path: Path): unknown {
  if (!isObject(given))
    return refuse(walk, path, `is ${shown(given)}, allowed is a section of names`);
  const [pattern, node] = Object.entries(schema.patternProperties ?? {})[0] ?? ["", {}];
  const filled: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    if (!new RegExp(pattern).test(key))
      refuse(walk, [...path, key], `is not a name: allowed is ${pattern}`, true);
    else Object.defineProperty(filled, key, ownValue(checkNode(walk, node, value, [...path, key])));
  }
  return filled;
}

const ownValue = (value: unknown): PropertyDescriptor => ({
  value,
  enumerable: true,
  writable: true,
  configurable: true,
});

function checkArray(walk: Walk, schema: SchemaNode, given: unknown, path: Path): unknown {
  if (!Array.isArray(given)) return refuse(walk, path, `is ${shown(given)}, allowed is a list`);
  const least = schema.minItems ?? 0;
  if (given.length < least)
    return refuse(walk, path, `has ${given.length} entries, allowed are ${least} or more`);
  return given.map((item, index) => checkNode(walk, schema.items ?? {}, item, [...path, index]));
}

/** A union is of words, or of objects told apart by their `type`. */
function checkUnion(
  walk: Walk,
  variants: readonly SchemaNode[],
  value: unknown,
  path: Path,
): unknown {
  if (variants.every((variant) => variant.const !== undefined)) {
    const words = variants.map((variant) => String(variant.const));
    if (variants.some((variant) => variant.const === value)) return value;
    return refuse(
      walk,
      path,
      `is ${shown(value)}, allowed are ${words.join(", ")}${meant(value, words)}`,
    );
  }
  if (!isObject(value))
    return refuse(walk, path, `is ${shown(value)}, allowed is a section of keys`);
  const types = variants.map((variant) => variant.properties?.type?.const);
  const index = types.indexOf(value.type);
  const variant = variants[index];
  if (variant !== undefined) return checkObject(walk, variant, value, path);
  const names = types.map(String);
  return value.type === undefined
    ? refuse(walk, path, `lacks the key type; allowed are ${names.join(", ")}`)
    : refuse(
        walk,
        [...path, "type"],
        `is ${shown(value.type)}, allowed are ${names.join(", ")}${meant(value.type, names)}`,
      );
}

function scalarFault(schema: SchemaNode, value: unknown): string | undefined {
  const found = schema.secret === true ? `a ${typeOf(value)}` : shown(value);
  const refused = `is ${found}, allowed is ${allowed(schema)}`;
  if (schema.const !== undefined) return value === schema.const ? undefined : refused;
  if (schema.type === "string") {
    if (typeof value !== "string")
      return `${refused}${typeof value === "number" ? " (put it in quotes)" : ""}`;
    if (value.length < (schema.minLength ?? 0)) return "is empty";
    if (value.length > (schema.maxLength ?? Infinity))
      return `has ${value.length} characters, allowed are ${schema.maxLength} at most`;
    if (schema.form !== undefined) return FORMS[schema.form](value);
    return schema.pattern === undefined || new RegExp(schema.pattern).test(value)
      ? undefined
      : refused;
  }
  if (schema.type === "boolean") return typeof value === "boolean" ? undefined : refused;
  if (schema.type === "integer" || schema.type === "number") {
    if (typeof value !== "number" || (schema.type === "integer" && !Number.isSafeInteger(value)))
      return refused;
    const inside = value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity);
    return inside ? undefined : refused;
  }
  return undefined;
}

/** What a value may be, in words. */
export function allowed(schema: SchemaNode): string {
  if (schema.anyOf !== undefined)
    return schema.anyOf
      .map((variant) => String(variant.const ?? variant.properties?.type?.const))
      .join(", ");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.pattern === SPAN_PATTERN) return "a span such as 30s, 10m, 1h or 7d";
  if (schema.pattern !== undefined) return `text that matches ${schema.pattern}`;
  if (schema.type === "integer" || schema.type === "number") {
    const { minimum, maximum } = schema;
    const number = schema.type === "integer" ? "a whole number" : "a number";
    if (minimum !== undefined && maximum !== undefined)
      return `${number} from ${minimum} to ${maximum}`;
    return minimum === undefined ? number : `${number}, ${minimum} or more`;
  }
  if (schema.type === "boolean") return "true or false";
  if (schema.items !== undefined) return "a list";
  if (schema.type === "object") return "a section of keys";
  return "text";
}

const SPAN_PATTERN = "^[0-9]+(ms|s|m|h|d)$";

function unknownKey(
  schema: SchemaNode,
  key: string,
  at: { readonly value: Json; readonly path: Path; readonly known: readonly string[] },
): string {
  const near = nearest(key, at.known);
  const elsewhere = placesOf(key, at.path, schema);
  if (near !== undefined)
    return `is not a key here; did you mean ${[...elsewhere, near].join(" or ")}?`;
  const known = at.known.join(", ");
  if (elsewhere.length > 0)
    return `is not a key here; elsewhere there is ${elsewhere.join(" and ")}; known here are ${known}`;
  const own = at.value[key];
  const moved = (isObject(own) ? Object.keys(own) : [])
    .map((inner) => ({ inner, places: placesOf(inner, [...at.path, key], schema) }))
    .filter(({ places }) => places.length > 0)
    .slice(0, MOVED_MAX)
    .map(({ inner, places }) => `; for its ${inner} there is ${places.join(" and ")}`);
  return `is not a key here; known are ${known}${moved.join("")}`;
}
const MOVED_MAX = 5;

const meant = (value: unknown, words: readonly string[]): string => {
  const near = typeof value === "string" ? nearest(value, words) : undefined;
  return near === undefined ? "" : `; did you mean ${near}?`;
};

function refuse(walk: Walk, path: Path, text: string, atKey = false): undefined {
  walk.faults.push({ path, atKey, text });
  return undefined;
}

const ownField = (
  fields: Readonly<Record<string, SchemaNode>>,
  key: string,
): SchemaNode | undefined => (Object.hasOwn(fields, key) ? fields[key] : undefined);

const typeOf = (value: unknown): string =>
  value === null ? "empty" : Array.isArray(value) ? "list" : typeof value;

const SHOWN_MAX = 60;
function shown(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a section";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

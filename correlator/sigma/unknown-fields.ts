// unknown-fields.ts — names of fields that no mapping of the events' log source knows: most likely mistyped.
//
// In:    a document, the rules that it may refer to, and which fields a log source has.
// Out:   a warning for each name, where it stands. A correlation's names are those of the detections below it, through all aliases.
import type { LogSource } from "../../core/event.ts";
import { type CorrelationBody, correlationOf, type Reference } from "./correlation.ts";
import { wordKey } from "./rule-words.ts";
import { entryOf, type MapNode, type Node, sourceOf, textAt } from "./yaml.ts";

/** Which field names a log source has; empty where that is not known. */
export type KnownFields = {
  readonly known: (logsource: LogSource) => readonly string[];
  readonly isKnown: (logsource: LogSource, name: string) => boolean;
};
/** What correlations refer to, by the keys of ids and names. */
export type NamedRules = ReadonlyMap<string, MapNode>;
export type Warn = (code: string, offset: number, message: string) => void;
type Context = { readonly fields: KnownFields; readonly rules: NamedRules };

/** The Elastic Common Schema's own names stand where they say. */
const ECS = new Set([
  ...[
    "@timestamp",
    "message",
    "tags",
    "labels",
    "agent",
    "as",
    "client",
    "cloud",
    "code_signature",
  ],
  ...["container", "data_stream", "destination", "device", "dll", "dns", "ecs", "elf", "email"],
  ...["error", "event", "faas", "file", "geo", "group", "hash", "host", "http", "interface", "log"],
  ...["macho", "network", "observer", "orchestrator", "organization", "os", "package", "pe"],
  ...["process", "registry", "related", "risk", "rule", "server", "service", "source", "span"],
  ...["threat", "tls", "trace", "transaction", "url", "user", "user_agent", "vlan"],
  ...["vulnerability", "volume", "winlog", "wache", "x509"],
]);
const isEcs = (name: string): boolean => ECS.has(name.split(".")[0] ?? "");

export function fieldWarnings(map: MapNode, context: Context, warn: Warn): void {
  const seen = new Set<string>();
  for (const { name, offset } of fieldsIn(map)) {
    const stranger = seen.has(name) ? undefined : strangerTo(name, map, context);
    seen.add(name);
    if (stranger !== undefined)
      warn(
        "rule.field-unknown",
        offset,
        `no mapping of ${stranger.logsource}${stranger.rule === map ? "" : `, which ${titleOf(stranger.rule)} looks at,`} ` +
          `knows the field ${stranger.name}; it is looked for under that name`,
      );
  }
}

const titleOf = (rule: MapNode): string =>
  textAt(rule, "name") ?? textAt(rule, "title") ?? "a rule below";

function* fieldsIn(map: MapNode): Generator<Name> {
  const section = entryOf(map, "detection") ?? entryOf(map, "filter");
  for (const { key, value } of section?.value.kind === "map" ? section.value.entries : [])
    if (key !== "condition" && key !== "rules") yield* selectionFields(value);
  const body = bodyOf(map);
  if (body === undefined) return;
  for (const { text, offset } of body.groupBy) yield { name: text, offset };
  yield* countedFields(map);
}
type Name = { readonly name: string; readonly offset: number };

function* selectionFields(node: Node): Generator<Name> {
  if (node.kind === "list") for (const item of node.items) yield* selectionFields(item);
  if (node.kind !== "map") return;
  for (const { key, keyOffset, value } of node.entries) {
    const [name = "", ...modifiers] = key.split("|");
    if (name !== "") yield { name, offset: keyOffset };
    if (modifiers.includes("fieldref")) yield* textsOf(value);
  }
}

function* countedFields(map: MapNode): Generator<Name> {
  const correlation = entryOf(map, "correlation")?.value;
  const condition =
    correlation?.kind === "map" ? entryOf(correlation, "condition")?.value : undefined;
  const field = condition?.kind === "map" ? entryOf(condition, "field")?.value : undefined;
  if (field !== undefined) yield* textsOf(field);
}

function* textsOf(node: Node): Generator<Name> {
  for (const item of node.kind === "list" ? node.items : [node])
    if (item.kind === "scalar") yield { name: item.source, offset: item.offset };
}

type Stranger = { readonly rule: MapNode; readonly logsource: string; readonly name: string };

/** The first rule, this or one below, whose events are not known to have the field. */
function strangerTo(
  name: string,
  rule: MapNode,
  context: Context,
  seen = new Set<string>(),
): Stranger | undefined {
  const body = bodyOf(rule);
  if (body === undefined) {
    const logsource = logSourceOf(rule);
    return isKnown(name, logsource, context.fields)
      ? undefined
      : { rule, logsource: Object.values(logsource).join("/"), name };
  }
  for (const { text } of body.rules) {
    const below = context.rules.get(wordKey(text));
    if (below === undefined) continue;
    const field = aliased(name, { body, below }, context.rules);
    const asked = `${text}\n${field}`;
    if (seen.has(asked)) continue;
    seen.add(asked);
    // A name by which the rule below is grouped is told of there.
    if (bodyOf(below)?.groupBy.some((one) => one.text === field)) continue;
    const found = strangerTo(field, below, context, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isKnown = (name: string, logsource: LogSource, fields: KnownFields): boolean =>
  fields.known(logsource).length === 0 || isEcs(name) || fields.isKnown(logsource, name);

export function aliased(
  name: string,
  { body, below }: { readonly body: CorrelationBody; readonly below: MapNode },
  rules: NamedRules,
): string {
  const isBelow = (reference: Reference): boolean => rules.get(wordKey(reference.text)) === below;
  const alias = body.aliases.find((one) => one.name === name);
  return alias?.fields.find(({ rule }) => isBelow(rule))?.field ?? name;
}

const bodies = new WeakMap<MapNode, { readonly body: CorrelationBody | undefined }>();

/** Undefined also where it can't be read: loading tells of that. Read once, however many names are looked for. */
export function bodyOf(map: MapNode): CorrelationBody | undefined {
  const known = bodies.get(map);
  if (known !== undefined) return known.body;
  const correlation = entryOf(map, "correlation")?.value;
  const body = correlation && correlationOf(correlation, undefined, sourceOf("", "").source);
  bodies.set(map, { body });
  return body;
}

export function logSourceOf(map: MapNode): LogSource {
  const node = entryOf(map, "logsource")?.value;
  if (node?.kind !== "map") return {};
  const words = ["product", "category", "service"].flatMap((key) => {
    const text = textAt(node, key);
    return text === undefined ? [] : [[key, text] as const];
  });
  return Object.fromEntries(words);
}

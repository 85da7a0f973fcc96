// warnings.ts — what is allowed in a rule, but most likely not meant.
//
// In:    the text of a rule file, and how its fields are mapped.
// Out:   warnings in the order of the file; none refuses a rule. What cannot be read at all is load.ts's to tell.
import type { LogSource } from "../../core/event.ts";
import { tagFault } from "../attack-tags.ts";
import type { Problem, RuleFile } from "./rule.ts";
import { entryOf, type MapNode, type Node, type Source, sourceOf } from "./yaml.ts";

/** Which field names a log source has; empty where that is not known. */
export type KnownFields = {
  readonly known: (logsource: LogSource) => readonly string[];
  readonly isKnown: (logsource: LogSource, name: string) => boolean;
};
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

type Warn = (code: string, offset: number, message: string) => void;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function warningsOf(file: RuleFile, fields: KnownFields): readonly Problem[] {
  const { source, documents } = sourceOf(file.path, file.text);
  const maps = documents.filter((node) => node.kind === "map");
  const warnings: Problem[] = [];
  // A document of actions is laid over others: what it lacks may stand there.
  const stands = !maps.some((map) => entryOf(map, "action") !== undefined);
  for (const map of maps) warnings.push(...documentWarnings(map, source, { fields, stands }));
  return warnings;
}

function documentWarnings(
  map: MapNode,
  source: Source,
  { fields, stands }: { readonly fields: KnownFields; readonly stands: boolean },
): readonly Problem[] {
  const warnings: Problem[] = [];
  const rule = textAt(map, "id") ?? textAt(map, "title");
  const warn: Warn = (code, offset, message) => {
    warnings.push({
      code,
      at: source.at(offset),
      message,
      ...(rule === undefined ? {} : { rule }),
    });
  };
  const isFilter = entryOf(map, "filter") !== undefined;
  if (stands && !isFilter) {
    if (entryOf(map, "level") === undefined)
      warn("rule.level-missing", map.offset, missingLevel(map));
    if (entryOf(map, "id") === undefined)
      warn(
        "rule.id-missing",
        map.offset,
        "there is no id; give it a UUID, so that it keeps its name",
      );
  }
  idWarnings(map, warn);
  tagWarnings(map, warn);
  if (stands) fieldWarnings(map, fields, warn);
  return warnings;
}

const missingLevel = (map: MapNode): string =>
  entryOf(map, "correlation") === undefined
    ? "there is no level; medium is taken"
    : "there is no level; the highest of the rules that it counts is taken";

function idWarnings(map: MapNode, warn: Warn): void {
  const id = entryOf(map, "id")?.value;
  if (id?.kind === "scalar" && id.source !== "" && !UUID.test(id.source))
    warn("rule.id-form", id.offset, "the id is no UUID; the specification wants one");
}

function tagWarnings(map: MapNode, warn: Warn): void {
  const tags = entryOf(map, "tags")?.value;
  const seen = new Set<string>();
  for (const tag of tags?.kind === "list" ? tags.items : []) {
    if (tag.kind !== "scalar") continue;
    const fault = tagFault(tag.source);
    if (fault !== undefined)
      warn("rule.tag", tag.offset, `the tag ${JSON.stringify(tag.source)}: ${fault}`);
    if (seen.has(tag.source))
      warn("rule.tag", tag.offset, `the tag ${JSON.stringify(tag.source)} stands twice`);
    seen.add(tag.source);
  }
}

function fieldWarnings(map: MapNode, fields: KnownFields, warn: Warn): void {
  const section = entryOf(map, "detection") ?? entryOf(map, "filter");
  const logsource = logSourceOf(map);
  if (section?.value.kind !== "map" || fields.known(logsource).length === 0) return;
  const words = Object.values(logsource).join("/");
  const seen = new Set<string>();
  for (const { key, value } of section.value.entries) {
    if (key === "condition" || key === "rules") continue;
    for (const { name, offset } of fieldsIn(value)) {
      if (seen.has(name) || isEcs(name) || fields.isKnown(logsource, name)) continue;
      seen.add(name);
      warn(
        "rule.field-unknown",
        offset,
        `no mapping of ${words} knows the field ${name}; it is looked for under that name`,
      );
    }
  }
}

function* fieldsIn(node: Node): Generator<{ readonly name: string; readonly offset: number }> {
  if (node.kind === "list") for (const item of node.items) yield* fieldsIn(item);
  if (node.kind !== "map") return;
  for (const { key, keyOffset } of node.entries) {
    const [name = ""] = key.split("|");
    if (name !== "") yield { name, offset: keyOffset };
  }
}

function logSourceOf(map: MapNode): LogSource {
  const node = entryOf(map, "logsource")?.value;
  if (node?.kind !== "map") return {};
  const words = ["product", "category", "service"].flatMap((key) => {
    const text = textAt(node, key);
    return text === undefined ? [] : [[key, text] as const];
  });
  return Object.fromEntries(words);
}

function textAt(map: MapNode, key: string): string | undefined {
  const value = entryOf(map, key)?.value;
  return value?.kind === "scalar" && value.source !== "" ? value.source.slice(0, 256) : undefined;
}

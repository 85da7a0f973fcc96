// warnings.ts — what is allowed in a rule, but most likely not meant.
//
// In:    the texts of all rule files that are looked at, and how their fields are mapped.
// Out:   warnings in the order of the files; none refuses a rule. What cannot be read at all is load.ts's to tell.
import { headerWarnings } from "./header-warnings.ts";
import type { Problem, RuleFile } from "./rule.ts";
import { wordKey } from "./rule-words.ts";
import { fieldWarnings, type KnownFields, type NamedRules, type Warn } from "./unknown-fields.ts";
import { aliasWarnings, type Users, usersOf } from "./unused-aliases.ts";
import { entryOf, type MapNode, type Source, sourceOf, textAt } from "./yaml.ts";

export function warningsOf(files: readonly RuleFile[], fields: KnownFields): readonly Problem[] {
  const read = files.map(readMaps);
  const rules = new Map<string, MapNode>();
  for (const { maps, stands } of read)
    for (const map of stands ? maps : [])
      for (const word of [textAt(map, "id"), textAt(map, "name")].flatMap((one) => one ?? []))
        if (!rules.has(wordKey(word))) rules.set(wordKey(word), map);
  const users = usersOf(
    read.flatMap(({ maps, stands }) => (stands ? maps : [])),
    rules,
  );
  return read.flatMap(({ source, maps, stands }) =>
    maps.flatMap((map) => documentWarnings(map, source, { fields, rules, users, stands })),
  );
}

function readMaps({ path, text }: RuleFile): {
  readonly source: Source;
  readonly maps: readonly MapNode[];
  readonly stands: boolean;
} {
  const { source, documents } = sourceOf(path, text);
  const maps = documents.flatMap(({ node }) => (node.kind === "map" ? [node] : []));
  // A document of actions is laid over others: what it lacks may stand there.
  return { source, maps, stands: !maps.some((map) => entryOf(map, "action") !== undefined) };
}

function documentWarnings(
  map: MapNode,
  source: Source,
  {
    stands,
    ...context
  }: {
    readonly fields: KnownFields;
    readonly rules: NamedRules;
    readonly users: Users;
    readonly stands: boolean;
  },
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
  headerWarnings(map, warn);
  logSourceWarnings(map, warn);
  if (stands) fieldWarnings(map, context, warn);
  if (stands) aliasWarnings(map, context, warn);
  return warnings;
}

const missingLevel = (map: MapNode): string =>
  entryOf(map, "correlation") === undefined
    ? "there is no level; medium is taken"
    : "there is no level; the highest of the rules that it counts is taken";

function logSourceWarnings(map: MapNode, warn: Warn): void {
  const logsource = entryOf(map, "logsource")?.value;
  for (const { key, value } of logsource?.kind === "map" ? logsource.entries : []) {
    if (!["product", "category", "service"].includes(key) || value.kind !== "scalar") continue;
    const lower = value.source.toLowerCase();
    if (value.source !== lower)
      warn(
        "rule.logsource-case",
        value.offset,
        `${key} is ${JSON.stringify(value.source)}; letters count, and Sigma's are small: no event of ${lower} matches`,
      );
  }
}

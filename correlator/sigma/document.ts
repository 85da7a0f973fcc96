// document.ts — reads the documents of one file: detections, correlations, filters, and `action: global` before them.
//
// In:    the text of a file.
// Out:   drafts, whose references link.ts resolves; or problems, each beside the document that it stands in.
import type { Asset } from "../../core/assets.ts";
import type { LogSource } from "../../core/event.ts";
import { type CorrelationBody, correlationOf, type Reference } from "./correlation.ts";
import { detectionOf, type ReadingContext } from "./detection.ts";
import { type Header, headerOf, logSourceOf, textsIn } from "./header.ts";
import type { FieldMapping } from "./mapping.ts";
import type { EventField, Expression, Problem, RuleFile } from "./rule.ts";
import { checkEscalate, refuseTelling } from "./telling.ts";
import {
  type Entry,
  entryOf,
  type MapNode,
  nameOfKind,
  type Source,
  sourceOf,
  textAt,
  type YamlDocument,
} from "./yaml.ts";

export type DetectionBody = { readonly logsource: LogSource; readonly condition: Expression };
export type FilterBody = {
  readonly logsource: LogSource;
  readonly rules: readonly Reference[] | "any";
  readonly condition: Expression;
};
/** One document that could be read. */
export type Draft = {
  readonly at: string;
  readonly place: (offset: number) => string;
  readonly lenient: boolean;
  readonly header: Header;
} & (
  | { readonly kind: "detection"; readonly body: DetectionBody }
  | { readonly kind: "correlation"; readonly body: CorrelationBody }
  | { readonly kind: "filter"; readonly body: FilterBody }
);
/** One document that could not. */
export type Refused = {
  readonly at: string;
  readonly lenient: boolean;
  readonly rule?: string;
  readonly names?: readonly string[]; // by which others may refer to it
  readonly problems: readonly Problem[];
};
export type Reading = {
  readonly mapField: FieldMapping;
  readonly placeholders: ReadonlyMap<string, readonly string[]>;
  readonly inventory: readonly Asset[] | undefined; // undefined: what rules say of assets is not looked at
};

export function readFile(
  file: RuleFile,
  reading: Reading,
): { readonly drafts: readonly Draft[]; readonly refused: readonly Refused[] } {
  const { source, documents } = sourceOf(file.path, file.text);
  const drafts: Draft[] = [];
  const refused: Refused[] = [];
  const { lenient } = file;
  const refuseSoFar = () => {
    const problems = source.problems.splice(0);
    if (problems[0] !== undefined) refused.push({ at: problems[0].at, lenient, problems });
  };
  refuseSoFar();
  for (const { map, faults } of unfolded(documents, source)) {
    refuseSoFar();
    const draft = readDocument(map, source, { lenient, ...reading });
    const problems = [...faults, ...source.problems.splice(0)];
    if (draft !== undefined && problems.length === 0) drafts.push(draft);
    else {
      const rule = textAt(map, "id") ?? textAt(map, "title");
      refused.push({
        at: source.at(map.offset),
        lenient,
        ...(rule === undefined ? {} : { rule }),
        // Nothing refers to a filter.
        names: entryOf(map, "filter")
          ? []
          : ["id", "name"].flatMap((key) => textAt(map, key) ?? []),
        problems: problems.map((one) => (rule === undefined ? one : { ...one, rule })),
      });
    }
  }
  refuseSoFar();
  return { drafts, refused };
}

/** A document as its actions leave it, and what is wrong with the text that it is made of. */
type Unfolded = { readonly map: MapNode; readonly faults: readonly Problem[] };

/** `action: global` is laid under what follows, `repeat` over what came before, `reset` forgets. */
function* unfolded(documents: readonly YamlDocument[], source: Source): Generator<Unfolded> {
  let global: Unfolded | undefined;
  let last: Unfolded | undefined;
  for (const { node, problems: faults } of documents) {
    const action = node.kind === "map" ? entryOf(node, "action") : undefined;
    const word = action?.value.kind === "scalar" ? action.value.value : undefined;
    const isRule = action === undefined || (word === "repeat" && last !== undefined);
    if (node.kind !== "map" || !isRule) source.problems.push(...faults);
    if (node.kind !== "map") {
      source.problem(
        "rule.document",
        node.offset,
        `a document is ${nameOfKind(node)}; a rule is a map with title, logsource and detection`,
      );
      continue;
    }
    const map: MapNode = { ...node, entries: node.entries.filter((one) => one !== action) };
    if (isRule) {
      last = laidOver(action === undefined ? global : last, { map, faults }, source);
      yield last;
    } else if (word === "global") global = laidOver(global, { map, faults }, source);
    else if (word === "reset") global = undefined;
    else
      source.problem(
        "rule.action",
        action.keyOffset,
        `action is ${nameOfKind(action.value)}${word === "repeat" ? " and no rule stands before it" : ""}; allowed are global, reset and repeat`,
      );
  }
}

/** What is made of a document with a fault has one too, which is told where it stands and only named here. */
function laidOver(under: Unfolded | undefined, over: Unfolded, source: Source): Unfolded {
  if (under === undefined) return over;
  const [first] = under.faults;
  const inherited: Problem | undefined = first && {
    code: "rule.action",
    at: source.at(over.map.offset),
    message: `what it is laid over was refused (${first.at}); mend that first`,
  };
  return {
    map: overlaid(under.map, over.map),
    faults: [...over.faults, ...(inherited ? [inherited] : [])],
  };
}

/** `over` wins; maps are laid over each other key by key. */
function overlaid(under: MapNode, over: MapNode): MapNode {
  const entries: Entry[] = under.entries.map((entry) => {
    const other = entryOf(over, entry.key);
    if (other === undefined) return entry;
    return entry.value.kind === "map" && other.value.kind === "map"
      ? { ...other, value: overlaid(entry.value, other.value) }
      : other;
  });
  const fresh = over.entries.filter((entry) => entryOf(under, entry.key) === undefined);
  return { kind: "map", entries: [...entries, ...fresh], offset: over.offset };
}

function readDocument(
  map: MapNode,
  source: Source,
  reading: Reading & { readonly lenient: boolean },
): Draft | undefined {
  const header = headerOf(map, source);
  const base = { at: source.at(map.offset), place: source.at, lenient: reading.lenient };
  const sections = ["detection", "correlation", "filter"].filter(
    (key) => entryOf(map, key) !== undefined,
  );
  if (sections.length !== 1) {
    source.problem(
      "rule.document",
      map.offset,
      sections.length === 0
        ? "the document has no detection, no correlation and no filter; a rule has one of them"
        : `the document has ${sections.join(" and ")}; write a document for each`,
    );
    return undefined;
  }
  refuseTelling(map, source);
  const correlation = entryOf(map, "correlation");
  if (correlation !== undefined) {
    const body = correlationOf(correlation.value, reading.inventory, source);
    if (body !== undefined && correlation.value.kind === "map")
      checkEscalate(correlation.value, header?.level, source);
    return header && body && { ...base, header, kind: "correlation", body };
  }
  const logsource = logSourceOf(map, source);
  const section = entryOf(map, "detection") ?? entryOf(map, "filter");
  if (section === undefined || section.value.kind !== "map") {
    source.problem(
      "rule.document",
      section?.value.offset ?? map.offset,
      `${sections[0]} must be a map`,
    );
    return undefined;
  }
  const context = contextOf(logsource ?? {}, source, reading);
  if (section.key === "detection") {
    const condition = detectionOf(section.value, context);
    return (
      header &&
      logsource &&
      condition && { ...base, header, kind: "detection", body: { logsource, condition } }
    );
  }
  const rules = filteredRules(section.value, source);
  const condition = detectionOf(section.value, context, ["rules"]);
  return (
    header &&
    logsource &&
    condition &&
    rules && { ...base, header, kind: "filter", body: { logsource, rules, condition } }
  );
}

function contextOf(logsource: LogSource, source: Source, reading: Reading): ReadingContext {
  const fields = new Map<string, EventField>();
  return {
    source,
    placeholders: reading.placeholders,
    mapField: (name) => {
      const known = fields.get(name) ?? reading.mapField(logsource, name);
      fields.set(name, known);
      return known;
    },
  };
}

function filteredRules(section: MapNode, source: Source): readonly Reference[] | "any" | undefined {
  const value = entryOf(section, "rules")?.value;
  if (value?.kind === "scalar" && value.value === "any") return "any";
  const items = value?.kind === "list" ? value.items : [];
  if (items.length === 0) {
    source.problem(
      "rule.filter",
      value?.offset ?? section.offset,
      "rules must list the ids or names of the rules to filter, or say any",
    );
    return undefined;
  }
  return items.flatMap((item) =>
    textsIn(item, "rules", source).map((text) => ({ text, offset: item.offset })),
  );
}

// mappings.ts — the mappings in force: the paths of a rule's field, and the log sources of an event.
//
// In:    mapping files, those of the configuration before those that ship with Wache.
// Out:   for a rule's log source and a field's name the event's paths, likeliest first; for an event its log sources.
// Holds: a field that no mapping knows stands where its name says; the same files give the same answers.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "./config-schema.ts";
import { UserError } from "./errors.ts";
import type { LogSource } from "./event.ts";
import { isJoined, withParts } from "./joined-path.ts";
import { type LogSourceReader, logSourceReader } from "./log-sources.ts";
import {
  type Mapping,
  type MappingProblem,
  type MappingText,
  readMappingFile,
} from "./mapping-file.ts";
import { withMoved } from "./moved-fields.ts";
import { packageRoot } from "./package-root.ts";
import { pathFault } from "./path-fault.ts";

export type MappedField = {
  readonly name: string;
  readonly paths: readonly string[];
  /** By a value that rules ask for, in lower case: what events may hold in its place. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
};
export type Mappings = {
  /** Where a field stands in the events that rules of this log source look at. */
  readonly field: (logsource: LogSource, name: string) => MappedField;
  /** Whether a mapping of this log source lists the field. */
  readonly isKnown: (logsource: LogSource, name: string) => boolean;
  /** Every field that the mappings of this log source list; empty where there is none. */
  readonly known: (logsource: LogSource) => readonly string[];
  readonly sourcesOf: LogSourceReader;
};

export const isYamlFile = (path: string): boolean => /\.ya?ml$/i.test(path);

/** The folders that mappings are read from: what stands in an earlier one goes first. */
export const mappingFolders = ({ correlator }: Pick<Config, "correlator">): readonly string[] => [
  ...correlator.mappings,
  shippedMappings(),
];

export const shippedMappings = (): string => join(packageRoot(), "mappings");

export function mappingsOf(files: readonly MappingText[]): {
  readonly mappings: Mappings;
  readonly problems: readonly MappingProblem[];
} {
  const read = files.map(readMappingFile);
  return {
    mappings: compiled(read.flatMap(({ mappings }) => mappings)),
    problems: read.flatMap(({ problems }) => problems),
  };
}

/** The mappings of these folders or files; a start with a fault in one is refused. */
export async function loadMappings(folders: readonly string[]): Promise<Mappings> {
  const files: MappingText[] = [];
  const faults: string[] = [];
  for (const folder of folders)
    try {
      for (const path of await filesOf(folder))
        files.push({ path, text: await readFile(path, "utf8") });
    } catch (error) {
      faults.push(`${folder}: ${pathFault(error, folder)}`);
    }
  const { mappings, problems } = mappingsOf(files);
  faults.push(...problems.map(({ at, message }) => `${at}: ${message}`));
  if (faults.length === 0) return mappings;
  const shown = faults.slice(0, FAULTS_SHOWN_MAX).map((fault) => `\n  ${fault}`);
  throw new UserError(
    "mappings.refused",
    `the mapping files are refused:${shown.join("")}\nmend them, or correct correlator.mappings`,
    { exitCode: 1 },
  );
}

const FAULTS_SHOWN_MAX = 20;

async function filesOf(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && isYamlFile(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function compiled(all: readonly Mapping[]): Mappings {
  const applied = new Map<string, readonly Mapping[]>();
  const mappingsFor = (logsource: LogSource): readonly Mapping[] => {
    const key = nameOf(logsource);
    const known = applied.get(key) ?? applicable(all, logsource);
    applied.set(key, known);
    return known;
  };
  const fields = new Map<string, MappedField>();
  return {
    field: (logsource, name) => {
      const key = `${nameOf(logsource)}\n${name}`;
      const field = fields.get(key) ?? fieldIn(mappingsFor(logsource), name);
      fields.set(key, field);
      return field;
    },
    isKnown: (logsource, name) => mappingsFor(logsource).some((one) => lists(one, name)),
    known: (logsource) => [...new Set(mappingsFor(logsource).flatMap(listed))].sort(),
    sourcesOf: logSourceReader(
      all.flatMap((mapping) =>
        mapping.sources.map(({ when, are }) => ({
          are,
          when: Object.entries(when).map(([name, values]) => ({
            paths: pathsIn([mapping], name),
            values,
          })),
        })),
      ),
    ),
  };
}

const nameOf = ({ product, category, service }: LogSource): string =>
  `${product ?? ""}\u0001${category ?? ""}\u0001${service ?? ""}`;

const KEYS = ["product", "category", "service"] as const;

/** The mappings whose log source covers the rule's, the narrowest first. */
function applicable(all: readonly Mapping[], logsource: LogSource): readonly Mapping[] {
  const narrowness = (mapping: Mapping): number =>
    Math.max(
      ...mapping.for
        .filter((one) => KEYS.every((key) => one[key] === undefined || one[key] === logsource[key]))
        .map((one) => Object.keys(one).length),
    );
  return all
    .map((mapping) => ({ mapping, narrow: narrowness(mapping) }))
    .filter(({ narrow }) => narrow >= 0)
    .sort((a, b) => b.narrow - a.narrow)
    .map(({ mapping }) => mapping);
}

function fieldIn(mappings: readonly Mapping[], name: string): MappedField {
  const values: Record<string, readonly string[]> = {};
  for (const mapping of mappings)
    if (Object.hasOwn(mapping.values, name))
      for (const [asked, held] of Object.entries(mapping.values[name] ?? {})) {
        const folded = asked.toLowerCase();
        values[folded] = [...(values[folded] ?? []), ...held];
      }
  const paths = pathsIn(mappings, name);
  return Object.keys(values).length === 0 ? { name, paths } : { name, paths, values };
}

/** A mapping that gives a field's own name a place among its paths decides; then come all in turn. */
function pathsIn(mappings: readonly Mapping[], name: string): readonly string[] {
  const decided = mappings
    .map(({ fields }) => ownOf(fields, name))
    .filter((own) => own.includes(name));
  const paths = mappings.flatMap(({ fields, names, forms }) => [
    ...[name, ...ownOf(names, name)].flatMap((one) => forms.map((form) => inForm(form, one))),
    ...ownOf(fields, name),
  ]);
  const all = paths.length === 0 ? [name] : [...decided.flat(), ...paths];
  return [...new Set(withMoved(all))];
}

/** Where the name stands in a form; of a joined one each part. */
const inForm = (form: string, name: string): string =>
  isJoined(name)
    ? withParts(name, (part) => inForm(form, part))
    : form.replace(/\{(camel)?\}/g, (_whole, camel) =>
        camel === undefined ? name : name.charAt(0).toLowerCase() + name.slice(1),
      );

const ownOf = (record: Mapping["fields"], name: string): readonly string[] =>
  Object.hasOwn(record, name) ? (record[name] ?? []) : [];

const lists = ({ fields, names, plain }: Mapping, name: string): boolean =>
  Object.hasOwn(fields, name) || Object.hasOwn(names, name) || plain.includes(name);

const listed = ({ fields, names, plain }: Mapping): string[] => [
  ...Object.keys(fields),
  ...Object.keys(names),
  ...plain,
];

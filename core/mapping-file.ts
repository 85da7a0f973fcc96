// mapping-file.ts — reads mapping files: where the fields that rules name stand in events, and what tells an event's log sources.
//
// In:    the text of a file: one mapping a document.
// Out:   mappings as plain data, or every fault with its file, line and column.
// Why:   every value is text, so that `EventID: [1]` and `EventID: ["1"]` mean the same.

import { type Static, Type } from "typebox";
import { LineCounter, parseAllDocuments } from "yaml";
import { offsetOf } from "./config.ts";
import { checkConfig, type Fault, type Resolver, type SchemaNode } from "./config-check.ts";
import { messageOf } from "./errors.ts";

const closed = { additionalProperties: false } as const;
const word = Type.String({ minLength: 1 });
const logSource = Type.Object(
  {
    product: Type.Optional(word),
    category: Type.Optional(word),
    service: Type.Optional(word),
  },
  closed,
);
const texts = Type.Array(word, { minItems: 1 });
const byField = (description: string) =>
  Type.Record(Type.String({ pattern: "^.{1,256}$" }), texts, { default: {}, description });

/** One document of a mapping file. */
const mappingSchema = Type.Object(
  {
    for: Type.Array(logSource, {
      default: [],
      description: "rules of which log sources read their fields by this",
    }),
    forms: Type.Array(Type.String({ pattern: "\\{\\}" }), {
      default: ["{}"],
      description: "where every field of them may stand; {} is its name",
    }),
    names: byField("further names of a field in these forms"),
    fields: byField("further paths of a field; where its own name is among them, in that order"),
    plain: Type.Array(word, {
      default: [],
      description: "fields that are known and stand only where the forms say",
    }),
    sources: Type.Array(
      Type.Object(
        {
          when: Type.Record(Type.String({ pattern: "^.{1,256}$" }), texts, {
            description: "fields and the values of which each must have one; a * stands at an end",
          }),
          are: Type.Array(logSource, { minItems: 1, description: "what such an event belongs to" }),
        },
        closed,
      ),
      { default: [], description: "what an event's fields say of its log sources" },
    ),
  },
  closed,
);

export type Mapping = Static<typeof mappingSchema>;
export type MappingProblem = {
  readonly code: string;
  readonly at: string; // file:line:column
  readonly message: string;
};
export type MappingText = { readonly path: string; readonly text: string };

const ALIASES_MAX = 100;
const CHARS_MAX = 1024 * 1024;

export function readMappingFile({ path, text }: MappingText): {
  readonly mappings: readonly Mapping[];
  readonly problems: readonly MappingProblem[];
} {
  const mappings: Mapping[] = [];
  const problems: MappingProblem[] = [];
  const lines = new LineCounter();
  const problem = (offset: number, message: string): void => {
    const { line, col } = lines.linePos(offset);
    problems.push({ code: "mappings.refused", at: `${path}:${line}:${col}`, message });
  };
  if (text.length > CHARS_MAX) {
    problem(0, `the file is longer than ${CHARS_MAX} characters; write several`);
    return { mappings, problems };
  }
  const options = { lineCounter: lines, prettyErrors: false, schema: "failsafe" } as const;
  const documents = parseAllDocuments(text, options);
  if (!Array.isArray(documents)) return { mappings, problems }; // an empty file
  for (const document of documents) {
    const broken = [...document.errors, ...document.warnings];
    for (const error of broken) problem(error.pos[0], error.message);
    if (broken.length > 0) continue;
    const start = document.contents?.range?.[0] ?? 0;
    try {
      const given = document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown;
      const schema = mappingSchema as unknown as SchemaNode;
      const { value, faults } = checkConfig(schema, given, AS_WRITTEN);
      const all = faults.length > 0 ? faults : whenFaults(value as Mapping);
      for (const fault of all)
        problem(
          fault.path.length === 0 ? start : offsetOf(document, fault),
          `${fault.path.join(".") || "the mapping"} ${fault.text}`,
        );
      if (all.length === 0) mappings.push(value as Mapping);
    } catch (error) {
      problem(start, messageOf(error)); // aliases that stand for nothing, or for too much
    }
  }
  return { mappings, problems };
}

/** What could select no event, or not those that are meant. */
function whenFaults({ sources }: Mapping): readonly Fault[] {
  return sources.flatMap(({ when }, place) => {
    const path = ["sources", place, "when"];
    const fields = Object.entries(when);
    if (fields.length === 0)
      return [{ path, atKey: false, text: "is empty: name a field and its values" }];
    return fields.flatMap(([name, values]) =>
      values.flatMap((value, at) =>
        /^(\*|\*?[^*]+\*?)$/.test(value)
          ? []
          : [
              {
                path: [...path, name, at],
                atKey: false,
                text: `is ${JSON.stringify(value)}; a * stands at an end, or alone for any value`,
              },
            ],
      ),
    );
  });
}

const AS_WRITTEN: Resolver = {
  substitute: (text) => ({ text }),
  readSecret: () => ({ fault: "is not a secret" }),
  absolute: (path) => path,
};

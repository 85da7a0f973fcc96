// mapping-file.ts — reads mapping files: where the fields that rules name stand in events, and what tells an event's log sources.
//
// In:    the text of a file: one mapping a document.
// Out:   mappings as plain data, or every fault with its file, line and column.
// Why:   every value is text, so that `EventID: [1]` and `EventID: ["1"]` mean the same.

import { type Static, Type } from "typebox";
import { checkedDocuments } from "./checked-yaml.ts";
import type { Fault } from "./config-check.ts";
import { isJoined } from "./joined-path.ts";
import { stepFault } from "./path-steps.ts";

const closed = { additionalProperties: false } as const;
const word = Type.String({ minLength: 1 });
export const logSourceSchema = Type.Object(
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
const alternatives = Type.Record(Type.String({ pattern: "^.{0,256}$" }), texts);

/** One document of a mapping file. */
const mappingSchema = Type.Object(
  {
    for: Type.Array(logSourceSchema, {
      default: [],
      description: "rules of which log sources read their fields by this",
    }),
    forms: Type.Array(Type.String({ pattern: "\\{(camel)?\\}" }), {
      default: ["{}"],
      description:
        "where every field of them may stand; {} is its name, {camel} that with a small first letter",
    }),
    names: byField("further names of a field in these forms"),
    fields: byField("further paths of a field; where its own name is among them, in that order"),
    values: Type.Record(Type.String({ pattern: "^.{1,256}$" }), alternatives, {
      default: {},
      description: "of a field, what events hold in the place of a value that rules ask for",
    }),
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
          are: Type.Array(logSourceSchema, {
            minItems: 1,
            description: "what such an event belongs to",
          }),
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

export function readMappingFile(file: MappingText): {
  readonly mappings: readonly Mapping[];
  readonly problems: readonly MappingProblem[];
} {
  const as = { name: "the mapping", scalars: "failsafe", faultsOf } as const;
  const documents = checkedDocuments(file, mappingSchema, as);
  return {
    mappings: documents.flatMap(({ value, faults }) =>
      faults.length === 0 ? [value as Mapping] : [],
    ),
    problems: documents.flatMap(({ faults }) =>
      faults.map(({ at, message }) => ({ code: "mappings.refused", at, message })),
    ),
  };
}

const faultsOf = (mapping: unknown): readonly Fault[] => [
  ...pathFaults(mapping as Mapping, "names"),
  ...pathFaults(mapping as Mapping, "fields"),
  ...whenFaults(mapping as Mapping),
];

/** Paths with braces or brackets that mean nothing, and would be names. */
const pathFaults = (mapping: Mapping, key: "names" | "fields"): readonly Fault[] =>
  Object.entries(mapping[key]).flatMap(([name, paths]) =>
    paths.flatMap((path, place) => {
      const text = joinFault(path) ?? (key === "fields" ? stepFault(path) : undefined);
      return text === undefined ? [] : [{ path: [key, name, place], atKey: false, text }];
    }),
  );

const joinFault = (path: string): string | undefined =>
  !/[{}]/.test(path) || isJoined(path)
    ? undefined
    : `is ${JSON.stringify(path)}; paths are joined as {a}, a text, {b}`;

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

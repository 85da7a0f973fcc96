// rule-test-file.ts — reads the test that stands beside a rule, as strictly as the rule itself.
//
// In:    the text of `<name>.test.yml`: what is in every event, and cases (docs/rules.md, "A test").
// Out:   its cases in order; one that has problems is not to be run. What is wrong with the file is wrong with each of them.
// Holds: there is at least one case, so that a test of nothing is seen to fail.
import { type Static, Type } from "typebox";
import { type CheckedFault, checkedDocuments } from "../core/checked-yaml.ts";
import type { Json } from "../core/json.ts";
import { logSourceSchema } from "../core/mapping-file.ts";
import { LEVELS } from "../core/records.ts";
import type { Problem } from "./sigma/rule.ts";

const closed = { additionalProperties: false } as const;
const optional = Type.Optional;
const text = Type.String({ minLength: 1 });
const repeatMax = 100_000;
const yearS = 31_536_000;

/** An event has any fields; the log sources that it names choose its rules. */
const event = Type.Object(
  {
    wache: optional(
      Type.Object(
        { sources: optional(Type.Array(logSourceSchema)) },
        { additionalProperties: true },
      ),
    ),
  },
  { additionalProperties: true, description: "the fields of an event" },
);
const seconds = Type.Number({ minimum: -yearS, maximum: yearS });
const finding = Type.Object(
  {
    rule: Type.String({ minLength: 1, description: "the name of a rule, else its id" }),
    group: optional(Type.Record(Type.String({ pattern: "" }), Type.String())),
    count: Type.Integer({ minimum: 0 }),
    level: optional(Type.Union(LEVELS.map((level) => Type.Literal(level)))),
    suppressed: optional(Type.Integer({ minimum: 0 })),
  },
  closed,
);
const testCase = Type.Object(
  {
    name: text,
    events: Type.Array(
      Type.Object(
        {
          at: optional(seconds),
          repeat: optional(Type.Integer({ minimum: 1, maximum: repeatMax })),
          everyS: optional(Type.Number({ minimum: 0, maximum: yearS })),
          event,
        },
        closed,
      ),
      { description: "a list of { at, event }" },
    ),
    until: optional(seconds),
    findings: Type.Array(finding, {
      description: "a list of { rule, group, count }, [] where there must be none",
    }),
  },
  closed,
);
const testFile = Type.Object(
  {
    events: optional(event),
    cases: Type.Array(testCase, { description: "a list of { name, events, findings }" }),
  },
  closed,
);

export type FindingWanted = {
  readonly rule: string;
  readonly group?: Readonly<Record<string, string>>; // this and those below: compared where the test names it
  readonly count: number;
  readonly level?: string;
  readonly suppressed?: number;
};
export type TestCase = Static<typeof testCase>;
export type ReadCase = { readonly name: string } & (
  | { readonly problems: readonly Problem[] }
  | { readonly problems?: never; readonly test: TestCase }
);
export type TestFile = { readonly events: Json; readonly cases: readonly ReadCase[] };

export function readTestFile(file: { readonly path: string; readonly text: string }): TestFile {
  const as = { name: "the test", scalars: "core" } as const;
  const [document, second] = checkedDocuments(file, testFile, as);
  const value = (document?.value ?? {}) as {
    readonly events?: Json;
    readonly cases?: readonly (TestCase | undefined)[];
  };
  const faults = document?.faults ?? [];
  const cases = value.cases ?? [];
  const ofFile = faults.filter(({ path }) => path[0] !== "cases" || path[1] === undefined);
  const problems = ofFile.map(problemOf);
  if (second !== undefined)
    problems.push(refusal(second.at, "a second document; a test is one, with all cases"));
  if (cases.length === 0 && problems.length === 0)
    problems.push(
      refusal(
        document?.at ?? `${file.path}:1:1`,
        "has no cases; write [{ name, events, findings }]",
      ),
    );
  const read = cases.map((test, index): ReadCase => {
    const own = faults.filter(({ path }) => path[0] === "cases" && path[1] === index);
    const all = [...problems, ...own.map(problemOf)];
    const name = test?.name ?? `case ${index + 1}`;
    return test === undefined || all.length > 0 ? { name, problems: all } : { name, test };
  });
  return {
    events: value.events ?? {},
    cases: read.length > 0 ? read : [{ name: "the whole file", problems }],
  };
}

const problemOf = ({ at, message }: CheckedFault): Problem => refusal(at, message);

export const refusal = (at: string, message: string): Problem => ({
  code: "rule-test.refused",
  at,
  message,
});

// schema.ts — the JSON schema of a rule document, for editors: Sigma 2.1's rules, correlations and filters, and what Wache adds.
//
// Why:   an editor tells of a fault while it is typed. What a rule means is load.ts's to judge: a schema cannot know it.
import { type TSchema, Type } from "typebox";
import { CRITICALITIES } from "../../core/assets.ts";
import { LEVELS, WEEKDAYS } from "../../core/records.ts";
import { TYPES } from "./correlation.ts";
import { OPERATORS } from "./correlation-condition.ts";
import { DAY, RELATIONS, STATUSES } from "./header.ts";
import { MODIFIERS } from "./modifiers.ts";

const closed = { additionalProperties: false } as const;
const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);
const text = (description: string, maxLength = 65_535) =>
  Type.String({ minLength: 1, maxLength, description });
const words = (all: readonly string[], description: string) => Type.Enum([...all], { description });
const texts = (description: string) =>
  Type.Union([Type.Array(Type.String()), Type.String()], { description });
const day = (description: string) => Type.String({ pattern: DAY, description });

const scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);
const values = Type.Union([scalar, Type.Array(scalar)]);

/** Sigma allows further keys of one's own beside these. */
const header = {
  title: text("what the rule finds, in a line", 256),
  id: optional(
    text("a UUID that is the rule's own for ever: findings and references name it", 256),
  ),
  name: optional(text("a short name by which correlations and filters refer to the rule", 256)),
  status: optional(words(STATUSES, "how far the rule has been tried")),
  description: optional(
    text("what the person on call reads first: what happened, and what to do next"),
  ),
  level: optional(words(LEVELS, "the incident's severity; it chooses the route")),
  author: optional(text("who wrote it")),
  license: optional(text("an SPDX id")),
  date: optional(day("when it was written: YYYY-MM-DD")),
  modified: optional(day("when it was last changed: YYYY-MM-DD")),
  references: optional(texts("where it comes from")),
  tags: optional(
    Type.Array(Type.String({ pattern: "^[a-z0-9_-]+\\.[A-Za-z0-9._-]+$" }), {
      uniqueItems: true,
      description: "namespace.word, as in attack.t1110",
    }),
  ),
  fields: optional(texts("fields that an analyst wants to see")),
  falsepositives: optional(texts("what else may look like this")),
  scope: optional(texts("where the rule is meant to be used")),
  taxonomy: optional(text("how the fields are named; sigma unless told", 256)),
  related: optional(
    Type.Array(
      Type.Object({
        id: Type.String({ minLength: 1 }),
        type: words(RELATIONS, "how they are related"),
      }),
      { description: "rules that this one comes from or replaces" },
    ),
  ),
  generate: optional(
    Type.Boolean({
      description:
        "a detection: also a match by itself is a finding, although a correlation counts it; a correlation: so are the matches that it counts",
    }),
  ),
};

const logsource = Type.Object(
  {
    product: optional(Type.String({ description: "such as windows or linux" })),
    category: optional(Type.String({ description: "such as process_creation or webserver" })),
    service: optional(Type.String({ description: "such as sshd or security" })),
    definition: optional(Type.String({ description: "what must be switched on for these logs" })),
  },
  { description: "which events the rule looks at" },
);

/** `Field|contains|all: [a, b]`; without a field the value is a keyword. */
const items = Type.Record(
  Type.String({ pattern: `^[^|]*(\\|(${MODIFIERS.join("|")}))*$` }),
  values,
  {
    minProperties: 1,
    ...closed,
    description: `field|modifier; modifiers are ${MODIFIERS.join(", ")}`,
  },
);
const selection = Type.Union(
  [items, scalar, Type.Array(Type.Union([items, scalar, Type.Array(scalar)]), { minItems: 1 })],
  {
    description: "fields with values (all must hold), or a list of them or of keywords (one must)",
  },
);
const condition = Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String())], {
  description: "how the selections combine: and, or, not, parentheses, 1 of sel*, all of them",
});

const detectionRule = Type.Object({
  ...header,
  logsource,
  detection: Type.Object({ condition }, { additionalProperties: selection }),
});

const filterRule = Type.Object({
  ...header,
  logsource,
  filter: Type.Object(
    {
      rules: Type.Union(
        [Type.Literal("any"), Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })],
        { description: "ids or names of the rules that are filtered, or any" },
      ),
      condition,
    },
    { additionalProperties: selection },
  ),
});

const span = (description: string) =>
  Type.String({ pattern: "^[0-9]+[smhd]$", description: `${description}, as in 30s, 5m, 1h, 7d` });
const deadline = Type.Object(
  {
    by: Type.String({
      pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$",
      description: 'a time of day, as in "04:00"',
    }),
    timezone: optional(text("an IANA time zone, as in Europe/Berlin; UTC unless told", 64)),
    days: optional(
      Type.Array(words(WEEKDAYS, "a day of the week"), {
        minItems: 1,
        description: "every day unless told",
      }),
    ),
  },
  { ...closed, description: "absence: one must have come by then, within the timespan before it" },
);
const numbers = Object.fromEntries(OPERATORS.map((word) => [word, optional(Type.Number())]));
const comparison = Type.Object(
  {
    ...numbers,
    field: optional(
      texts(
        "value_*: the fields whose distinct values count, or the one whose numbers are added up, averaged or ranked",
      ),
    ),
    percentile: optional(
      Type.Number({
        minimum: 0,
        maximum: 100,
        description:
          "value_percentile: which one is compared; without it, the share in percent of a value among all",
      }),
    ),
  },
  { ...closed, minProperties: 1, description: "as in gte: 10; several must all hold" },
);
const ruleNames = Type.String({
  minLength: 1,
  description: "temporal, temporal_ordered: and, or, not and parentheses over the rules' names",
});
const tag = Type.Union([Type.String({ minLength: 1 }), Type.Number(), Type.Boolean()]);
const assets = Type.Union(
  [
    Type.Literal("all"),
    Type.Object(
      {
        tags: optional(
          Type.Union([Type.Array(tag, { minItems: 1 }), tag], {
            description: "all of which it has",
          }),
        ),
        criticality: optional(words(CRITICALITIES, "this one and those above")),
      },
      { ...closed, minProperties: 1 },
    ),
  ],
  { description: "assets of the files that correlator.assets names" },
);
const higher = words(LEVELS, "higher than the rule's");
const correlation = Type.Object(
  {
    type: words(TYPES, "what is counted or compared"),
    rules: optional(
      texts(
        "ids or names of the rules that are counted; a condition over names may stand without it",
      ),
    ),
    "group-by": optional(texts("a window for each value of these fields")),
    timespan: optional(
      span("how long a window is; of an absence: within what the next one must come"),
    ),
    condition: optional(Type.Union([comparison, ruleNames])),
    aliases: optional(
      Type.Record(Type.String(), Type.Record(Type.String(), Type.String()), {
        description: "a name for fields that the rules name differently: rule to field",
      }),
    ),
    generate: optional(
      Type.Boolean({ description: "the matches of the rules that it refers to are findings too" }),
    ),
    deadline: optional(deadline),
    expected: optional(
      Type.Union(
        [
          Type.Array(Type.Union([scalar, Type.Array(scalar), Type.Record(Type.String(), scalar)]), {
            minItems: 1,
            maxItems: 1000,
          }),
          Type.Object({ assets }, closed),
        ],
        {
          description:
            "absence: groups that are always awaited; for several group-by fields lists or maps of them",
        },
      ),
    ),
    rememberFor: optional(span("absence: a group that was seen is awaited as long")),
    suppress: optional(
      span("an episode that ends within it after the last event of one that was told is not told"),
    ),
    escalate: optional(
      Type.Array(
        Type.Union([
          Type.Object({ count: Type.Integer({ minimum: 1 }), level: higher }, closed),
          Type.Object({ assets, level: higher }, closed),
        ]),
        {
          minItems: 1,
          description:
            "the level from a count on, where both rise from line to line, or of what is about an asset",
        },
      ),
    ),
  },
  {
    ...closed,
    anyOf: [{ required: ["timespan"] }, { required: ["deadline"] }],
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
    then: { not: { required: ["suppress"] } },
    if: { properties: { type: { const: "absence" } } },
    else: {
      not: {
        anyOf: [
          { required: ["deadline"] },
          { required: ["expected"] },
          { required: ["rememberFor"] },
        ],
      },
    },
  },
);
const correlationRule = Type.Object({ ...header, correlation });

/** A document that is laid over those that follow it. A schema sees one at a time: what they leave to it, they lack here. */
const actionDocument = Type.Object({ action: words(["global", "reset", "repeat"], "") });

const having = (key: string) => ({ type: "object", required: [key] });
export const ruleSchema: object = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "A Sigma rule, as Wache reads it",
  // Chosen by the key that is there, so that an editor tells of the fault and not of every form.
  if: having("action"),
  // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
  then: actionDocument,
  else: {
    if: having("correlation"),
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
    then: correlationRule,
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
    else: { if: having("filter"), then: filterRule, else: detectionRule },
  },
};

// schemas.ts — what the API's answers look like: events, findings, incidents, rules, as OpenAPI shows them.
import { type TSchema, Type } from "typebox";
import { LEVELS } from "../core/records.ts";
import { ROLES } from "./auth/permissions.ts";
import { errorSchema } from "./errors.ts";

/** The answer of a route, and the refusals that every route may give. */
export function answers(schema: TSchema, status = 200): Record<string, TSchema> {
  return {
    [status]: schema,
    "4xx": errorSchema,
    "5xx": errorSchema,
  };
}

const words = <T extends string>(list: readonly T[]) =>
  Type.Union(list.map((word) => Type.Literal(word)));
const open = { additionalProperties: true } as const;
const ms = (description: string) => Type.Integer({ description: `${description}, ms since 1970` });

export const levelSchema = words(LEVELS);
export const statusSchema = words(["open", "acknowledged", "closed"] as const);

export const idParams = Type.Object(
  { id: Type.String({ minLength: 1, maxLength: 512 }) },
  { additionalProperties: false },
);
export const pageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
  cursor: Type.Optional(
    Type.String({ maxLength: 4096, description: "from the page before; the same query again" }),
  ),
};
export const queryText = Type.Optional(
  Type.String({
    maxLength: 4096,
    description: 'e.g. source.ip:10.0.0.0/8 AND event.outcome:failure "sudo"',
  }),
);

export const pageOf = (item: TSchema) =>
  Type.Object({
    items: Type.Array(item),
    cursor: Type.Optional(Type.String({ description: "for the next page; absent on the last" })),
    total: Type.Optional(Type.Integer()),
  });

export const roleSchema = words(ROLES);
export const accountSchema = Type.Object({
  name: Type.String(),
  role: roleSchema,
  by: words(["session", "token", "machine"] as const),
});

export const tokenSchema = Type.Object({
  id: Type.String(),
  name: Type.String(),
  role: roleSchema,
  createdMs: ms("made"),
  expiresMs: Type.Optional(ms("holds until")),
  revokedMs: Type.Optional(ms("revoked")),
});

export const eventSchema = Type.Object(
  {
    "@timestamp": Type.String({ format: "date-time" }),
    message: Type.Optional(Type.String()),
    event: Type.Object({ id: Type.String() }, open),
    wache: Type.Object({ stream: Type.String() }, open),
  },
  { ...open, description: "an ECS document" },
);

export const deadLetterSchema = Type.Object(
  {
    id: Type.String(),
    source: Type.String({ description: "a collector's source, or the record's key" }),
    reason: Type.String({ description: "for people" }),
    code: Type.String({ description: "stable" }),
    atMs: ms("given up"),
    from: Type.Optional(
      Type.Object(
        { topic: Type.String(), partition: Type.Integer(), offset: Type.Integer() },
        { description: "the record that a stage could not process; absent: a collector's line" },
      ),
    ),
    raw: Type.String({ description: "the line, or the record's JSON" }),
    encoding: words(["utf8", "base64"] as const),
  },
  open,
);

export const ruleSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.Optional(Type.String()),
    title: Type.String(),
    level: levelSchema,
    description: Type.Optional(Type.String()),
    tags: Type.Array(Type.String()),
    references: Type.Optional(Type.Array(Type.String())),
    falsepositives: Type.Optional(Type.Array(Type.String())),
  },
  open,
);

const group = Type.Record(Type.String(), Type.String());

export const findingSchema = Type.Object(
  {
    id: Type.String(),
    revision: Type.Integer(),
    fingerprint: Type.String(),
    stream: Type.String(),
    rule: ruleSchema,
    group,
    firstMs: ms("the first event"),
    lastMs: ms("the last event"),
    count: Type.Integer(),
    evidence: Type.Array(Type.String({ description: "an event's id" })),
    supersedes: Type.Optional(
      Type.Array(Type.String(), { description: "ids of earlier findings that this one took in" }),
    ),
    supersededBy: Type.Optional(
      Type.String({
        description: "the id of the finding that took this one in; what counts has no such",
      }),
    ),
    withdrawn: Type.Optional(
      Type.Boolean({ description: "told before it was seen that suppression covers it" }),
    ),
    bounded: Type.Optional(
      Type.Boolean({
        description: "a bound was reached, and matches may be missing: the count is a lower one",
      }),
    ),
    backfilled: Type.Optional(
      Type.Boolean({ description: "found in stored events, later than live would have" }),
    ),
    suppressed: Type.Optional(
      Type.Integer({ description: "further episodes of the group that are not told" }),
    ),
    absence: Type.Optional(
      Type.Object(
        {
          what: Type.Array(Type.String(), { description: "what did not come" }),
          sinceMs: Type.Optional(ms("the last one that came")),
          dueMs: ms("when one should have come at the latest"),
          endedMs: Type.Optional(ms("when one came again, or was no longer awaited")),
        },
        open,
      ),
    ),
  },
  open,
);

const timelineSchema = Type.Object({
  atMs: ms("when"),
  kind: words([
    "opened",
    "finding",
    "acknowledged",
    "assigned",
    "commented",
    "closed",
    "raised",
  ] as const),
  by: Type.Optional(Type.String()),
  text: Type.String(),
  ref: Type.Optional(Type.String({ description: "the finding's or command's id" })),
});

export const incidentSchema = Type.Object(
  {
    id: Type.String(),
    revision: Type.Integer(),
    status: statusSchema,
    title: Type.String(),
    severity: levelSchema,
    replay: Type.Boolean({ description: "from an import of old logs" }),
    stream: Type.String(),
    rule: ruleSchema,
    group,
    firstMs: ms("the first event"),
    lastMs: ms("the last event"),
    count: Type.Integer(),
    openedMs: ms("opened"),
    updatedMs: ms("last changed"),
    assignee: Type.Optional(Type.String()),
    findings: Type.Array(findingSchema),
    timeline: Type.Array(timelineSchema),
  },
  open,
);

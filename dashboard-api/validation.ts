// validation.ts — checks requests against their TypeBox schemas: unknown fields are refused, never dropped quietly.
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Value } from "typebox/value";

export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  // Query strings and paths carry text only: `limit=20` is a number there, never in a body.
  const isText = httpPart !== "body";
  return (data: unknown) => {
    const filled = Value.Default(schema, structuredClone(data ?? {}));
    const value = isText ? Value.Convert(schema, filled) : filled;
    if (check.Check(value)) return { value };
    return { error: new Error(explain(check.Errors(value), httpPart ?? "request", schema)) };
  };
};

type Failure = {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: unknown;
  readonly message: string;
};

function explain(failures: readonly Failure[], part: string, schema: TSchema): string {
  const where = part === "querystring" ? "query" : part;
  const unknown = failures.find((failure) => failure.keyword === "additionalProperties");
  if (unknown !== undefined) {
    const { additionalProperties } = unknown.params as { additionalProperties: readonly string[] };
    return `${where}: ${additionalProperties.slice(0, 5).join(", ").slice(0, 200)} is not known here; leave it out`;
  }
  const allowed = failures
    .filter((failure) => failure.keyword === "const")
    .map((failure) => String((failure.params as { allowedValue: unknown }).allowedValue));
  const first = failures[0];
  const name = `${where}${first?.instancePath.replaceAll("/", ".") ?? ""}`;
  if (allowed.length > 0) return `${name} must be one of ${allowed.join(", ")}`;
  // A pattern is for machines: the field's description says the same in words.
  const words =
    first?.keyword === "pattern" ? descriptionOf(schema, first.instancePath) : undefined;
  if (words !== undefined) return `${name} is not as it must be: ${words}`;
  return `${name} ${first?.message ?? "is not what this route takes"}`;
}

function descriptionOf(schema: TSchema, path: string): string | undefined {
  let at: unknown = schema;
  for (const step of path.split("/").slice(1))
    at = (at as { properties?: Readonly<Record<string, unknown>> } | undefined)?.properties?.[step];
  return (at as { description?: string } | undefined)?.description;
}

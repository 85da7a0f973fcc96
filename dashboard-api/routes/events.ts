// events.ts — searching the kept events, and one event by its id.
import { type Static, Type } from "typebox";
import { notFoundAnyMore } from "../errors.ts";
import { answers, eventSchema, idParams, pageOf, pageQuery, queryText } from "../schemas.ts";
import type { Routes } from "./api-context.ts";
import { readQuery, readTime, timeText } from "./query.ts";

const query = Type.Object(
  {
    q: queryText,
    from: timeText("no event before this time"),
    to: timeText("no event after this time"),
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

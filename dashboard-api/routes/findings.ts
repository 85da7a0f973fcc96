// findings.ts — what the rules found, newest first.
import { type Static, Type } from "typebox";
import { notFoundAnyMore } from "../errors.ts";
import { answers, findingSchema, idParams, pageOf, pageQuery, queryText } from "../schemas.ts";
import type { Routes } from "./api-context.ts";
import { readQuery } from "./query.ts";

const query = Type.Object({ q: queryText, ...pageQuery }, { additionalProperties: false });
const tags = ["findings"];

export const findingRoutes: Routes = (api, { store }) => {
  api.get<{ Querystring: Static<typeof query> }>(
    "/findings",
    {
      schema: {
        tags,
        summary: "Findings, the latest event first",
        querystring: query,
        response: answers(pageOf(findingSchema)),
      },
    },
    async ({ query: { q, limit, cursor } }) => {
      const page = await store.searchDocuments("findings", {
        query: readQuery(q),
        limit,
        sort: "lastMs",
        ...(cursor === undefined ? {} : { cursor }),
      });
      return { ...page, items: page.items.map((item) => item.body) };
    },
  );
  api.get<{ Params: Static<typeof idParams> }>(
    "/findings/:id",
    {
      schema: { tags, summary: "One finding", params: idParams, response: answers(findingSchema) },
    },
    async ({ params: { id } }) => {
      const finding = await store.getDocument("findings", id);
      if (finding === undefined) throw notFoundAnyMore("finding");
      return finding.body;
    },
  );
};

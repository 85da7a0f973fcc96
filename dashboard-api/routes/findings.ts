// findings.ts — what the rules found, newest first.
import { type Static, Type } from "typebox";
import type { Document, Store } from "../../core/store/store.ts";
import { notFoundAnyMore } from "../errors.ts";
import { answers, findingSchema, idParams, pageOf, pageQuery, queryText } from "../schemas.ts";
import type { Routes } from "./api-context.ts";
import { readQuery } from "./query.ts";

const query = Type.Object(
  {
    q: queryText,
    superseded: Type.Optional(
      Type.Boolean({
        description:
          "true: only findings that a later one took in; false: only those that count, neither taken in nor withdrawn",
      }),
    ),
    ...pageQuery,
  },
  { additionalProperties: false },
);
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
    async ({ query: { q, superseded, limit, cursor } }) => {
      const page = await store.searchDocuments("findings", {
        query: readQuery(q),
        limit,
        sort: "lastMs",
        ...(cursor === undefined ? {} : { cursor }),
      });
      const items = await marked(store, page.items);
      const isWanted = ({ supersededBy, withdrawn }: Marked) =>
        superseded === undefined ||
        (superseded
          ? supersededBy !== undefined
          : supersededBy === undefined && withdrawn !== true);
      return { ...page, items: items.filter(isWanted) };
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
      const [item] = await marked(store, [finding]);
      return item;
    },
  );
};

type Marked = Document["body"] & { readonly supersededBy?: string };

/** A finding does not know what came after it: only its successor names it. */
async function marked(store: Store, findings: readonly Document[]): Promise<Marked[]> {
  const successors = await store.supersededBy(findings.map(({ id }) => id));
  return findings.map(({ id, body }) => {
    const supersededBy = successors.get(id);
    return { ...body, ...(supersededBy !== undefined && { supersededBy }) };
  });
}

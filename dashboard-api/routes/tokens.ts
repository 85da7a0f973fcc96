// tokens.ts — API tokens: made, listed and revoked by administrators, and by `wache token` on the machine.
import { type Static, Type } from "typebox";
import { ROLE_UNLESS_TOLD } from "../auth/permissions.ts";
import { createToken, listTokens, revokeToken, TOKEN_NAME_PATTERN } from "../auth/tokens.ts";
import { notFound } from "../errors.ts";
import { answers, idParams, roleSchema, tokenSchema } from "../schemas.ts";
import type { Routes } from "./api-context.ts";

const newToken = Type.Object(
  {
    name: Type.String({
      pattern: TOKEN_NAME_PATTERN,
      description:
        "for whom or what it is: 1 to 64 of letters, digits, dots, dashes, underscores and @",
    }),
    role: Type.Optional({ ...roleSchema, default: ROLE_UNLESS_TOLD }),
    expiresMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 8_640_000_000_000_000, // the last time that a Date has
        description: "ms since 1970; without it the token holds until revoked",
      }),
    ),
  },
  { additionalProperties: false },
);
const tags = ["accounts"];
const config = { needs: "administer" } as const;

export const tokenRoutes: Routes = (api, { store, clock }) => {
  api.post<{ Body: Static<typeof newToken> }>(
    "/tokens",
    {
      config,
      schema: {
        tags,
        summary: "Make an API token; this answer alone shows it",
        body: newToken,
        response: answers(
          Type.Object({ token: Type.String({ description: "wache_…" }), about: tokenSchema }),
          201,
        ),
      },
    },
    async (request, reply) =>
      reply.code(201).send(
        await createToken(store, {
          role: ROLE_UNLESS_TOLD,
          ...request.body,
          nowMs: clock.now(),
        }),
      ),
  );
  api.get(
    "/tokens",
    {
      config,
      schema: {
        tags,
        summary: "API tokens, without their secrets",
        response: answers(Type.Object({ items: Type.Array(tokenSchema) })),
      },
    },
    async () => ({ items: await listTokens(store) }),
  );
  api.delete<{ Params: Static<typeof idParams> }>(
    "/tokens/:id",
    {
      config,
      schema: {
        tags,
        summary: "Revoke a token",
        params: idParams,
        response: answers(Type.Null(), 204),
      },
    },
    async ({ params: { id } }, reply) => {
      if (!(await revokeToken(store, { id, nowMs: clock.now() })))
        throw notFound("token with this id that still holds");
      return reply.code(204).send();
    },
  );
};

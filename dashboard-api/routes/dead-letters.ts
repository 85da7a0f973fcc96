// dead-letters.ts — what could not be parsed or processed: listed with its reason, and put back once that is mended.
import { type Static, Type } from "typebox";
import { REPLAY_IDS_MAX } from "../../core/dead-letter-replay.ts";
import { accountOf } from "../auth/authenticate.ts";
import { answers, deadLetterSchema, pageOf, pageQuery } from "../schemas.ts";
import type { Routes } from "./api-context.ts";
import { readTime, timeText } from "./query.ts";

const query = Type.Object(
  {
    from: timeText("none that was given up before this time"),
    to: timeText("none that was given up after this time"),
    code: Type.Optional(Type.String({ maxLength: 100, description: "as in json.too-deep" })),
    ids: Type.Optional(
      Type.String({ maxLength: 32_768, description: "only these, with commas between them" }),
    ),
    ...pageQuery,
  },
  { additionalProperties: false },
);
const wish = Type.Object(
  {
    ids: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
      minItems: 1,
      maxItems: REPLAY_IDS_MAX,
    }),
  },
  { additionalProperties: false },
);
const outcome = Type.Object({
  id: Type.String(),
  replayed: Type.Boolean(),
  reason: Type.Optional(Type.String({ description: "why it was not" })),
});
const tags = ["dead letters"];

export const deadLetterRoutes: Routes = (api, { bus, log }) => {
  api.get<{ Querystring: Static<typeof query> }>(
    "/dead-letters",
    {
      schema: {
        tags,
        summary: "What could not be parsed or processed, newest first",
        querystring: query,
        response: answers(pageOf(deadLetterSchema)),
      },
    },
    async ({ query: { from, to, code, ids, limit, cursor } }) =>
      bus.deadLetters({
        ...{ limit, code, cursor },
        ...(from === undefined ? {} : { fromMs: readTime(from, "from") }),
        ...(to === undefined ? {} : { toMs: readTime(to, "to") }),
        ...(ids === undefined ? {} : { ids: new Set(ids.split(",")) }),
      }),
  );
  api.post<{ Body: Static<typeof wish> }>(
    "/dead-letters/replay",
    {
      config: { needs: "administer" },
      schema: {
        tags,
        summary: "Put records back to where a stage could not process them",
        body: wish,
        response: answers(Type.Object({ items: Type.Array(outcome) })),
      },
    },
    async (request) => {
      const items = await bus.replay(request.body.ids);
      const replayed = items.filter((item) => item.replayed).map(({ id }) => id);
      log.info(
        { by: accountOf(request).name, replayed, refused: items.length - replayed.length },
        "dead letters were replayed",
      );
      return { items };
    },
  );
};

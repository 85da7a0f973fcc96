// live.ts — the route of the live list.
import { Type } from "typebox";
import type { Authenticator } from "../auth/authenticate.ts";
import { answers } from "../schemas.ts";
import type { Routes } from "./api-context.ts";

export const liveRoutes =
  (authenticator: Authenticator): Routes =>
  (api, { live }) => {
    api.get(
      "/live",
      {
        exposeHeadRoute: false, // its body never ends
        schema: {
          tags: ["incidents"],
          summary: "Server-sent events: `incident` for each one that changes",
          response: answers(Type.String({ description: "text/event-stream" })),
        },
      },
      async (request, reply) => {
        const stream = live.listen(
          async () => (await authenticator.authenticate(request)) !== undefined,
        );
        request.raw.on("close", () => stream.destroy());
        return reply
          .header("content-type", "text/event-stream; charset=utf-8")
          .header("x-accel-buffering", "no")
          .send(stream);
      },
    );
  };

// web-files.ts — serves the page: its built files, and index.html for every path that the page itself knows.
import { existsSync } from "node:fs";
import { join } from "node:path";
import staticFiles from "@fastify/static";
import type { FastifyInstance } from "fastify";
import { ApiError, notFound } from "./errors.ts";

const OF_THE_PAGE = [
  "/",
  "/setup",
  "/sign-in",
  "/incidents/:id",
  "/search",
  "/rules",
  "/status",
  "/docs",
];

/** Beside this module, in a checkout as in the compiled package. */
export const webDir = (): string => join(import.meta.dirname, "web", "dist");

export async function serveWeb(scope: FastifyInstance, dir: string): Promise<void> {
  const isBuilt = existsSync(join(dir, "index.html"));
  if (isBuilt)
    await scope.register(staticFiles, {
      root: join(dir, "assets"),
      prefix: "/assets/",
      index: false,
      immutable: true,
      maxAge: "365d",
    });
  for (const path of OF_THE_PAGE)
    scope.get(path, { schema: { hide: true } }, (_request, reply) => {
      if (!isBuilt)
        throw new ApiError(
          503,
          "web.not-built",
          "the page is not built here; run `npm run prepare` and restart",
        );
      return reply
        .header("cache-control", "no-cache")
        .sendFile("index.html", dir, { maxAge: 0, immutable: false });
    });
  if (isBuilt)
    scope.get("/icon.svg", { schema: { hide: true } }, (_request, reply) =>
      reply.sendFile("icon.svg", dir, { maxAge: "1h", immutable: false }),
    );
  else scope.get("/icon.svg", { schema: { hide: true } }, () => Promise.reject(notFound("icon")));
}

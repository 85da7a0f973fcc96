// openapi.ts — the API's description, OpenAPI 3.1, made from the routes' own schemas.
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";

export async function describeApi(scope: FastifyInstance, version: string): Promise<void> {
  await scope.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Wache",
        version,
        description: "Events, findings and incidents. Sign in on the page, or send an API token.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/" }],
      components: {
        securitySchemes: {
          token: {
            type: "http",
            scheme: "bearer",
            description: "made by `wache token create NAME` on the machine",
          },
          session: { type: "apiKey", in: "cookie", name: "wache_session" },
        },
      },
      security: [{ token: [] }, { session: [] }],
    },
    transform: ({ schema, url, route }) => {
      const isOpen = route.config?.open === true;
      return { schema: { ...schema, ...(isOpen ? { security: [] } : {}) }, url };
    },
  });
}

// headers.ts — what every answer of the page and the API tells a browser to refuse.
import type { FastifyInstance } from "fastify";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "font-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function addSecurityHeaders(scope: FastifyInstance, isHttps: boolean): void {
  scope.addHook("onRequest", async (request, reply) => {
    reply.headers({
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": "camera=(), geolocation=(), microphone=()",
    });
    if (isHttps) reply.header("strict-transport-security", "max-age=31536000");
    if (request.url.startsWith("/api")) reply.header("cache-control", "no-store");
  });
}

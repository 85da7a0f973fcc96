// webhook.ts — a receiver of Wache's webhooks for tests: verifies signatures as docs/alerting.md tells receivers to,
// answers as scripted, records what came.
import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type WebhookStandIn = {
  readonly url: string;
  /** Every request that came, in order. */
  readonly requests: readonly WebhookRequest[];
  /** Those that were taken: one a notification, by its Idempotency-Key. */
  readonly taken: ReadonlyMap<string, WebhookRequest>;
  readonly script: WebhookAnswer[];
  readonly close: () => Promise<void>;
};
export type WebhookRequest = {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: Readonly<Record<string, unknown>>;
};
export type WebhookAnswer = {
  readonly status?: number; // none: it takes the request and never answers
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export async function startWebhook(
  options: { readonly key?: string } = {},
): Promise<WebhookStandIn> {
  const requests: WebhookRequest[] = [];
  const taken = new Map<string, WebhookRequest>();
  const script: WebhookAnswer[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      const { headers } = request;
      const answer = script.shift() ?? { status: 204 };
      if (options.key !== undefined && !isSigned(headers, { key: options.key, body })) {
        response.writeHead(401).end("bad signature");
        return;
      }
      const got = { headers, body, json: JSON.parse(body) };
      requests.push(got);
      const { status = 200 } = answer;
      const id = headers["idempotency-key"];
      if (status < 300 && typeof id === "string" && !taken.has(id)) taken.set(id, got);
      reply(response, answer);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    ...{ requests, taken, script },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function reply(response: ServerResponse, { status, headers, body }: WebhookAnswer): void {
  if (status === undefined) return;
  response.writeHead(status, headers).end(body);
}

export function isSigned(
  headers: IncomingHttpHeaders,
  { key, body }: { readonly key: string; readonly body: string },
): boolean {
  const timestamp = String(headers["x-wache-timestamp"] ?? "");
  const given = Buffer.from(String(headers["x-wache-signature"] ?? ""));
  const mac = createHmac("sha256", key).update(`${timestamp}.${body}`).digest("hex");
  const wanted = Buffer.from(`sha256=${mac}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

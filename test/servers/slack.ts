// slack.ts — a stand-in for Slack's Web API: chat.postMessage as its documentation says, on a port of its own.
//
// Checks the bearer token, content type, required arguments, the channel, Block Kit's limits and the rate limit; records
// the messages that it took.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type SlackStandIn = {
  readonly apiUrl: string;
  readonly messages: readonly SlackPost[];
  /** What the next requests get instead of the usual answer, one after the other. */
  readonly script: SlackAnswer[];
  readonly requests: () => number;
  readonly close: () => Promise<void>;
};
export type SlackPost = {
  readonly channel: string;
  readonly text: string;
  readonly blocks: unknown[];
};
export type SlackAnswer =
  | { readonly rateLimitedS: number }
  | { readonly status: number }
  | { readonly error: string }
  | { readonly hang: true }
  | { readonly takeThenHang: true };

export async function startSlack(
  options: { readonly token?: string; readonly channels?: readonly string[] } = {},
): Promise<SlackStandIn> {
  const { token = "xoxb-test", channels = ["#alerts"] } = options;
  const messages: SlackPost[] = [];
  const script: SlackAnswer[] = [];
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    void bodyOf(request).then((body) => {
      const answer = script.shift();
      if (answer !== undefined && !("takeThenHang" in answer)) {
        answerAs(answer, response);
        return;
      }
      const error = errorOf({ request, body, token, channels });
      if (error !== undefined) {
        send(response, { ok: false, ...error });
        return;
      }
      const form = new URLSearchParams(body);
      const post: SlackPost = {
        channel: form.get("channel") ?? "",
        text: form.get("text") ?? "",
        blocks: JSON.parse(form.get("blocks") ?? "[]"),
      };
      messages.push(post);
      if (answer === undefined)
        send(response, { ok: true, channel: "C0123456789", ts: `1700000000.${messages.length}` });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    apiUrl: `http://127.0.0.1:${port}/api/`,
    messages,
    script,
    requests: () => requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function answerAs(answer: SlackAnswer, response: ServerResponse): void {
  if ("rateLimitedS" in answer) {
    response.writeHead(429, { "retry-after": String(answer.rateLimitedS) });
    response.end(JSON.stringify({ ok: false, error: "ratelimited" }));
  } else if ("status" in answer) response.writeHead(answer.status).end("out of order");
  else if ("error" in answer) send(response, { ok: false, error: answer.error });
}

const send = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(body));
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

type SlackError = {
  readonly error: string;
  readonly response_metadata?: { readonly messages: string[] };
};

function errorOf(args: {
  readonly request: IncomingMessage;
  readonly body: string;
  readonly token: string;
  readonly channels: readonly string[];
}): SlackError | undefined {
  const { request, body, token, channels } = args;
  if (request.method !== "POST" || request.url !== "/api/chat.postMessage")
    return { error: "unknown_method" };
  const { authorization } = request.headers;
  if (authorization === undefined) return { error: "not_authed" };
  if (authorization !== `Bearer ${token}`) return { error: "invalid_auth" };
  if (!/^application\/x-www-form-urlencoded\b/.test(request.headers["content-type"] ?? ""))
    return { error: "invalid_post_type" };
  const form = new URLSearchParams(body);
  if (!channels.includes(form.get("channel") ?? "")) return { error: "channel_not_found" };
  const text = form.get("text") ?? "";
  if (text === "" && !form.has("blocks")) return { error: "no_text" };
  if (text.length > 40_000) return { error: "msg_too_long" };
  const faults = blockFaults(form.get("blocks") ?? "[]");
  if (faults.length === 0) return undefined;
  return { error: "invalid_blocks", response_metadata: { messages: faults } };
}

type Fields = Readonly<Record<string, unknown>>;

/** What Slack would object to, as https://docs.slack.dev/reference/block-kit/blocks gives the limits. */
export function blockFaults(json: string): string[] {
  let blocks: unknown;
  try {
    blocks = JSON.parse(json);
  } catch {
    return ["blocks: no JSON"];
  }
  if (!Array.isArray(blocks)) return ["blocks: no array"];
  const faults = blocks.length > 50 ? ["blocks: more than 50"] : [];
  blocks.forEach((block: Fields, at) => {
    for (const fault of blockFault(block)) faults.push(`blocks[${at}]: ${fault}`);
  });
  return faults;
}

function blockFault(block: Fields): string[] {
  switch (block.type) {
    case "header":
      return [...known(block, ["text"]), ...textFault(block.text, ["plain_text"], 150)];
    case "section": {
      const faults = known(block, ["text", "fields"]);
      if (block.text === undefined && block.fields === undefined)
        faults.push("neither text nor fields");
      if (block.text !== undefined) faults.push(...textFault(block.text, TEXTS, 3000));
      if (block.fields !== undefined)
        faults.push(...list(block.fields, 10, (field) => textFault(field, TEXTS, 2000)));
      return faults;
    }
    case "context":
      return [
        ...known(block, ["elements"]),
        ...list(block.elements, 10, (element) => textFault(element, TEXTS, 3000)),
      ];
    case "actions":
      return [...known(block, ["elements"]), ...list(block.elements, 25, buttonFault)];
    case "divider":
      return known(block, []);
    default:
      return [`unknown type ${String(block.type)}`];
  }
}

const TEXTS = ["mrkdwn", "plain_text"];

const known = (block: Fields, names: readonly string[]): string[] =>
  Object.keys(block)
    .filter((name) => !["type", "block_id", ...names].includes(name))
    .map((name) => `unknown field ${name}`);

function list(value: unknown, max: number, faultsOf: (item: Fields) => string[]): string[] {
  if (!Array.isArray(value) || value.length === 0) return ["an empty list"];
  return [...(value.length > max ? [`more than ${max}`] : []), ...value.flatMap(faultsOf)];
}

function textFault(value: unknown, types: readonly string[], max: number): string[] {
  const { type, text, emoji, verbatim } = (value ?? {}) as Fields;
  if (typeof type !== "string" || !types.includes(type)) return [`text of type ${String(type)}`];
  if (typeof text !== "string" || text.length === 0) return ["empty text"];
  if (text.length > max) return [`text longer than ${max}`];
  if (type === "mrkdwn" && emoji !== undefined) return ["emoji in mrkdwn"];
  if (type === "plain_text" && verbatim !== undefined) return ["verbatim in plain_text"];
  return [];
}

function buttonFault(button: Fields): string[] {
  if (button.type !== "button") return [`element of type ${String(button.type)}`];
  const faults = textFault(button.text, ["plain_text"], 75);
  if (typeof button.url === "string" && button.url.length > 3000)
    faults.push("url longer than 3000");
  if (typeof button.action_id === "string" && button.action_id.length > 255)
    faults.push("action_id longer than 255");
  return faults;
}

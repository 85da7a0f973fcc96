import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  startWebhook,
  type WebhookAnswer,
  type WebhookStandIn,
} from "../../test/servers/webhook.ts";
import { deliveryOf, notification, T0 } from "../fixtures/findings.ts";
import { retryAfterMs } from "./retry-after.ts";
import { webhookChannel } from "./webhook.ts";

let hook: WebhookStandIn;
beforeEach(async () => {
  hook = await startWebhook({ key: "s3cret" });
});
afterEach(() => hook.close());

const delivery = deliveryOf(notification());
const send = (change: { url?: string; key?: string } = {}, signal?: AbortSignal) =>
  webhookChannel({ type: "webhook", url: hook.url, key: "s3cret", ...change }, fetch).send(
    delivery,
    signal ?? new AbortController().signal,
  );

describe("webhook", () => {
  test("posts a signed body under the notification's id", async () => {
    expect(await send()).toEqual({ kind: "delivered" });
    const [request] = hook.requests;
    expect(request?.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "idempotency-key": delivery.notification.id,
      "x-wache-timestamp": String((T0 + 180_000) / 1000),
    });
    expect(request?.json).toMatchObject({ type: "incident.opened", mayBeRepeat: false });
  });

  test("another key is refused by the receiver", async () => {
    const got = await send({ key: "other" });
    expect(got).toEqual({
      kind: "refused",
      reason: expect.stringMatching(/HTTP 401: bad sig.*key/),
    });
    expect(hook.requests).toEqual([]);
  });

  test.for<{ name: string; answer: WebhookAnswer; want: unknown }>([
    { name: "200", answer: { status: 200, body: "thanks" }, want: { kind: "delivered" } },
    {
      name: "429 with Retry-After",
      answer: { status: 429, headers: { "retry-after": "7" } },
      want: { kind: "retry", reason: "the webhook answered HTTP 429", retryAfterMs: 7000 },
    },
    {
      name: "503 with a date",
      answer: { status: 503, headers: { "retry-after": new Date(T0 + 190_000).toUTCString() } },
      want: { kind: "retry", reason: "the webhook answered HTTP 503", retryAfterMs: 10_000 },
    },
    {
      name: "500 with an endless page",
      answer: { status: 500, body: "x".repeat(1_000_000) },
      want: { kind: "retry", reason: `the webhook answered HTTP 500: ${"x".repeat(199)}…` },
    },
    {
      name: "404",
      answer: { status: 404 },
      want: { kind: "refused", reason: expect.stringContaining("check the channel's url") },
    },
    {
      name: "a redirect",
      answer: { status: 302, headers: { location: "/elsewhere" } },
      want: { kind: "refused", reason: expect.stringContaining("redirects are not followed") },
    },
  ])("$name is $want.kind", async ({ answer, want }) => {
    hook.script.push(answer);
    expect(await send()).toEqual(want);
    expect(hook.requests).toHaveLength(1);
  });

  test("what the receiver says of the address stays out of the words", async () => {
    hook.script.push({ status: 500, body: "Cannot POST /hook?key=S3CRETKEY" });
    const reason = "the webhook answered HTTP 500: Cannot POST …";
    expect(await send({ url: `${new URL("/hook", hook.url).href}?key=S3CRETKEY` })).toEqual({
      kind: "retry",
      reason,
    });
  });

  test("no answer: it may have arrived", async () => {
    hook.script.push({});
    const abort = new AbortController();
    const sent = send({}, abort.signal);
    await expect.poll(() => hook.requests.length).toBe(1);
    abort.abort();
    expect(await sent).toEqual({ kind: "retry", reason: "no answer in time", uncertain: true });
  });

  test("nobody there: it has not arrived, and the address stays out of the words", async () => {
    const got = await send({ url: `http://127.0.0.1:${await freePort()}/hook?secret=xyz` });
    expect(got).toEqual({ kind: "retry", reason: expect.stringMatching(/^no connection/) });
    expect(JSON.stringify(got)).not.toContain("xyz");
  });
});

test.for([
  { header: null, want: undefined },
  { header: "", want: undefined },
  { header: "soon", want: undefined },
  { header: "0", want: 0 },
  { header: "12", want: 12_000 },
  { header: "999999999", want: 3600_000 },
  { header: "Thu, 01 Jan 1970 00:00:00 GMT", want: 0 },
])("Retry-After $header", ({ header, want }) => {
  expect(retryAfterMs(header, T0)).toBe(want);
});

/** A port where nobody listens. */
async function freePort(): Promise<string> {
  const gone = await startWebhook();
  await gone.close();
  return new URL(gone.url).port;
}

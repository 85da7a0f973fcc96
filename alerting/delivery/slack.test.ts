import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SlackAnswer, type SlackStandIn, startSlack } from "../../test/servers/slack.ts";
import { deliveryOf, HOSTILE, notification } from "../fixtures/findings.ts";
import { slackChannel } from "./slack.ts";

let slack: SlackStandIn;
beforeEach(async () => {
  slack = await startSlack();
});
afterEach(() => slack.close());

const send = (
  change: { token?: string; channel?: string; apiUrl?: string } = {},
  signal?: AbortSignal,
) =>
  slackChannel(
    { type: "slack", token: "xoxb-test", channel: "#alerts", apiUrl: slack.apiUrl, ...change },
    fetch,
  ).send(deliveryOf(notification(HOSTILE)), signal ?? new AbortController().signal);

describe("slack", () => {
  test("posts blocks and a plain text that Slack takes, once", async () => {
    expect(await send()).toEqual({ kind: "delivered" });
    expect(slack.messages.map(({ channel, text }) => [channel, text.split("\n")[0]])).toEqual([
      ["#alerts", expect.stringMatching(/^\[CRITICAL\] A Bcc: eve@example.com &lt;script&gt;/)],
    ]);
    expect(slack.requests()).toBe(1);
  });

  test.for<{ name: string; answer: SlackAnswer; want: unknown }>([
    {
      name: "a rate limit is waited for",
      answer: { rateLimitedS: 30 },
      want: { kind: "retry", reason: "Slack's rate limit is reached", retryAfterMs: 30_000 },
    },
    {
      name: "a server error is tried again",
      answer: { status: 503 },
      want: { kind: "retry", reason: "Slack answered HTTP 503" },
    },
    {
      name: "so is an error of Slack that passes",
      answer: { error: "internal_error" },
      want: { kind: "retry", reason: "Slack answered internal_error" },
    },
    {
      name: "an error that needs a person is a refusal with advice",
      answer: { error: "not_in_channel" },
      want: { kind: "refused", reason: expect.stringContaining("invite the app to the channel") },
    },
    {
      name: "an error that nobody knows is a refusal too",
      answer: { error: "constructor" },
      want: { kind: "refused", reason: "Slack refused the message to #alerts: constructor" },
    },
  ])("$name, by one request", async ({ answer, want }) => {
    slack.script.push(answer);
    expect(await send()).toEqual(want);
    expect([slack.requests(), slack.messages.length]).toEqual([1, 0]);
  });

  test("a wrong token and an unknown channel are refused and say what to do", async () => {
    expect([await send({ token: "xoxb-other" }), await send({ channel: "#nowhere" })]).toEqual([
      { kind: "refused", reason: expect.stringMatching(/invalid_auth: put a bot token/) },
      { kind: "refused", reason: expect.stringMatching(/channel_not_found: check the channel/) },
    ]);
  });

  test("a message of which nobody heard may have arrived", async () => {
    slack.script.push({ takeThenHang: true });
    const abort = new AbortController();
    const sent = send({}, abort.signal);
    await expect.poll(() => slack.messages.length).toBe(1);
    abort.abort();
    expect(await sent).toEqual({
      kind: "retry",
      reason: "Slack: no answer in time",
      uncertain: true,
    });
  });

  test("nobody there: it has not arrived", async () => {
    const got = await send({ apiUrl: `http://127.0.0.1:${await freePort()}/api/` });
    expect(got).toEqual({ kind: "retry", reason: expect.stringMatching(/^Slack: no connection/) });
  });
});

/** A port where nobody listens. */
async function freePort(): Promise<string> {
  const gone = await startSlack();
  await gone.close();
  return new URL(gone.apiUrl).port;
}

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Receivers } from "../../core/records.ts";
import { type SmtpOptions, type SmtpStandIn, startSmtp } from "../../test/servers/smtp.ts";
import { deliveryOf, HOSTILE, notification, T0 } from "../fixtures/findings.ts";
import { emailChannel } from "./email.ts";

const pem = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
const tls = { key: pem("smtp-test-key.pem"), cert: pem("smtp-test-cert.pem") };
const TEAM = "team@example.com";
const LEAD = "lead@example.com";
const user = { name: "wache", password: "s3cret" };

let smtp: SmtpStandIn | undefined;
afterEach(async () => {
  await smtp?.close();
  smtp = undefined;
});

const server = async (options: SmtpOptions = {}) => {
  smtp = await startSmtp(options);
  return smtp;
};
const send = (
  port: number,
  change: { requireTls?: boolean; username?: string; password?: string } = {},
  options: { delivery?: ReturnType<typeof deliveryOf>; ca?: string; signal?: AbortSignal } = {},
) =>
  emailChannel(
    {
      type: "email",
      ...{ host: "127.0.0.1", port, requireTls: false },
      ...{ from: "Wache <wache@example.com>", to: ["team@example.com", "lead@example.com"] },
      ...change,
    },
    options.ca === undefined ? {} : { ca: options.ca },
  ).send(
    options.delivery ?? deliveryOf(notification()),
    options.signal ?? new AbortController().signal,
  );

describe("email", () => {
  test("sends text and HTML, the same mail each time", async () => {
    const { port, mails } = await server();
    expect([await send(port), await send(port)]).toEqual([
      { kind: "delivered" },
      { kind: "delivered" },
    ]);
    const [{ mail, to, from } = { mail: undefined, to: [], from: "" }] = mails;
    const { notification: sent, message } = deliveryOf(notification());
    expect([from, to]).toEqual(["wache@example.com", ["team@example.com", "lead@example.com"]]);
    expect(mail?.subject).toBe("[HIGH] SSH brute force: 203.0.113.5");
    expect(mail?.text).toContain("Last seen:  2026-11-23 02:59:00 UTC");
    expect(mail?.html).toContain(
      '<td style="padding:2px 0;word-break:break-word">203.0.113.5</td>',
    );
    expect(mail?.date?.getTime()).toBe(T0 + 180_000);
    expect(mail?.headers.get("auto-submitted")).toBe("auto-generated");
    expect(mail?.text).toContain(message.where);
    expect(mails.map(({ mail: { messageId } }) => messageId)).toEqual([
      `<${sent.id}@example.com>`,
      `<${sent.id}@example.com>`,
    ]);
  });

  test("what grew graver stands in the thread of what opened", async () => {
    const { port, mails } = await server();
    const opened = notification();
    await send(port, {}, { delivery: deliveryOf(opened) });
    await send(port, {}, { delivery: deliveryOf({ ...opened, id: "later", reason: "raised" }) });
    expect(mails[1]?.mail.inReplyTo).toBe(mails[0]?.mail.messageId);
  });

  test("a rule's title adds no header and no recipient", async () => {
    const { port, mails } = await server();
    await send(port, {}, { delivery: deliveryOf(notification(HOSTILE)) });
    const [{ mail, to } = { mail: undefined, to: [] }] = mails;
    expect(to).toEqual(["team@example.com", "lead@example.com"]);
    expect(mail?.headers.has("bcc")).toBe(false);
    expect(mail?.subject).toMatch(/^\[CRITICAL\] A Bcc: eve@example\.com <script>/);
  });

  test.for([
    "=?utf-8?B?QWxsIGNsZWFyLCBubyBhY3Rpb24=?=",
    "ä =?utf-8?Q?All=20clear?= ü",
    `=?${"😀".repeat(60)}?=`,
  ])("the subject reads as it was written: %s", async (title) => {
    const { port, mails } = await server();
    const rule = { id: "r", title, level: "high", tags: [] } as const;
    await send(port, {}, { delivery: deliveryOf(notification({ rule, group: {} })) });
    expect(mails[0]?.mail.subject).toBe(`[HIGH] ${title}`);
    const lines = mails[0]?.raw.split("\r\n") ?? [];
    expect(Math.max(...lines.slice(0, lines.indexOf("")).map(({ length }) => length))).toBeLessThan(
      100,
    );
  });

  test("over TLS, with a password, where the server offers it", async () => {
    const { port, mails } = await server({ tls, user });
    const login = { username: user.name, password: user.password };
    expect(await send(port, { requireTls: true, ...login }, { ca: tls.cert })).toEqual({
      kind: "delivered",
    });
    expect(mails.map(({ secure }) => secure)).toEqual([true]);
  });

  test("with requireTls nothing is sent in clear", async () => {
    const { port, mails } = await server();
    expect(await send(port, { requireTls: true })).toEqual({
      kind: "refused",
      reason: expect.stringMatching(/offers no TLS that holds.*STARTTLS/),
    });
    expect(mails).toEqual([]);
  });

  test("a certificate that nobody vouches for is not believed", async () => {
    const { port, mails } = await server({ tls });
    expect(await send(port, { requireTls: true })).toEqual({
      kind: "retry",
      reason: expect.stringMatching(/NODE_EXTRA_CA_CERTS=FILE in its environment$/),
    });
    expect(mails).toEqual([]);
  });

  test("a wrong password is refused and says so, without it", async () => {
    const { port } = await server({ tls, user });
    const login = { requireTls: true, username: user.name, password: "wr0ng" };
    const got = await send(port, login, { ca: tls.cert });
    expect(got).toEqual({
      kind: "refused",
      reason: expect.stringMatching(/username and password/),
    });
    expect(JSON.stringify(got)).not.toContain("wr0ng");
  });

  test("4xx is put off and then taken, 5xx is final", async () => {
    const { port, mails, script } = await server();
    script.push({ code: 451, text: "try later" });
    expect(await send(port)).toEqual({
      kind: "retry",
      reason: expect.stringMatching(/451 try later/),
    });
    expect(await send(port)).toEqual({ kind: "delivered" });
    script.push({ code: 554, text: "no spam" });
    expect(await send(port)).toEqual({
      kind: "refused",
      reason: expect.stringMatching(/554 no spam/),
    });
    expect(mails).toHaveLength(1);
  });

  test.for<{ name: string; answers: Record<string, number>; settled?: Receivers; want: unknown }>([
    {
      name: "one is put off",
      answers: { [LEAD]: 450 },
      want: {
        kind: "retry",
        reason: expect.stringMatching(/put it off for lead@example\.com \(450 4\.2\.0 no\)$/),
        receivers: { taken: [TEAM], refused: [] },
      },
    },
    {
      name: "one is refused for good",
      answers: { [LEAD]: 550 },
      want: {
        kind: "delivered",
        detail: expect.stringMatching(/refused it for good for lead@example\.com \(550 /),
        receivers: { taken: [TEAM], refused: [LEAD] },
      },
    },
    {
      name: "one is put off, the other refused",
      answers: { [TEAM]: 550, [LEAD]: 450 },
      want: {
        kind: "retry",
        reason: expect.stringMatching(/put it off for lead@.*; .* refused it for good for team@/),
        receivers: { taken: [], refused: [TEAM] },
      },
    },
    {
      name: "all are refused",
      answers: { [TEAM]: 550, [LEAD]: 551 },
      want: { kind: "refused", reason: expect.stringMatching(/check the channel's to$/) },
    },
    {
      name: "the rest is taken",
      answers: {},
      settled: { taken: [TEAM], refused: [] },
      want: { kind: "delivered" },
    },
    {
      name: "the rest is refused",
      answers: { [LEAD]: 550 },
      settled: { taken: [TEAM], refused: [] },
      want: expect.objectContaining({
        kind: "delivered",
        receivers: { taken: [TEAM], refused: [LEAD] },
      }),
    },
    {
      name: "nobody is left",
      answers: {},
      settled: { taken: [TEAM], refused: [LEAD] },
      want: {
        kind: "delivered",
        detail: expect.stringMatching(/ refused it for good for lead@example\.com$/),
        receivers: { taken: [TEAM], refused: [LEAD] },
      },
    },
    {
      name: "nobody is left, and nobody has it",
      answers: {},
      settled: { taken: [], refused: [TEAM, LEAD] },
      want: {
        kind: "refused",
        reason: expect.stringMatching(/for good for team@.*, lead@example\.com; check the channel/),
      },
    },
  ])("of several receivers $name", async ({ answers, settled, want }) => {
    const { port, mails, receivers } = await server();
    for (const [address, code] of Object.entries(answers))
      receivers.set(address, [{ code, text: code < 500 ? "4.2.0 no" : "5.1.1 nobody" }]);
    const delivery = { ...deliveryOf(notification()), receivers: settled };
    expect(await send(port, {}, { delivery })).toEqual(want);
    const done = [...(settled?.taken ?? []), ...(settled?.refused ?? [])];
    const told = [TEAM, LEAD].filter((one) => !done.includes(one) && answers[one] === undefined);
    expect(mails.flatMap(({ to }) => to)).toEqual(told);
  });

  test("nobody there is tried again", async () => {
    expect(await send(1)).toEqual({
      kind: "retry",
      reason: expect.stringMatching(/^127\.0\.0\.1:1: /),
    });
  });

  test("a server that says nothing is left at the deadline", async () => {
    const mute = createServer(() => {});
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as { port: number };
    const abort = new AbortController();
    const connected = once(mute, "connection");
    const sent = send(port, {}, { signal: abort.signal });
    const [socket] = await connected;
    abort.abort();
    expect(await sent).toMatchObject({ kind: "retry", uncertain: true });
    socket.destroy();
    mute.close();
  });
});

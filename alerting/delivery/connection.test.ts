import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttps } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { deliveryOf, notification } from "../fixtures/findings.ts";
import { connectionWords, isBeforeSending } from "./connection.ts";
import { emailChannel } from "./email.ts";
import { webhookChannel } from "./webhook.ts";

const pem = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
const tls = { key: pem("smtp-test-key.pem"), cert: pem("smtp-test-cert.pem") };
const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function portOf(server: Server): Promise<number> {
  open.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as { port: number }).port;
}
const dropped = (when: (socket: Socket) => void) =>
  createServer((socket) => {
    socket.on("error", () => {});
    when(socket);
  });
const atOnce = (socket: Socket) => socket.destroy();
const onData = (socket: Socket) => socket.once("data", () => socket.destroy());
const AUTHORITY =
  /self-signed certificate; if you trust its authority, .* NODE_EXTRA_CA_CERTS=FILE/;

test.for([
  {
    name: "a certificate that nobody vouches for",
    server: () => createHttps(tls),
    scheme: "https",
    want: { reason: expect.stringMatching(AUTHORITY) },
  },
  {
    name: "a handshake that was cut short",
    server: () => dropped(onData),
    scheme: "https",
    want: { reason: expect.stringMatching(/before secure TLS connection/) },
  },
  {
    name: "no TLS at all: the words are for people",
    server: () =>
      dropped((socket) => socket.once("data", () => socket.end("HTTP/1.1 400\r\n\r\n"))),
    scheme: "https",
    want: { reason: "no connection: TLS failed: wrong version number", uncertain: true },
  },
  {
    name: "a request that nobody answered",
    server: () => dropped(onData),
    scheme: "http",
    want: { reason: "no connection: other side closed", uncertain: true },
  },
])("webhook, $name", async ({ server, scheme, want }) => {
  const url = `${scheme}://localhost:${await portOf(server())}/`;
  const channel = webhookChannel({ type: "webhook", url }, fetch);
  const { signal } = new AbortController();
  expect(await channel.send(deliveryOf(notification()), signal)).toEqual({
    kind: "retry",
    ...want,
  });
});

/** Speaks SMTP until `cutAt`, then breaks the connection. */
const smtpUntil = (cutAt: RegExp) => (socket: Socket) => {
  socket.write("220 hi\r\n");
  socket.on("data", (data) => {
    for (const line of data.toString("utf8").split("\r\n").slice(0, -1)) {
      if (cutAt.test(line)) socket.destroy();
      else if (/^DATA/.test(line)) socket.write("354 go on\r\n");
      else if (/^(EHLO|MAIL|RCPT)/.test(line)) socket.write("250 ok\r\n");
    }
  });
};

test.for([
  { name: "before the greeting", when: atOnce, uncertain: undefined },
  { name: "at the greeting", when: smtpUntil(/^EHLO/), uncertain: undefined },
  { name: "once the mail was offered", when: smtpUntil(/^RCPT/), uncertain: true },
  { name: "after its last line", when: smtpUntil(/^\.$/), uncertain: true },
])("email, the connection breaks $name: uncertain is $uncertain", async ({ when, uncertain }) => {
  const port = await portOf(dropped(when));
  const about = { host: "127.0.0.1", port, requireTls: false, from: "a@b.test", to: ["c@d.test"] };
  const { signal } = new AbortController();
  const sent = emailChannel({ type: "email", ...about }).send(deliveryOf(notification()), signal);
  expect(await sent).toEqual({
    ...{ kind: "retry", reason: expect.stringMatching(/closed/) },
    ...(uncertain && { uncertain }),
  });
});

const failure = (about: object) => Object.assign(new Error("m"), about);
test.for([
  { error: failure({ code: "ECONNREFUSED" }), want: true },
  { error: failure({ code: "ETIMEDOUT", syscall: "connect" }), want: true },
  { error: failure({ code: "ETIMEDOUT", syscall: "read" }), want: false },
  { error: failure({ code: "EHOSTUNREACH", syscall: "write" }), want: false },
  { error: failure({ code: "ECONNRESET" }), want: false },
  { error: failure({ code: "CERT_HAS_EXPIRED" }), want: true },
  { error: failure({ code: "ESOCKET", originalCode: "SELF_SIGNED_CERT_IN_CHAIN" }), want: true },
  { error: failure({ code: "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE" }), want: true },
  { error: failure({ code: "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC" }), want: false },
  { error: new AggregateError([failure({ code: "ECONNREFUSED" })]), want: true },
  {
    error: new AggregateError([failure({ code: "ECONNREFUSED" }), failure({ code: "EPIPE" })]),
    want: false,
  },
  { error: new AggregateError([]), want: false },
  { error: undefined, want: false },
])("$error.code $error.syscall comes before sending: $want", ({ error, want }) => {
  expect(isBeforeSending(error)).toBe(want);
});

test("the words of several attempts to connect are theirs, each once", () => {
  const errors = ["::1 refused", "127.0.0.1 refused", "::1 refused"].map((text) => new Error(text));
  expect(connectionWords(new AggregateError(errors, ""))).toBe("::1 refused; 127.0.0.1 refused");
});

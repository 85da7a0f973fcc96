// email.ts — sends an incident by SMTP, as text and as HTML.
//
// Holds: the Message-ID follows from the notification, so a mail that is sent twice is the same mail; with `requireTls`
//        nothing is sent in clear; nothing that a log says can add a header; who was put off is tried again, and those
//        who have the mail do not get it again.
import { createTransport } from "nodemailer";
import { idOf } from "../../core/event.ts";
import type { Notification, Receivers } from "../../core/records.ts";
import type { Channel, ChannelOf, Delivery, SendResult } from "./channel.ts";
import { connectionWords } from "./connection.ts";
import { emailHtml, emailText } from "./email-body.ts";
import { subjectOf } from "./email-subject.ts";
import { oneLine } from "./message.ts";
import { addressOf, isForAll, NOBODY, type Refusal, resultFor } from "./receivers.ts";

const TLS_PORT = 465;
const reasonCharsMax = 300;

export type EmailOptions = { readonly ca?: string }; // an authority beside the system's, for tests

export function emailChannel(config: ChannelOf<"email">, options: EmailOptions = {}): Channel {
  return {
    attemptsAtOnceMax: 2,
    send: async (delivery, signal) => {
      const settled = delivery.receivers ?? NOBODY;
      const left = receiversLeft(config, settled);
      // Those who were put off may not be in the configuration any more.
      if (left.length === 0)
        return resultFor({ server: serverOf(config), settled, accepted: [], refusals: [] });
      const transport = createTransport({
        host: config.host,
        port: config.port,
        secure: config.port === TLS_PORT,
        requireTLS: config.requireTls && config.port !== TLS_PORT,
        ...(config.username !== undefined && {
          auth: { user: config.username, pass: config.password ?? "" },
        }),
        tls: { minVersion: "TLSv1.2", ...(options.ca !== undefined && { ca: options.ca }) },
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      let isOffered = false; // from here on the server may have it, whatever becomes of the connection
      transport.use("stream", ({ message }, done) => {
        message.processFunc((mail) => {
          isOffered = true;
          return mail;
        });
        done();
      });
      let stop: () => void = () => {};
      const stopped = new Promise<never>((_, reject) => {
        stop = () => reject(new Error("no answer in time"));
        signal.addEventListener("abort", stop, { once: true });
      });
      try {
        const mail = { ...mailOf(config, delivery), envelope: { from: config.from, to: left } };
        const { accepted, rejectedErrors = [] } = await Promise.race([
          transport.sendMail(mail),
          stopped,
        ]);
        return resultFor({ server: serverOf(config), settled, accepted, refusals: rejectedErrors });
      } catch (error) {
        return failureOf(error as SmtpError, { config, signal, settled, isOffered });
      } finally {
        signal.removeEventListener("abort", stop);
        transport.close();
      }
    },
  };
}

/** The mail of a notification; those that follow on the first one stand in its thread. */
function mailOf(config: ChannelOf<"email">, { notification, message, atMs }: Delivery) {
  const { incident, channel, reason } = notification;
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(config.from)?.[1] ?? "wache.invalid";
  const first = `<${idOf(incident.id, "opened", channel)}@${domain}>`;
  const grave = message.severity === "critical" || message.severity === "high";
  return {
    from: config.from,
    to: [...config.to],
    subject: subjectOf(message.subject),
    text: emailText(message),
    html: emailHtml(message),
    date: new Date(atMs),
    messageId: `<${notification.id}@${domain}>`,
    ...(reason !== "opened" && { inReplyTo: first, references: first }),
    priority: grave ? ("high" as const) : ("normal" as const),
    headers: {
      "Auto-Submitted": "auto-generated",
      "X-Wache-Incident": incident.id,
      "X-Wache-Severity": severityHeader(notification),
    },
  };
}

const severityHeader = ({ incident }: Notification): string => incident.severity;

const serverOf = ({ host, port }: ChannelOf<"email">): string => `${host}:${port}`;

function receiversLeft(config: ChannelOf<"email">, { taken, refused }: Receivers): string[] {
  const settled = new Set([...taken, ...refused].map(addressOf));
  return config.to.filter((receiver) => !settled.has(addressOf(receiver)));
}

type SmtpError = Error & {
  readonly code?: string;
  readonly responseCode?: number;
  readonly command?: string;
  readonly rejectedErrors?: readonly Refusal[];
};

function failureOf(
  error: SmtpError,
  at: {
    readonly config: ChannelOf<"email">;
    readonly signal: AbortSignal;
    readonly settled: Receivers;
    readonly isOffered: boolean;
  },
): SendResult {
  const { config, signal, settled, isOffered } = at;
  const server = serverOf(config);
  const refusals = error.rejectedErrors ?? [];
  if (isForAll(error) && refusals.length > 0 && !signal.aborted)
    return resultFor({ server, settled, accepted: [], refusals });
  const said = oneLine(connectionWords(error), reasonCharsMax);
  const { code, responseCode } = error;
  if (signal.aborted)
    return { kind: "retry", reason: `${server}: no answer in time`, uncertain: true };
  if (responseCode !== undefined && responseCode >= 400 && responseCode < 500)
    return { kind: "retry", reason: `${server} put it off: ${said}` };
  if (code === "ETLS" || code === "EREQUIRETLS")
    return {
      kind: "refused",
      reason: `${server} offers no TLS that holds (${said}); have STARTTLS switched on there, or set requireTls: false to send in clear`,
    };
  if (responseCode !== undefined && responseCode >= 500) {
    const advice = code === "EAUTH" ? "; check the channel's username and password" : "";
    return { kind: "refused", reason: `${server} refused the mail: ${said}${advice}` };
  }
  if (code === "EENVELOPE" || code === "EMESSAGE")
    return { kind: "refused", reason: `${server}: ${said}; check the channel's from and to` };
  return { kind: "retry", reason: `${server}: ${said}`, ...(isOffered && { uncertain: true }) };
}

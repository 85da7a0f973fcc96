// smtp.ts — a mail server for tests: takes real SMTP, parses and records the mails; refusals can be scripted.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

export type SmtpStandIn = {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Codes and texts that the next mails are refused with, one after the other. */
  readonly script: Refusal[];
  /** Answers to the next mails of a receiver, by address; beyond them it takes all. */
  readonly receivers: Map<string, Refusal[]>;
  readonly close: () => Promise<void>;
};
type Refusal = { readonly code: number; readonly text: string };
export type ReceivedMail = {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly raw: string;
  readonly mail: ParsedMail;
};
export type SmtpOptions = {
  readonly tls?: { readonly key: string; readonly cert: string }; // offers STARTTLS
  readonly user?: { readonly name: string; readonly password: string };
};

export async function startSmtp(options: SmtpOptions = {}): Promise<SmtpStandIn> {
  const mails: ReceivedMail[] = [];
  const script: Refusal[] = [];
  const receivers = new Map<string, Refusal[]>();
  const server = new SMTPServer({
    ...(options.tls ?? {}),
    disabledCommands: [
      ...(options.tls === undefined ? ["STARTTLS"] : []),
      ...(options.user === undefined ? ["AUTH"] : []),
    ],
    authOptional: options.user === undefined,
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, done) => {
      const { name, password: wanted } = options.user ?? {};
      if (username === name && password === wanted) done(null, { user: username });
      else done(refusal({ code: 535, text: "authentication failed" }));
    },
    onRcptTo: ({ address }, _session, done) => {
      const refused = receivers.get(address)?.shift();
      done(refused === undefined ? null : refusal(refused));
    },
    onData: (stream, session, done) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        const refused = script.shift();
        if (refused !== undefined) {
          done(refusal(refused));
          return;
        }
        const raw = Buffer.concat(chunks);
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          secure: session.secure,
          raw: raw.toString("utf8"),
          mail: await simpleParser(raw),
        });
        done();
      })();
    },
  });
  server.on("error", () => {}); // a client that breaks off is what some tests are about
  const listener = server.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    mails,
    script,
    receivers,
    close: () => new Promise((done) => server.close(() => done())),
  };
}

const refusal = ({ code, text }: Refusal): Error =>
  Object.assign(new Error(text), { responseCode: code });

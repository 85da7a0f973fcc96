// slack.ts — posts an incident to a Slack channel by chat.postMessage, as blocks within Slack's limits.
//
// Holds: one request an attempt (the client's own retries are off: ours count, and are durable); nothing that a log says can
//        become a mention or a link.
import { ErrorCode, LogLevel, type WebAPICallError, WebClient } from "@slack/web-api";
import { messageOf } from "../../core/errors.ts";
import type { Channel, ChannelOf, SendResult } from "./channel.ts";
import { ABOUT, cut, type Message, marksOf, oneLine } from "./message.ts";
import { type Fetch, failureOf } from "./webhook.ts";
import { withheld } from "./withheld.ts";

// https://docs.slack.dev/reference/block-kit/blocks
const headerCharsMax = 150;
const sectionCharsMax = 3000;
const fieldCharsMax = 2000;
const fieldsMax = 10; // a section
const textCharsMax = 4000;
const retryAfterMsMax = 3600_000;

type Mrkdwn = { readonly type: "mrkdwn"; readonly text: string; readonly verbatim: true };
type Plain = { readonly type: "plain_text"; readonly text: string; readonly emoji: false };
export type SlackBlock =
  | { readonly type: "header"; readonly text: Plain }
  | { readonly type: "section"; readonly text: Mrkdwn }
  | { readonly type: "section"; readonly fields: readonly Mrkdwn[] }
  | { readonly type: "context"; readonly elements: readonly Mrkdwn[] }
  | {
      readonly type: "actions";
      readonly elements: readonly {
        readonly type: "button";
        readonly text: Plain;
        readonly url: string;
        readonly action_id: string;
      }[];
    };
export type SlackMessage = { readonly text: string; readonly blocks: readonly SlackBlock[] };

export function slackChannel(config: ChannelOf<"slack">, fetch: Fetch): Channel {
  return {
    attemptsAtOnceMax: 1, // Slack takes about one message a second and channel
    send: async (delivery, signal) => {
      if (config.token === undefined)
        return {
          kind: "refused",
          reason: "the channel has no token; set alerting.channels.….token",
        };
      try {
        await clientOf(config, { fetch, signal }).apiCall("chat.postMessage", {
          channel: config.channel,
          ...slackMessage(delivery.message),
          ...{ unfurl_links: false, unfurl_media: false },
        });
        return { kind: "delivered" };
      } catch (error) {
        const result = resultOf(error, { signal, channel: config.channel });
        return { ...result, reason: withheld(result.reason, config.apiUrl) };
      }
    },
  };
}

export function slackMessage(message: Message): SlackMessage {
  const { facts, about, checks, references, url } = message;
  const marks = marksOf(message);
  const blocks: SlackBlock[] = [
    { type: "header", text: plain(oneLine(message.subject, headerCharsMax)) },
    section([...marks.map((text) => `*${escaped(text)}*`), escaped(message.intro)].join("\n")),
  ];
  if (about !== undefined) blocks.push(section(`*${ABOUT}*\n`, about));
  for (let at = 0; at < facts.length; at += fieldsMax)
    blocks.push({
      type: "section",
      fields: facts
        .slice(at, at + fieldsMax)
        .map(({ label, value }) => mrkdwn(`*${escaped(label)}*\n`, value, fieldCharsMax)),
    });
  if (checks.length > 0) blocks.push(section("*May be harmless*\n", bullets(checks)));
  if (references.length > 0) blocks.push(section("*Read on*\n", bullets(references)));
  if (url === undefined || url.length > sectionCharsMax) blocks.push(context(message.where));
  else
    blocks.push({
      type: "actions",
      elements: [{ type: "button", text: plain("Open the incident"), url, action_id: "open" }],
    });
  // A phone shows its first words only.
  const fallback = [message.subject, ...marks, message.intro, message.where].join("\n");
  return { text: escapedWithin(fallback, textCharsMax), blocks };
}

const plain = (text: string): Plain => ({ type: "plain_text", text, emoji: false });
const mrkdwn = (head: string, text: string, charsMax: number): Mrkdwn => ({
  type: "mrkdwn",
  text: head + escapedWithin(text, charsMax - head.length),
  verbatim: true,
});
const section = (head: string, text = ""): SlackBlock => ({
  type: "section",
  text: mrkdwn(head, text, sectionCharsMax),
});
const context = (text: string): SlackBlock => ({
  type: "context",
  elements: [mrkdwn("", text, sectionCharsMax)],
});
const bullets = (texts: readonly string[]): string => texts.map((text) => `• ${text}`).join("\n");

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const escaped = (text: string): string => text.replace(/[&<>]/g, (char) => ENTITIES[char] ?? char);

/** Escapes, and cuts what would be too long then, between characters. */
function escapedWithin(text: string, charsMax: number): string {
  let kept = cut(text, charsMax);
  for (let out = escaped(kept); ; out = escaped(kept)) {
    if (out.length <= charsMax) return out;
    kept = cut(kept, Math.max(2, kept.length - Math.ceil((out.length - charsMax) / 5) - 1));
  }
}

function clientOf(
  config: ChannelOf<"slack">,
  { fetch, signal }: { readonly fetch: Fetch; readonly signal: AbortSignal },
): WebClient {
  const { apiUrl } = config;
  return new WebClient(config.token, {
    ...(apiUrl !== undefined && { slackApiUrl: apiUrl.endsWith("/") ? apiUrl : `${apiUrl}/` }),
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    logLevel: LogLevel.ERROR,
    logger: SILENT,
    fetch: (url, init) => fetch(url, { ...init, signal } as RequestInit),
  });
}

const ignore = (): void => {};
const SILENT = {
  ...{ debug: ignore, info: ignore, warn: ignore, error: ignore },
  ...{ setLevel: ignore, setName: ignore, getLevel: () => LogLevel.ERROR },
};

/** Slack's errors that pass by themselves; every other one needs a person. */
const PASSING = new Set([
  ...["ratelimited", "rate_limited", "message_limit_exceeded", "internal_error", "fatal_error"],
  ...["service_unavailable", "request_timeout", "team_added_to_org", "accesslimited"],
]);
const TOKEN = "put a bot token of an installed app with chat:write into the channel's token";
const ADVICE: Readonly<Record<string, string>> = {
  not_authed: TOKEN,
  invalid_auth: TOKEN,
  account_inactive: TOKEN,
  token_revoked: TOKEN,
  token_expired: TOKEN,
  missing_scope: "give the app the scope chat:write and install it again",
  not_in_channel: "invite the app to the channel (/invite), or give it chat:write.public",
  channel_not_found:
    "check the channel's name or id; to a private one the app must be invited (/invite)",
  is_archived: "the channel is archived: name another one",
  restricted_action: "a setting of the workspace forbids the app to post there",
};

function resultOf(
  error: unknown,
  { signal, channel }: { readonly signal: AbortSignal; readonly channel: string },
): Exclude<SendResult, { readonly kind: "delivered" }> {
  const failure = error as WebAPICallError;
  switch (failure.code) {
    case ErrorCode.RateLimitedError: {
      const waitMs = Math.min(failure.retryAfter * 1000, retryAfterMsMax);
      return { kind: "retry", reason: "Slack's rate limit is reached", retryAfterMs: waitMs };
    }
    case ErrorCode.PlatformError: {
      const code = oneLine(String(failure.data.error), headerCharsMax);
      if (PASSING.has(code)) return { kind: "retry", reason: `Slack answered ${code}` };
      const advice = Object.hasOwn(ADVICE, code) ? `: ${ADVICE[code]}` : "";
      return {
        kind: "refused",
        reason: `Slack refused the message to ${channel}: ${code}${advice}`,
      };
    }
    case ErrorCode.HTTPError: {
      const reason = `Slack answered HTTP ${failure.statusCode}`;
      return failure.statusCode >= 500
        ? { kind: "retry", reason }
        : { kind: "refused", reason: `${reason}; check the channel's apiUrl` };
    }
    case ErrorCode.RequestError: {
      const [reason, uncertain] = failureOf(failure.original, signal);
      return { kind: "retry", reason: `Slack: ${reason}`, ...(uncertain && { uncertain }) };
    }
    default:
      return { kind: "retry", reason: `Slack: ${messageOf(error)}`, uncertain: true };
  }
}

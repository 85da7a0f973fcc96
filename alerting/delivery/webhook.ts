// webhook.ts — posts an incident as JSON to an address, signed so that the receiver can tell who sent it.
//
// Out:   one POST; `Idempotency-Key` is the same for every attempt of a notification.
// Holds: 2xx is delivered; 408, 425, 429 and 5xx are tried again; redirects are not followed; no more than a little of the
//        answer is read.
import { createHmac } from "node:crypto";
import type { Channel, ChannelOf, Delivery, SendResult } from "./channel.ts";
import { connectionWords, isBeforeSending } from "./connection.ts";
import { cut } from "./message.ts";
import { retryAfterMs } from "./retry-after.ts";
import { withheld } from "./withheld.ts";

export type Fetch = typeof globalThis.fetch;
const answerBytesMax = 2048;
const answerCharsTold = 200;

export function webhookChannel(config: ChannelOf<"webhook">, fetch: Fetch): Channel {
  return {
    attemptsAtOnceMax: 4,
    send: async (delivery, signal) => {
      const body = webhookBody(delivery);
      const headers = webhookHeaders(delivery, { body, key: config.key });
      try {
        const response = await fetch(config.url, {
          method: "POST",
          ...{ headers, body, signal, redirect: "manual" },
        });
        return await resultOf(response, { nowMs: delivery.atMs, url: config.url });
      } catch (error) {
        const [failure, uncertain] = failureOf(error, signal);
        const reason = withheld(failure, config.url);
        return { kind: "retry", reason, ...(uncertain && { uncertain }) };
      }
    },
  };
}

export function webhookBody({ notification, message, attempt }: Delivery): string {
  const { url, repeat, late } = message;
  return JSON.stringify({
    type: `incident.${notification.reason}`,
    id: notification.id,
    attempt,
    mayBeRepeat: repeat !== undefined,
    summary: message.subject,
    ...(late !== undefined && { late }),
    ...(url !== undefined && { url }),
    incident: notification.incident,
  });
}

/** The signature covers the time, so that an old request cannot be sent again. */
export const signatureOf = (key: string, timestamp: string, body: string): string =>
  `sha256=${createHmac("sha256", key).update(`${timestamp}.${body}`).digest("hex")}`;

function webhookHeaders(
  { notification, atMs }: Delivery,
  { body, key }: { readonly body: string; readonly key: string | undefined },
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000));
  return {
    "content-type": "application/json; charset=utf-8",
    "user-agent": "wache",
    "idempotency-key": notification.id,
    "x-wache-timestamp": timestamp,
    ...(key !== undefined && { "x-wache-signature": signatureOf(key, timestamp, body) }),
  };
}

async function resultOf(
  response: Response,
  { nowMs, url }: { readonly nowMs: number; readonly url: string },
): Promise<SendResult> {
  const { status } = response;
  const said = cut(withheld(await startOf(response), url), answerCharsTold);
  const reason = `the webhook answered HTTP ${status}${said === "" ? "" : `: ${said}`}`;
  if (status >= 200 && status < 300) return { kind: "delivered" };
  if (status >= 300 && status < 400)
    return {
      kind: "refused",
      reason: `${reason}; redirects are not followed: put the final address into the channel's url`,
    };
  if (status >= 500 || [408, 425, 429].includes(status)) {
    const waitMs = retryAfterMs(response.headers.get("retry-after"), nowMs);
    return { kind: "retry", reason, ...(waitMs !== undefined && { retryAfterMs: waitMs }) };
  }
  return { kind: "refused", reason: `${reason}; check the channel's url and key` };
}

/** The beginning of an answer, for people; the rest is not read. */
async function startOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    while (bytes < answerBytesMax) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      bytes += value.length;
    }
  } catch {
    // The status is known, and it is all that counts.
  }
  reader.cancel().catch(() => {});
  const text = Buffer.concat(chunks).subarray(0, answerBytesMax).toString("utf8");
  return text.replace(/\s+/g, " ").trim();
}

/** Why a request failed, and whether it may have arrived all the same. */
export function failureOf(error: unknown, signal: AbortSignal): [string, true | undefined] {
  if (signal.aborted) return ["no answer in time", true];
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return [`no connection: ${connectionWords(cause)}`, isBeforeSending(cause) ? undefined : true];
}

// channel.ts — what a channel is: one attempt to hand a message over, and what came of it.
import type { ChannelConfig } from "../../core/config-schema.ts";
import type { Notification, Receivers } from "../../core/records.ts";
import type { Message } from "./message.ts";

export type Delivery = {
  readonly notification: Notification;
  readonly message: Message;
  readonly attempt: number; // 1 for the first
  readonly atMs: number;
  readonly receivers?: Receivers | undefined; // who needs no further attempt
};

/** A refusal is final: the same message would be refused again. */
export type SendResult =
  | { readonly kind: "delivered"; readonly detail?: string; readonly receivers?: Receivers }
  | {
      readonly kind: "retry";
      readonly reason: string;
      readonly retryAfterMs?: number; // the other side asked for it
      readonly uncertain?: true; // the message may have arrived all the same
      readonly receivers?: Receivers;
    }
  | { readonly kind: "refused"; readonly reason: string };

export type Channel = {
  readonly attemptsAtOnceMax: number;
  /** Never rejects for what the world does; ends soon after the signal. */
  readonly send: (delivery: Delivery, signal: AbortSignal) => Promise<SendResult>;
};

export type ChannelOf<Type extends ChannelConfig["type"]> = Extract<
  ChannelConfig,
  { readonly type: Type }
>;

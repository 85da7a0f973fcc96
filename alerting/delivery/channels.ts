// channels.ts — the kinds of channels there are, each in a file of its own.
import type { ChannelConfig } from "../../core/config-schema.ts";
import type { Channel } from "./channel.ts";
import { emailChannel } from "./email.ts";
import { slackChannel } from "./slack.ts";
import { type Fetch, webhookChannel } from "./webhook.ts";

const kinds = {
  slack: slackChannel,
  email: (config: Extract<ChannelConfig, { readonly type: "email" }>) => emailChannel(config),
  webhook: webhookChannel,
} as const;

/** The configured channels by their names. */
export function channelsOf(
  configs: Readonly<Record<string, ChannelConfig>>,
  fetch: Fetch,
): ReadonlyMap<string, Channel> {
  return new Map(
    Object.entries(configs).map(([name, config]) => [name, channelOf(config, fetch)] as const),
  );
}

function channelOf(config: ChannelConfig, fetch: Fetch): Channel {
  switch (config.type) {
    case "slack":
      return kinds.slack(config, fetch);
    case "email":
      return kinds.email(config);
    case "webhook":
      return kinds.webhook(config, fetch);
  }
}

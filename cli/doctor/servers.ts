// servers.ts — checks of what Wache needs elsewhere: Kafka, OpenSearch, mail, Slack, webhooks.
import { createTransport } from "nodemailer";
import { connectionWords } from "../../alerting/delivery/connection.ts";
import { kafkaClient, kafkaNames, TRIES_FEW } from "../../core/bus/kafka-client.ts";
import type { ChannelConfig, Config } from "../../core/config-schema.ts";
import { messageOf } from "../../core/errors.ts";
import { createLog } from "../../core/log.ts";
import { topicSpecs } from "../../core/topics.ts";
import { type Check, type CheckContext, fail, ok, type Result, warn } from "./check.ts";

const CLOCK_OFF_MS_MAX = 5000; // HTTP tells whole seconds
const TLS_PORT = 465;
const OPENSEARCH_MAJOR_MIN = 2;
const NO_LINK =
  "messages have no link to the incident: set api.publicUrl to the address that people use";

export const serverChecks: readonly Check[] = [
  { name: "Kafka", wanted: ({ bus }) => bus.kind === "kafka", run: checkKafka },
  { name: "OpenSearch", wanted: ({ store }) => store.kind === "opensearch", run: checkOpenSearch },
  {
    name: "channels",
    wanted: () => true,
    run: async (context) => {
      const channels = Object.entries(context.config.alerting.channels);
      if (channels.length === 0)
        return [warn("nobody is paged: alerting.channels is empty; add Slack, email or a webhook")];
      const found = await Promise.all(
        channels.map(([name, channel]) => checkChannel(name, channel, context)),
      );
      if (context.config.api.publicUrl !== undefined) return found;
      return [...found, warn(NO_LINK)];
    },
  },
];

async function checkKafka({ config, clock }: CheckContext): Promise<Result[]> {
  const { kafka } = config.bus;
  const at = kafka.brokers.join(", ");
  if (kafka.brokers.length === 0)
    return [fail("bus.kafka.brokers is empty; name some of the brokers as host:port")];
  const log = createLog({ level: "silent" });
  const admin = kafkaClient(kafka, { log, clock }, TRIES_FEW).admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return [
      ok(`${at} answers; ${brokers.length} brokers`),
      replication(config, brokers.length),
      topics(config, new Set(await admin.listTopics())),
    ];
  } catch (error) {
    return [
      fail(
        `${at} can't be used: ${messageOf(error)}; check that it runs, that it can be reached from here, and bus.kafka's ssl and sasl settings`,
      ),
    ];
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

function replication({ bus }: Config, brokers: number): Result {
  const factor = bus.kafka.replicationFactor;
  if (factor > brokers)
    return fail(
      `bus.kafka.replicationFactor is ${factor}, but there are ${brokers} brokers; lower it, or add brokers`,
    );
  if (brokers > 1 && factor === 1)
    return warn(
      "bus.kafka.replicationFactor is 1: a broker that is lost takes records with it; set 3",
    );
  return ok(`topics are kept on ${factor} of ${brokers} brokers`);
}

function topics(config: Config, there: ReadonlySet<string>): Result {
  const names = kafkaNames(config.bus.kafka);
  const missing = topicSpecs(config)
    .map(({ name }) => names.topic(name))
    .filter((name) => !there.has(name));
  return missing.length === 0
    ? ok("all topics are there")
    : ok(`the first start makes the topics ${missing.join(", ")}`);
}

async function checkOpenSearch({
  config,
  clock,
  fetch,
  timeoutMs,
}: CheckContext): Promise<Result[]> {
  const { node, username, password } = config.store.opensearch;
  const todo = "check store.opensearch's node, username and password";
  try {
    const response = await fetch(node, {
      headers:
        username === undefined
          ? {}
          : {
              authorization: `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}`,
            },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) return [fail(`${node} answers HTTP ${response.status}; ${todo}`)];
    const about = (await response.json()) as { version?: { number?: string } };
    const version = about.version?.number ?? "unknown";
    const isKnown = Number(version.split(".")[0]) >= OPENSEARCH_MAJOR_MIN;
    return [
      isKnown
        ? ok(`${node} answers, version ${version}`)
        : warn(`${node} answers as version ${version}; Wache is tested with OpenSearch 3`),
      ...clockOf(response, clock.now()),
    ];
  } catch (error) {
    return [fail(`${node} can't be reached: ${causeOf(error)}; ${todo}, and that it runs`)];
  }
}

function clockOf(response: Response, nowMs: number): Result[] {
  const theirs = Date.parse(response.headers.get("date") ?? "");
  if (!Number.isFinite(theirs)) return [];
  const offMs = Math.abs(nowMs - theirs);
  return offMs > CLOCK_OFF_MS_MAX
    ? [warn(`its clock and ours are ${Math.round(offMs / 1000)} s apart; let NTP set both`)]
    : [ok("its clock is ours")];
}

async function checkChannel(
  name: string,
  channel: ChannelConfig,
  context: CheckContext,
): Promise<Result> {
  const at = `alerting.channels.${name}`;
  try {
    switch (channel.type) {
      case "email":
        return await checkMail(at, channel, context.timeoutMs);
      case "slack":
        return await checkSlack(at, channel, context);
      case "webhook":
        return await checkWebhook(at, channel, context);
    }
  } catch (error) {
    return fail(`${at}: ${causeOf(error)}; check its settings and the way there`);
  }
}

type ChannelOf<T extends ChannelConfig["type"]> = Extract<ChannelConfig, { type: T }>;

async function checkMail(
  at: string,
  channel: ChannelOf<"email">,
  timeoutMs: number,
): Promise<Result> {
  const { host, port, username, password, requireTls } = channel;
  const transport = createTransport({
    host,
    port,
    secure: port === TLS_PORT,
    requireTLS: requireTls && port !== TLS_PORT,
    tls: { minVersion: "TLSv1.2" },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? "" } }),
  });
  try {
    await transport.verify();
    const text = `${at}: ${host}:${port} takes mail${username === undefined ? "" : ` as ${username}`}`;
    return port === TLS_PORT || requireTls
      ? ok(`${text} with TLS`)
      : warn(`${text}, but it may go in clear: set requireTls to true`);
  } finally {
    transport.close();
  }
}

async function checkSlack(
  at: string,
  channel: ChannelOf<"slack">,
  { fetch, timeoutMs }: CheckContext,
): Promise<Result> {
  if (channel.token === undefined)
    return fail(`${at}: has no token; set token_file to a file that holds the bot's xoxb-… token`);
  const api = (channel.apiUrl ?? "https://slack.com/api").replace(/\/+$/, "");
  const response = await fetch(`${api}/auth.test`, {
    method: "POST",
    headers: { authorization: `Bearer ${channel.token}` },
    signal: AbortSignal.timeout(timeoutMs),
  });
  const about = (await response.json()) as {
    ok?: boolean;
    error?: string;
    team?: string;
    user?: string;
  };
  if (about.ok === true)
    return ok(
      `${at}: Slack knows the token (${about.user ?? "a bot"} in ${about.team ?? "a team"})`,
    );
  return fail(
    `${at}: Slack refuses the token: ${about.error ?? `HTTP ${response.status}`}; make a bot token with chat:write and invite the bot to ${channel.channel}`,
  );
}

/** A webhook's answer to anything at all shows that it is there; only a page may be sent to it. */
async function checkWebhook(
  at: string,
  channel: ChannelOf<"webhook">,
  { fetch, timeoutMs }: CheckContext,
): Promise<Result> {
  const response = await fetch(channel.url, {
    method: "HEAD",
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
  });
  const signed = channel.key === undefined ? "; its bodies are not signed, set key_file" : "";
  const text = `${at}: ${new URL(channel.url).host} answers (HTTP ${response.status})${signed}`;
  return channel.key === undefined ? warn(text) : ok(text);
}

const causeOf = (error: unknown): string =>
  connectionWords(error instanceof Error && error.cause !== undefined ? error.cause : error);

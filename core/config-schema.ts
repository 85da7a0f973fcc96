// config-schema.ts — every key of wache.yaml: its type, default and meaning. An empty file is a working configuration.
//
// Types, checks, defaults and docs/configuration.md all come from here.
import { type Static, Type } from "typebox";
import {
  closed,
  host,
  mailAddress,
  port,
  secret,
  section,
  span,
  webAddress,
} from "./config-words.ts";

const logSource = Type.Object(
  {
    product: Type.Optional(Type.String({ description: "such as linux" })),
    category: Type.Optional(Type.String({ description: "such as webserver" })),
    service: Type.Optional(Type.String({ description: "such as sshd" })),
  },
  { ...closed, description: "Sigma's words for these logs, beside what the parser finds" },
);

const bus = section(
  {
    kind: Type.Union([Type.Literal("embedded"), Type.Literal("kafka")], {
      default: "embedded",
      description: "embedded: SQLite in the data folder; kafka: brokers named below",
    }),
    partitions: Type.Integer({
      minimum: 1,
      maximum: 256,
      default: 4,
      description: "of each topic that Wache creates",
    }),
    retention: span(
      "7d",
      "how long records are kept once every group has read them; dead letters at least store.retention",
    ),
    kafka: section(
      {
        brokers: Type.Array(Type.String(), {
          default: [],
          description: "host:port of some brokers",
        }),
        clientId: Type.String({ default: "wache", description: "how the brokers' logs name us" }),
        prefix: Type.String({
          default: "wache",
          pattern: "^[a-z][a-z0-9-]*$",
          description: "of every topic and consumer group; one for each installation on a Kafka",
        }),
        replicationFactor: Type.Integer({
          minimum: 1,
          default: 1,
          description: "of topics that Wache creates; 3 in production",
        }),
        ssl: Type.Boolean({ default: false, description: "TLS with the system's authorities" }),
        queueBytesMax: Type.Integer({
          minimum: 65_536,
          default: 33_554_432,
          description:
            "records in memory on their way to the brokers; beyond it whoever makes them waits",
        }),
        saslUsername: Type.Optional(Type.String({ description: "SASL/SCRAM-SHA-512 user" })),
        saslPassword: secret("SASL/SCRAM-SHA-512 password"),
      },
      "where kind is kafka",
    ),
  },
  "the bus between the services",
);

const store = section(
  {
    kind: Type.Union([Type.Literal("embedded"), Type.Literal("opensearch")], {
      default: "embedded",
      description: "embedded: SQLite files in the data folder; opensearch: the cluster named below",
    }),
    retention: span("30d", "an event index is removed this long after it was last written"),
    opensearch: section(
      {
        node: Type.String({ default: "http://127.0.0.1:9200", description: "URL" }),
        username: Type.Optional(Type.String({ description: "HTTP basic user" })),
        password: secret("password"),
        prefix: Type.String({
          default: "wache",
          pattern: "^[a-z][a-z0-9-]*$",
          description: "of every index name",
        }),
        replicas: Type.Integer({ minimum: 0, default: 0, description: "1 or more in production" }),
      },
      "where kind is opensearch",
    ),
  },
  "where events, findings and incidents are kept",
);

const time = section(
  {
    lateness: span(
      "10m",
      "how much later than its own time an event may be received and still count",
    ),
    zone: Type.String({ default: "UTC", description: "IANA zone of times that carry none" }),
  },
  "time",
);

const sourceName = Type.String({
  pattern: "^[A-Za-z0-9._-]{1,64}$",
  description: "what its events name as their source",
});
const collectors = section(
  {
    http: section(
      {
        sources: Type.Array(
          Type.Object(
            {
              name: sourceName,
              token: secret("bearer token of this source"),
              zone: Type.Optional(Type.String({ description: "IANA zone of times without one" })),
              logSource: Type.Optional(logSource),
            },
            closed,
          ),
          {
            default: [],
            description: "who may POST /ingest; the data folder's own ingest.token always may",
          },
        ),
        bodyBytesMax: Type.Integer({
          minimum: 1024,
          default: 33_554_432,
          description: "of one request, also once unpacked",
        }),
      },
      "POST /ingest",
    ),
    syslog: section(
      {
        host: host("address that syslog listens on"),
        udpPort: Type.Optional(
          Type.Integer({ minimum: 0, maximum: 65_535, description: "default 5514" }),
        ),
        tcpPort: Type.Optional(
          Type.Integer({ minimum: 0, maximum: 65_535, description: "default 5514" }),
        ),
        enabled: Type.Boolean({ default: true, description: "listen at all" }),
        zone: Type.Optional(Type.String({ description: "IANA zone of times without one" })),
        connectionsMax: Type.Integer({ minimum: 1, default: 1000, description: "of TCP at once" }),
      },
      "syslog by UDP and TCP: RFC 3164, 5424, octet counting",
    ),
    files: Type.Array(
      Type.Object(
        {
          path: Type.String({
            description: "a file, or a pattern with * in its last part",
            isPath: true,
          }),
          name: Type.Optional(sourceName),
          zone: Type.Optional(Type.String({ description: "IANA zone of times without one" })),
          logSource: Type.Optional(logSource),
          from: Type.Union([Type.Literal("start"), Type.Literal("end")], {
            default: "start",
            description: "where a file that was never read begins",
          }),
        },
        closed,
      ),
      { default: [], description: "files to follow" },
    ),
    lineBytesMax: Type.Integer({
      minimum: 256,
      maximum: 524_288,
      default: 131_072,
      description: "the rest of a longer line is cut off, and the event says so",
    }),
    queueBytesMax: Type.Integer({
      minimum: 1_048_576,
      default: 33_554_432,
      description: "events in memory on their way to the bus; beyond it senders wait",
    }),
    spoolBytesMax: Type.Integer({
      minimum: 0,
      default: 1_073_741_824,
      description: "events on disk while the bus is away; beyond it senders are refused",
    }),
  },
  "inputs",
);

const correlator = section(
  {
    rules: Type.Array(
      Type.Object(
        {
          path: Type.String({ description: "a folder of rules, or one file", isPath: true }),
          lenient: Type.Boolean({ default: false, description: "leave bad rules out and say so" }),
        },
        closed,
      ),
      { default: [], description: "beside the rules that ship with Wache" },
    ),
    mappings: Type.Array(Type.String({ isPath: true, description: "a folder, or one file" }), {
      default: [],
      description:
        "mapping files beside those that ship with Wache, and before them: where fields stand, what tells a log source",
    }),
    assets: Type.Array(Type.String({ isPath: true, description: "a folder, or one file" }), {
      default: [],
      description: "files of assets: what rules mean by assets (docs/rules.md)",
    }),
    shippedRules: Type.Boolean({
      default: true,
      description: "use the rules that ship with Wache",
    }),
    placeholders: Type.Record(
      Type.String({ pattern: "^[^%\\s\\\\]{1,64}$" }),
      Type.Array(Type.String({ maxLength: 1000 }), { minItems: 1, maxItems: 1000 }),
      {
        default: {},
        description: "what stands for %name% in rules that say expand: a name and its values",
      },
    ),
    groupsMax: Type.Integer({
      minimum: 1,
      default: 500_000,
      description: "live groups of all rules a partition; about 300 bytes of memory each",
    }),
    matchesMax: Type.Integer({
      minimum: 1,
      default: 10_000,
      description: "matches remembered a group; beyond it the oldest are forgotten",
    }),
    valuesMax: Type.Integer({
      minimum: 1000,
      default: 100_000,
      description:
        "values remembered a group, of all its matches; beyond it the oldest are forgotten",
    }),
    evidenceMax: Type.Integer({
      minimum: 2,
      maximum: 100,
      default: 20,
      description: "event ids named by a finding",
    }),
    late: section(
      {
        every: Type.Optional(
          Type.String({
            pattern: "^[1-9][0-9]*(s|m|h)$",
            description: "correlates them so often, such as 5m; else wache backfill --late does",
          }),
        ),
        page: Type.Boolean({ default: true, description: "what they show of live pages" }),
      },
      "events later than time.lateness",
    ),
    snapshot: span("60s", "how often state is snapshotted"),
  },
  "rules and windows",
);

const level = Type.Union(
  [
    Type.Literal("informational"),
    Type.Literal("low"),
    Type.Literal("medium"),
    Type.Literal("high"),
    Type.Literal("critical"),
  ],
  { description: "this severity and above" },
);
const channel = Type.Union([
  Type.Object(
    {
      type: Type.Literal("slack", { description: "the kind of channel" }),
      token: secret("bot token, xoxb-…, with chat:write"),
      channel: Type.String({ description: "channel id or name" }),
      apiUrl: Type.Optional(webAddress("Slack's Web API unless told")),
    },
    closed,
  ),
  Type.Object(
    {
      type: Type.Literal("email", { description: "the kind of channel" }),
      host: Type.String({ description: "SMTP server" }),
      port: port(587, "465 is TLS from the start, others STARTTLS where offered"),
      requireTls: Type.Boolean({ default: true, description: "refuse to send in clear" }),
      username: Type.Optional(Type.String({ description: "SMTP user" })),
      password: secret("SMTP password"),
      from: mailAddress("the sender's address"),
      to: Type.Array(mailAddress(), { minItems: 1, description: "the receivers' addresses" }),
    },
    closed,
  ),
  Type.Object(
    {
      type: Type.Literal("webhook", { description: "the kind of channel" }),
      url: webAddress("http or https"),
      key: secret("signs each body: HMAC-SHA256"),
    },
    closed,
  ),
]);
const alerting = section(
  {
    channels: Type.Record(Type.String({ pattern: "^[A-Za-z0-9._-]{1,64}$" }), channel, {
      default: {},
      description: "ways to reach people, by name",
    }),
    routes: Type.Array(
      Type.Object(
        {
          minLevel: level,
          channels: Type.Array(Type.String(), {
            minItems: 1,
            description: "names under alerting.channels",
          }),
        },
        closed,
      ),
      {
        default: [],
        description:
          "each route that a severity reaches sends to its channels; without routes, medium and above go to every channel",
      },
    ),
    delivery: section(
      {
        attemptsMax: Type.Integer({
          minimum: 1,
          default: 12,
          description: "then the message goes to the dead letter",
        }),
        backoff: span("2s", "before the second attempt; doubles each time"),
        backoffMax: span("10m", "the most between two attempts"),
        timeout: span(
          "15s",
          "for one attempt; with more than 15s a stop may not wait for it to end",
        ),
      },
      "retries",
    ),
    snapshot: span("60s", "how often state is snapshotted"),
  },
  "incidents, routes and channels",
);

const api = section(
  {
    host: host("address that HTTP listens on"),
    port: port(8480, "of HTTP: page, API, ingest, health and metrics"),
    publicUrl: Type.Optional(
      Type.String({ description: "how people reach the page; links in messages use it" }),
    ),
    openHealth: Type.Boolean({
      default: true,
      description: "serve /healthz and /readyz without a sign-in",
    }),
    openMetrics: Type.Boolean({ default: true, description: "serve /metrics without a sign-in" }),
    session: span("12h", "how long a sign-in lasts"),
  },
  "HTTP",
);

export const configSchema = Type.Object(
  {
    data: Type.String({
      default: "wache-data",
      description: "folder of all that Wache keeps on this machine",
      isPath: true,
    }),
    log: section(
      {
        level: Type.Union(
          (["trace", "debug", "info", "warn", "error"] as const).map((word) => Type.Literal(word)),
          { default: "info", description: "the least that is logged" },
        ),
      },
      "logging",
    ),
    bus,
    store,
    time,
    collectors,
    correlator,
    alerting,
    api,
  },
  closed,
);
export type Config = Static<typeof configSchema>;
export type ChannelConfig = Static<typeof channel>;

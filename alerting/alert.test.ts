import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Bus } from "../core/bus/bus.ts";
import { openEmbeddedBus } from "../core/bus/embedded.ts";
import { randomId, systemClock } from "../core/clock.ts";
import { loadConfig } from "../core/config.ts";
import type { Config } from "../core/config-schema.ts";
import { createLog } from "../core/log.ts";
import { type Command, type Finding, type Incident, TOPIC } from "../core/records.ts";
import type { ServiceContext, StatusBoard } from "../core/service.ts";
import { createStatus } from "../core/status.ts";
import type { Document, Store } from "../core/store/store.ts";
import { topicSpecs } from "../core/topics.ts";
import { type SlackStandIn, startSlack } from "../test/servers/slack.ts";
import { type SmtpStandIn, startSmtp } from "../test/servers/smtp.ts";
import { startWebhook, type WebhookStandIn } from "../test/servers/webhook.ts";
import { alertService } from "./alert.ts";
import { finding } from "./fixtures/findings.ts";
import { channelsFor, routesOf } from "./routing/routes.ts";

let folder = "";
let [slack, smtp, hook]: [SlackStandIn?, SmtpStandIn?, WebhookStandIn?] = [];
const running: Running[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "wache-alert-"));
  [slack, smtp, hook] = await Promise.all([
    startSlack(),
    startSmtp(),
    startWebhook({ key: "s3cret" }),
  ]);
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  await Promise.all([slack?.close(), smtp?.close(), hook?.close()]);
  rmSync(folder, { recursive: true });
});

const servers = () => {
  if (!slack || !smtp || !hook) throw new Error("the servers are not there");
  return { slack, smtp, hook };
};
const config = (): Config => {
  const { slack, smtp, hook } = servers();
  const channels = {
    chat: { type: "slack", token: "xoxb-test", channel: "#alerts", apiUrl: slack.apiUrl },
    mail: {
      ...{ type: "email", host: "127.0.0.1", port: smtp.port, requireTls: false },
      ...{ from: "wache@example.com", to: ["team@example.com"] },
    },
    hook: { type: "webhook", url: hook.url, key: "s3cret" },
  };
  const delivery = { backoff: "10ms", backoffMax: "20ms", attemptsMax: 3 };
  return loadConfig({ cwd: folder, env: {}, overrides: { alerting: { channels, delivery } } });
};

type Running = {
  readonly bus: Bus;
  readonly status: StatusBoard;
  readonly metrics: Registry;
  readonly stop: () => Promise<void>;
};
async function started(documents: Map<string, Document> = new Map()): Promise<Running> {
  const configured = config();
  const bus = openEmbeddedBus({ dir: folder, clock: systemClock });
  await bus.ensureTopics(topicSpecs(configured));
  const store = {
    putDocuments: async (_into: string, put: readonly Document[]) => {
      for (const one of put) documents.set(one.id, one);
    },
  } as unknown as Store;
  const metrics = new Registry();
  const status = createStatus();
  const service = await alertService.start({
    ...{ config: configured, dataDir: folder, rulesDirs: [], bus, store, metrics, status },
    ...{ http: undefined as never, clock: systemClock, random: randomId },
    log: createLog({ level: "silent" }),
  } satisfies ServiceContext);
  const one: Running = {
    ...{ bus, status, metrics },
    stop: async () => {
      if (running.includes(one)) running.splice(running.indexOf(one), 1);
      await service.stop();
      await bus.close();
    },
  };
  running.push(one);
  return one;
}

const put = (bus: Bus, ...findings: readonly Finding[]) =>
  bus.produce(findings.map((value) => ({ topic: TOPIC.findings, key: value.fingerprint, value })));

async function incidents(bus: Bus): Promise<ReadonlyMap<string, Incident>> {
  const last = new Map<string, Incident>();
  for (let partition = 0; partition < bus.partitions(TOPIC.incidents); partition++)
    for await (const { value } of bus.read(TOPIC.incidents, partition, 0))
      last.set((value as Incident).id, value as Incident);
  return last;
}

const counts = () => {
  const { slack, smtp, hook } = servers();
  return [slack.messages.length, smtp.mails.length, hook.taken.size];
};
const EVENTUALLY = { timeout: 10_000, interval: 10 };

test("a finding becomes one incident, one message a channel, and a document in the store", async () => {
  const documents = new Map<string, Document>();
  const { bus } = await started(documents);
  await put(
    bus,
    finding(),
    finding({ revision: 2, count: 40 }),
    finding({ revision: 2, count: 40 }),
  );
  await expect.poll(counts, EVENTUALLY).toEqual([1, 1, 1]);
  await expect
    .poll(() => [...documents.values()].map(({ revision }) => revision), EVENTUALLY)
    .toEqual([2]);
  const [incident] = (await incidents(bus)).values();
  expect(incident).toMatchObject({ number: 1, status: "open", count: 40, revision: 2 });
  expect(servers().hook.requests[0]?.json).toMatchObject({ incident: { id: incident?.id } });
});

test("a restart repeats nothing and goes on where it was", async () => {
  const first = await started();
  await put(first.bus, finding());
  await expect.poll(counts, EVENTUALLY).toEqual([1, 1, 1]);
  await first.stop();
  const second = await started();
  const other = finding({ id: "g1", fingerprint: "fp2" });
  await put(second.bus, finding(), other, finding({ revision: 2, count: 50 }));
  await expect.poll(counts, EVENTUALLY).toEqual([2, 2, 2]);
  await expect
    .poll(
      async () => [...(await incidents(second.bus)).values()].map(({ count }) => count).sort(),
      EVENTUALLY,
    )
    .toEqual([12, 50]);
});

test("what people ask for travels as a record", async () => {
  const { bus } = await started();
  await put(bus, finding());
  await expect.poll(async () => (await incidents(bus)).size, EVENTUALLY).toBe(1);
  const [incident] = (await incidents(bus)).values();
  const value: Command & { key: string } = {
    ...{ kind: "command", id: "c1", incident: incident?.id ?? "", by: "ada", atMs: 1, key: "fp1" },
    action: { do: "acknowledge" },
  };
  await bus.produce([{ topic: TOPIC.casework, key: "fp1", value }]);
  await expect
    .poll(async () => [...(await incidents(bus)).values()].map(({ status }) => status), EVENTUALLY)
    .toEqual(["acknowledged"]);
});

test("channels that fail are tried again, refusals are seen in status, metrics and the dead letter", async () => {
  const { slack, smtp, hook } = servers();
  slack.script.push({ rateLimitedS: 0 }, { status: 500 });
  smtp.script.push({ code: 451, text: "later" });
  hook.script.push({ status: 410 });
  const { bus, status, metrics } = await started();
  await put(bus, finding());
  await expect.poll(counts, EVENTUALLY).toEqual([1, 1, 0]);
  const deadLetters = async () => {
    const reasons: string[] = [];
    for (let partition = 0; partition < bus.partitions(TOPIC.deadLetter); partition++)
      for await (const { value } of bus.read(TOPIC.deadLetter, partition, 0))
        reasons.push((value as { reason: string }).reason);
    return reasons;
  };
  await expect
    .poll(deadLetters, EVENTUALLY)
    .toEqual([expect.stringMatching(/^hook: the webhook answered HTTP 410; check/)]);
  await expect
    .poll(() => status.all().delivery, EVENTUALLY)
    .toEqual({
      ...{ ok: false, ready: true },
      text: expect.stringMatching(/^hook: a message failed, see the dead letter, .*HTTP 410/),
    });
  await expect
    .poll(async () => (await metrics.metrics()).split("\n"), EVENTUALLY)
    .toEqual(
      expect.arrayContaining([
        'wache_notifications_total{channel="chat",outcome="delivered"} 1',
        'wache_notifications_total{channel="chat",outcome="retry"} 2',
        'wache_notifications_total{channel="mail",outcome="retry"} 1',
        'wache_notifications_total{channel="hook",outcome="failed"} 1',
        'wache_deliveries_pending{channel="hook"} 0',
        "wache_incidents_open 1",
      ]),
    );
});

test("what was given up stays in the status, over later messages and a restart, and in the timeline", async () => {
  servers().hook.script.push({ status: 410 });
  const first = await started();
  await put(first.bus, finding());
  const timeline = async () =>
    [...(await incidents(first.bus)).values()].flatMap((one) =>
      one.timeline.map(({ by, text }) => `${by}: ${text}`),
    );
  await expect
    .poll(timeline, EVENTUALLY)
    .toContainEqual(
      expect.stringMatching(/^Wache: Nobody was told by hook: the webhook answered HTTP 410/),
    );
  await put(first.bus, finding({ id: "g1", fingerprint: "fp2" }));
  await expect.poll(counts, EVENTUALLY).toEqual([2, 2, 1]);
  const want = {
    ...{ ok: false, ready: true },
    text: expect.stringMatching(/^hook: 1 message was given up \(not everyone was told\) at 2/),
  };
  await expect.poll(() => first.status.all().delivery, EVENTUALLY).toEqual(want);
  await first.stop();
  const second = await started();
  await expect.poll(() => second.status.all().delivery, EVENTUALLY).toEqual(want);
  expect(await second.metrics.metrics()).toContain('wache_deliveries_given_up{channel="hook"} 1');
  expect(counts()).toEqual([2, 2, 1]);
});

test("a route to a channel that is not there refuses the start", async () => {
  const routes = [{ minLevel: "high", channels: ["pager"] }];
  const overrides = { alerting: { routes } };
  const context = { config: loadConfig({ cwd: folder, env: {}, overrides }) } as ServiceContext;
  await expect(alertService.start(context)).rejects.toMatchObject({
    code: "alerting.unknown-channel",
    message: expect.stringMatching(/^alerting\.routes\[0\]: there is no channel "pager"; /),
  });
});

test("what is no finding goes to the dead letter, and the line goes on", async () => {
  const { bus } = await started();
  await bus.produce([
    { topic: TOPIC.findings, key: "fp1", value: { kind: "finding", id: 7 } },
    { topic: TOPIC.findings, key: "fp1", value: "no object" },
  ]);
  await put(bus, finding());
  await expect.poll(counts, EVENTUALLY).toEqual([1, 1, 1]);
});

test("the example in the manual is a configuration that works", () => {
  const manual = readFileSync(new URL("../docs/alerting.md", import.meta.url), "utf8");
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(manual) ?? [];
  writeFileSync(join(folder, "wache.yaml"), yaml);
  const { alerting } = loadConfig({ cwd: folder, env: { SLACK_TOKEN: "xoxb-1", PAGER_KEY: "k" } });
  expect(channelsFor(routesOf(alerting), "high")).toEqual(["chat", "mail"]);
  expect(channelsFor(routesOf(alerting), "critical")).toEqual(["chat", "mail", "pager"]);
});

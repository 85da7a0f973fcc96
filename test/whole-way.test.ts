// From a log file to a page, in one process on embedded storage, and in five over real Kafka and OpenSearch.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Incident } from "../core/records.ts";
import { type Attack, writeAttack } from "./attack.ts";
import { everything, type House, type HouseProcess, openHouse, until, wache } from "./house.ts";
import { inRounds, seeded, sendUnderKills } from "./kills.ts";
import { embeddedLogIsCut, kafkaLogIsCut } from "./log-cut.ts";
import { differences, type Outcome, outcomeLike, outcomeOf } from "./outcome.ts";
import { startKafka } from "./servers/kafka.ts";
import { startOpenSearch } from "./servers/opensearch.ts";
import { startSlack } from "./servers/slack.ts";
import { startSmtp } from "./servers/smtp.ts";
import { startWebhook, type WebhookStandIn } from "./servers/webhook.ts";

const KEY = "a key for tests";
const TEST_MS_MAX = 240_000;
const SLACK_TOKEN = "xoxb-0000000000-test";
const SLACK_CHANNEL = "C0WATCH";
const RULES = join(import.meta.dirname, "fixtures", "rules");
const SSH_LOG = join(import.meta.dirname, "..", "..", "shared", "data", "logs", "OpenSSH_2k.log");

const baseConfig = (hook: WebhookStandIn) => ({
  collectors: { queueBytesMax: 1_048_576 }, // a tenth of what is sent
  correlator: { shippedRules: false, rules: [{ path: RULES }], snapshot: "500ms" },
  alerting: {
    snapshot: "500ms",
    channels: { hook: { type: "webhook", url: hook.url, key: KEY } },
    delivery: { backoff: "100ms", backoffMax: "1s" },
  },
});

/** How many events an incident of a severity counts in the end. */
const COUNTS: Readonly<Record<string, number>> = { critical: 6, high: 12, medium: 12 };

/** Waits until all events are stored and the incidents wanted are there with their final counts; gives what was found. */
async function settled(data: string, attack: Attack): Promise<Outcome> {
  const { bruteForce, broken, slow } = attack;
  await expectEvents(data, attack);
  return until(
    () => outcomeOf(data),
    ({ findings, incidents }) =>
      incidents.length >= bruteForce.length + broken.length + slow.length &&
      findings.length >= incidents.length &&
      incidents.every(({ severity, count }) => count === COUNTS[severity]),
    60_000,
  );
}

/** Every line became an event in the store, and none became two. */
async function expectEvents(data: string, { lines }: Attack): Promise<void> {
  const stored = async () => (await everything(data, "/api/events")).length;
  expect(await until(stored, (count) => count >= lines, 60_000, 500)).toBe(lines);
}

const addresses = ({ incidents }: Outcome, severity: string): string[] =>
  incidents
    .filter((one) => one.severity === severity)
    .map(({ group }) => group["source.ip"] ?? "")
    .sort();

function expectAttackFound(outcome: Outcome, { bruteForce, broken, slow }: Attack): void {
  expect(addresses(outcome, "high")).toEqual([...bruteForce].sort());
  expect(addresses(outcome, "critical")).toEqual([...broken].sort());
  expect(addresses(outcome, "medium")).toEqual([...slow].sort());
  for (const { severity, count } of outcome.incidents) expect(count).toBe(COUNTS[severity]);
}

async function expectOnePageEach(hook: WebhookStandIn, outcome: Outcome): Promise<void> {
  await until(
    async () => hook.taken.size,
    (size) => size >= outcome.incidents.length,
    30_000,
  );
  const paged = [...hook.taken.values()]
    .map(({ json }) => (json["incident"] as Incident).id)
    .sort();
  expect(paged).toEqual(outcome.incidents.map(({ id }) => id).sort());
  const seen = new Set<unknown>();
  const unmarkedRepeats = hook.requests.filter(({ json }) => {
    const again = seen.has(json["id"]);
    seen.add(json["id"]);
    return again && json["mayBeRepeat"] !== true;
  });
  expect(unmarkedRepeats).toEqual([]);
}

/** No event lost or doubled, findings, incidents and pages as in the undisturbed run. */
async function expectSame(hook: WebhookStandIn, data: string, expected: Outcome): Promise<void> {
  const different = differences(await outcomeLike(data, expected), expected);
  expect(different, different.join("\n")).toEqual([]);
  await expectEvents(data, attack);
  await expectOnePageEach(hook, expected);
}

async function startAll(processes: readonly HouseProcess[]): Promise<void> {
  await Promise.all(processes.map((one) => one.start()));
}

let reference: Outcome | undefined;

/** The undisturbed run on embedded storage that every other run must equal. */
async function undisturbed(attack: Attack): Promise<Outcome> {
  if (reference) return reference;
  const hook = await startWebhook({ key: KEY });
  const house = openHouse(baseConfig(hook));
  const run = house.process("run");
  await run.start();
  const sent = await wache("send", "--data", run.data, "--page", attack.file);
  expect(sent).toMatchObject({ code: 0 });
  reference = await settled(run.data, attack);
  expectAttackFound(reference, attack);
  await expectOnePageEach(hook, reference);
  expect(await run.stop()).toBe(0);
  await house.dispose();
  await hook.close();
  return reference;
}

let files: House;
let attack: Attack;
beforeAll(() => {
  files = openHouse({});
  attack = writeAttack(join(files.dir, "attack.log"), { noise: 12_000, attackers: 12, slow: 8 });
});
afterAll(() => files.dispose());

describe("embedded", { timeout: TEST_MS_MAX }, () => {
  test("a file leads to incidents and one page each; sent again it adds nothing", async () => {
    const hook = await startWebhook({ key: KEY });
    const house = openHouse(baseConfig(hook));
    onTestFinished(async () => {
      await house.dispose();
      await hook.close();
    });
    const run = house.process("run");
    await run.start();
    const small = writeAttack(join(house.dir, "small.log"), { noise: 1500, attackers: 4 });
    expect(await wache("send", "--data", run.data, "--page", small.file)).toMatchObject({
      code: 0,
    });
    const first = await settled(run.data, small);
    expectAttackFound(first, small);
    await expectOnePageEach(hook, first);
    const again = await wache("send", "--data", run.data, "--page", small.file);
    expect(again.out).toContain("nothing added");
    expect(await outcomeOf(run.data)).toEqual(first);
    await expectEvents(run.data, small);
    await expectOnePageEach(hook, first);
    expect(await run.stop()).toBe(0);
  });

  test("killed again and again while a file is sent: nothing lost, nothing doubled", async () => {
    const chance = seeded("embedded kills");
    const expected = await undisturbed(attack);
    const hook = await startWebhook({ key: KEY });
    const house = openHouse({ ...baseConfig(hook), bus: { retention: "500ms" } });
    onTestFinished(async () => {
      await house.dispose();
      await hook.close();
    });
    const run = house.process("run");
    await run.start();
    await sendUnderKills({
      attack,
      collector: run,
      rounds: Array.from({ length: 5 }, () => [run]),
      logIsCut: () => embeddedLogIsCut(run.data),
      chance,
    });
    await expectSame(hook, run.data, expected);
  });

  test.skipIf(!existsSync(SSH_LOG))(
    "a real log: one mail and one Slack message for each attacking address",
    async () => {
      const smtp = await startSmtp();
      const slack = await startSlack({ token: SLACK_TOKEN, channels: [SLACK_CHANNEL] });
      const house = openHouse({
        correlator: { shippedRules: false, rules: [{ path: RULES }] },
        alerting: {
          channels: {
            mail: {
              type: "email",
              host: "127.0.0.1",
              port: smtp.port,
              requireTls: false,
              from: "wache@example.org",
              to: ["watch@example.org"],
            },
            chat: {
              type: "slack",
              token: SLACK_TOKEN,
              channel: SLACK_CHANNEL,
              apiUrl: slack.apiUrl,
            },
          },
          routes: [{ minLevel: "high", channels: ["mail", "chat"] }],
        },
      });
      onTestFinished(async () => {
        await house.dispose();
        await smtp.close();
        await slack.close();
      });
      const run = house.process("run");
      await run.start();
      expect(await wache("send", "--data", run.data, "--page", SSH_LOG)).toMatchObject({ code: 0 });
      const attacking = [
        "103.99.0.122",
        "112.95.230.3",
        "183.62.140.253",
        "185.190.58.151",
        "187.141.143.180",
        "5.188.10.180",
      ];
      const found = await until(
        async () => addresses(await outcomeOf(run.data), "high"),
        (high) => high.length >= attacking.length,
      );
      expect(found).toEqual(attacking);
      await until(
        async () => Math.min(smtp.mails.length, slack.messages.length),
        (count) => count >= attacking.length,
      );
      expect(smtp.mails).toHaveLength(attacking.length);
      expect(slack.messages).toHaveLength(attacking.length);
    },
  );
});

const kafka = await startKafka();
const openSearch = await startOpenSearch();
afterAll(async () => {
  if (!("skip" in kafka)) await kafka.stop();
  if (!("skip" in openSearch)) await openSearch.stop();
});

describe("Kafka and OpenSearch", { timeout: TEST_MS_MAX }, () => {
  if ("skip" in kafka || "skip" in openSearch) {
    test.skip(`needs both: ${"skip" in kafka ? kafka.skip : ""} ${"skip" in openSearch ? openSearch.skip : ""}`, () => {});
    return;
  }
  const distributed = (hook: WebhookStandIn, prefix: string) => ({
    ...baseConfig(hook),
    bus: { kind: "kafka", partitions: 4, kafka: { brokers: kafka.brokers, prefix } },
    store: { kind: "opensearch", opensearch: { node: openSearch.node, prefix } },
  });

  test("five processes find what one process finds, by id", async () => {
    const expected = await undisturbed(attack);
    const hook = await startWebhook({ key: KEY });
    const house = openHouse(distributed(hook, "five"));
    onTestFinished(async () => {
      await house.dispose();
      await hook.close();
    });
    const collect = house.process("collect");
    const api = house.process("api");
    await startAll([
      house.process("alert"),
      house.process("correlate"),
      house.process("detect"),
      collect,
      api,
    ]);
    expect(await wache("send", "--data", collect.data, "--page", attack.file)).toMatchObject({
      code: 0,
    });
    await expectSame(hook, api.data, expected);
  });

  test("two of each stage, every process killed on the way, one frozen: nothing lost, nothing doubled", async () => {
    const chance = seeded("Kafka kills");
    const expected = await undisturbed(attack);
    const hook = await startWebhook({ key: KEY });
    const house = openHouse(distributed(hook, "killed"));
    onTestFinished(async () => {
      await house.dispose();
      await hook.close();
    });
    const collect = house.process("collect");
    const api = house.process("api");
    const pairs = ["alert", "correlate", "detect"].flatMap((verb) => [
      house.process(verb, `${verb}-1`),
      house.process(verb, `${verb}-2`),
    ]);
    const all = [...pairs, collect, api];
    await startAll(all);
    await sendUnderKills({
      attack,
      collector: collect,
      rounds: inRounds(all, 3, chance),
      freezable: pairs,
      logIsCut: () => kafkaLogIsCut({ brokers: kafka.brokers, prefix: "killed" }),
      chance,
    });
    await expectSame(hook, api.data, expected);
  });
});

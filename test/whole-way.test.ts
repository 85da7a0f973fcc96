// From a log file to a page, in one process on embedded storage, and in five over real Kafka and OpenSearch.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Incident } from "../core/records.ts";
import { type Attack, writeAttack } from "./attack.ts";
import {
  ask,
  everything,
  type House,
  type HouseProcess,
  type Outcome,
  openHouse,
  outcomeOf,
  until,
  wache,
} from "./house.ts";
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
  correlator: { shippedRules: false, rules: [{ path: RULES }], snapshot: "2s" },
  alerting: {
    channels: { hook: { type: "webhook", url: hook.url, key: KEY } },
    delivery: { backoff: "100ms", backoffMax: "1s" },
  },
});

type Wanted = {
  readonly events: number;
  readonly bruteForce: readonly string[];
  readonly broken: readonly string[];
};

/** Waits until all events are stored and the incidents wanted are there with their final counts; gives what was found. */
async function settled(data: string, { events, bruteForce, broken }: Wanted): Promise<Outcome> {
  await until(
    async () => (await everything(data, "/api/events")).length,
    (stored) => stored >= events,
    120_000,
  );
  return until(
    () => outcomeOf(data),
    ({ findings, incidents }) =>
      incidents.length >= bruteForce.length + broken.length &&
      findings.length >= incidents.length &&
      (incidents as Incident[]).every(
        ({ severity, count }) => count === (severity === "high" ? 12 : 6),
      ),
    60_000,
  );
}

const addresses = (incidents: readonly unknown[], severity: string): string[] =>
  (incidents as Incident[])
    .filter((one) => one.severity === severity)
    .map(({ group }) => group["source.ip"] ?? "")
    .sort();

function expectAttackFound(outcome: Outcome, { bruteForce, broken }: Wanted): void {
  expect(addresses(outcome.incidents, "high")).toEqual([...bruteForce].sort());
  expect(addresses(outcome.incidents, "critical")).toEqual([...broken].sort());
  const counts = (outcome.incidents as Incident[])
    .filter(({ severity }) => severity === "high")
    .map(({ count }) => count);
  expect(new Set(counts)).toEqual(new Set([12]));
}

function expectOnePageEach(hook: WebhookStandIn, outcome: Outcome): void {
  const paged = [...hook.taken.values()]
    .map(({ json }) => (json["incident"] as Incident).id)
    .sort();
  expect(paged).toEqual((outcome.incidents as Incident[]).map(({ id }) => id).sort());
  const seen = new Set<unknown>();
  const unmarkedRepeats = hook.requests.filter(({ json }) => {
    const again = seen.has(json["id"]);
    seen.add(json["id"]);
    return again && json["mayBeRepeat"] !== true;
  });
  expect(unmarkedRepeats).toEqual([]);
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
  const wanted = { ...attack, events: attack.lines };
  reference = await settled(run.data, wanted);
  expectAttackFound(reference, wanted);
  await until(
    async () => hook.taken.size,
    (size) => size >= (reference?.incidents.length ?? 0),
    20_000,
  );
  expectOnePageEach(hook, reference);
  expect(await run.stop()).toBe(0);
  await house.dispose();
  await hook.close();
  return reference;
}

let files: House;
let attack: Attack;
beforeAll(() => {
  files = openHouse({});
  attack = writeAttack(join(files.dir, "attack.log"), { noise: 12_000, attackers: 12 });
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
    const wanted = { ...small, events: small.lines };
    const first = await settled(run.data, wanted);
    expectAttackFound(first, wanted);
    await until(
      async () => hook.taken.size,
      (size) => size >= first.incidents.length,
    );
    const again = await wache("send", "--data", run.data, "--page", small.file);
    expect(again.out).toContain("nothing added");
    expect(await outcomeOf(run.data)).toEqual(first);
    expect((await everything(run.data, "/api/events")).length).toBe(small.lines);
    expectOnePageEach(hook, first);
    expect(await run.stop()).toBe(0);
  });

  test("killed again and again while a file is sent: nothing lost, nothing doubled", async () => {
    const expected = await undisturbed(attack);
    const hook = await startWebhook({ key: KEY });
    const house = openHouse(baseConfig(hook));
    onTestFinished(async () => {
      await house.dispose();
      await hook.close();
    });
    const run = house.process("run");
    await run.start();
    const sending = wache("send", "--data", run.data, "--page", attack.file);
    for (const share of [0.1, 0.35, 0.6, 0.85]) {
      await until(
        () => streamPosition(run.data, attack.file),
        (position) => position >= attack.lines * share,
        60_000,
      );
      await run.kill9();
      await run.start();
    }
    expect(await sending).toMatchObject({ code: 0 });
    const outcome = await settled(run.data, { ...attack, events: attack.lines });
    await until(
      async () => outcomeOf(run.data),
      (found) => JSON.stringify(found) === JSON.stringify(expected),
      20_000,
    );
    expect(await outcomeOf(run.data)).toEqual(expected);
    expect((await everything(run.data, "/api/events")).length).toBe(attack.lines);
    await until(
      async () => hook.taken.size,
      (size) => size >= outcome.incidents.length,
    );
    expectOnePageEach(hook, outcome);
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
        async () => addresses((await outcomeOf(run.data)).incidents, "high"),
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
    await settled(api.data, { ...attack, events: attack.lines });
    expect(
      await until(
        () => outcomeOf(api.data),
        (found) => JSON.stringify(found) === JSON.stringify(expected),
        30_000,
      ),
    ).toEqual(expected);
    await until(
      async () => hook.taken.size,
      (size) => size >= expected.incidents.length,
    );
    expectOnePageEach(hook, expected);
  });

  test("two of each stage, every process killed on the way: nothing lost, nothing doubled", async () => {
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
    await startAll([...pairs, collect, api]);
    const sending = wache("send", "--data", collect.data, "--page", attack.file);
    for (const victim of [...pairs, collect]) {
      await victim.kill9();
      await victim.start();
    }
    expect(await sending).toMatchObject({ code: 0 });
    await settled(api.data, { ...attack, events: attack.lines });
    expect(
      await until(
        () => outcomeOf(api.data),
        (found) => JSON.stringify(found) === JSON.stringify(expected),
        60_000,
      ),
    ).toEqual(expected);
    expect((await everything(api.data, "/api/events")).length).toBe(attack.lines);
    await until(
      async () => hook.taken.size,
      (size) => size >= expected.incidents.length,
    );
    expectOnePageEach(hook, expected);
  });
});

/** How many lines of the file the process has taken. */
async function streamPosition(data: string, file: string): Promise<number> {
  const name = `import-${createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 24)}`;
  const token = readFileSync(join(data, "ingest.token"), "utf8").trim();
  const found = await ask(data, `/ingest/streams/${name}`, undefined, {
    authorization: `Bearer ${token}`,
  });
  return Number(found["position"]);
}

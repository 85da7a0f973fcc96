// Rules that come later, and events that come too late: in the end what an undisturbed run with the rules from the start has.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { EcsEvent } from "../core/event.ts";
import type { Finding, Incident } from "../core/records.ts";
import { ask, everything, type HouseProcess, openHouse, until, wache } from "./house.ts";
import { outcomeLike, outcomeOf } from "./outcome.ts";
import { startKafka } from "./servers/kafka.ts";
import { startOpenSearch } from "./servers/opensearch.ts";
import { startWebhook } from "./servers/webhook.ts";

const LATENESS_MS = 6000;
const TEST_MS_MAX = 240_000;
const ruleFile = (title: string, condition: string) => `title: ${title}, one
name: ${title}_one
logsource: {}
detection: { s: { message: failed }, condition: s }
---
title: ${title}, alone
level: high
logsource: {}
detection: { s: { message: alone }, condition: s }
---
title: ${title}
name: ${title}_many
level: high
correlation: { type: event_count, rules: [${title}_one], group-by: [host.name], timespan: 2s, condition: ${condition} }
---
title: ${title}, again
level: critical
correlation: { type: event_count, rules: [${title}_many], group-by: [host.name], timespan: 3s, condition: { gte: 2 }, generate: true }
`;

type Sent = { readonly atMs: number; readonly host: string; readonly message: string };
const IN_TIME: readonly Sent[] = [
  ...[0, 400, 800].map((atMs) => ({ atMs, host: "a", message: "failed" })),
  ...[0, 500].map((atMs) => ({ atMs, host: "c", message: "failed" })),
  { atMs: 100, host: "d", message: "alone" },
];
const LATE: readonly Sent[] = [
  { atMs: -1000, host: "a", message: "failed" }, // moves the beginning
  ...[0, 300, 600].map((atMs) => ({ atMs, host: "b", message: "failed" })),
  { atMs: 250, host: "c", message: "failed" }, // makes it three
  { atMs: 200, host: "d", message: "alone" },
];

async function send(run: HouseProcess, baseMs: number, sent: readonly Sent[]): Promise<void> {
  const token = readFileSync(join(run.data, "ingest.token"), "utf8").trim();
  const events = sent.map(({ atMs, host, message }) => ({
    "@timestamp": new Date(baseMs + atMs).toISOString(),
    ...{ message, host: { name: host }, event: { id: `${host} ${atMs}` } },
  }));
  await ask(run.data, "/ingest", events, { authorization: `Bearer ${token}` });
}

/** A machine of its own, with or without the rules. */
async function open(about: {
  readonly servers: Readonly<Record<string, unknown>>;
  readonly rules: boolean;
  readonly more?: Readonly<Record<string, unknown>>;
  readonly hook?: string;
}) {
  const rules = about.rules ? [{ path: "rules/many.yml" }] : [];
  const house = openHouse({
    ...about.servers,
    time: { lateness: `${LATENESS_MS}ms` },
    correlator: { shippedRules: false, rules, ...about.more },
    ...(about.hook && { alerting: { channels: { hook: { type: "webhook", url: about.hook } } } }),
  });
  onTestFinished(() => house.dispose());
  const folder = join(house.dir, "rules");
  mkdirSync(folder);
  writeFileSync(join(folder, "many.yml"), ruleFile("Many", "{ gte: 3 }"));
  writeFileSync(join(folder, "few.yml"), ruleFile("Few", "{ gte: 2 }"));
  writeFileSync(join(folder, "four.yml"), ruleFile("Four", "{ gte: 4 }"));
  const run = house.process("run");
  await run.start();
  const backfill = async (...args: readonly string[]) => {
    const where = ["--config", house.config, "--data", run.data, "--json"];
    const { code, out, error } = await wache("backfill", ...where, ...args);
    expect({ code, error }).toEqual({ code: 0, error: expect.any(String) });
    const told = out.split("\n").filter((line) => line !== "");
    return { told: told.map((line) => JSON.parse(line) as { finding: string }), error };
  };
  return { run, backfill, rule: (name: string) => join(folder, `${name}.yml`) };
}
type Opened = Awaited<ReturnType<typeof open>>;

/** Once live has come so far that nothing can grow any more. */
async function backfillSettled({ backfill, run }: Opened, ...args: readonly string[]) {
  const isStored = (events: readonly EcsEvent[]) => events.length === IN_TIME.length + LATE.length;
  await until(() => everything<EcsEvent>(run.data, "/api/events"), isStored);
  return until(
    () => backfill(...args),
    ({ error }) => !error.includes("left to the running rules"),
  );
}

const findingsOf = (run: HouseProcess) => everything<Finding>(run.data, "/api/findings");
const incidentsOf = (run: HouseProcess) => everything<Incident>(run.data, "/api/incidents");

async function scenario(servers: (name: string) => Readonly<Record<string, unknown>>) {
  const hook = await startWebhook();
  onTestFinished(() => hook.close());
  const undisturbed = await open({ servers: servers("undisturbed"), rules: true });
  const without = await open({ servers: servers("without"), rules: false, hook: hook.url });
  const delayed = await open({
    servers: servers("delayed"),
    ...{ rules: true, more: { late: { every: "1s" } } },
  });
  const baseMs = Date.now() - 500;
  await send(undisturbed.run, baseMs, [...IN_TIME, ...LATE]);
  await send(without.run, baseMs, [...IN_TIME, ...LATE]);
  await send(delayed.run, baseMs, IN_TIME);
  await until(
    async () => Date.now(),
    (nowMs) => nowMs > baseMs + 1000 + LATENESS_MS,
  );
  await send(delayed.run, baseMs, LATE);
  // a, b and c; each again where three held twice; two alone.
  const isWhole = ({ findings, incidents }: Awaited<ReturnType<typeof outcomeOf>>) =>
    findings.length === 6 && incidents.length === 5 && findings.some(({ count }) => count === 4);
  const whole = await until(() => outcomeOf(undisturbed.run.data), isWhole);
  expect(whole.findings.map(({ count }) => count).sort()).toEqual([1, 1, 2, 3, 3, 4]);
  return { undisturbed, without, delayed, whole, hook, from: new Date(baseMs - 300).toISOString() };
}

function tests(servers: (name: string) => Readonly<Record<string, unknown>>) {
  test("live's findings by id and content, once, without pages unless asked", {
    timeout: TEST_MS_MAX,
  }, async () => {
    const { without, delayed, whole, hook, from } = await scenario(servers);
    const many = ["--from", from, without.rule("many")];
    await backfillSettled(without, ...many);
    expect(await outcomeLike(without.run.data, whole)).toEqual(whole);
    const before = await findingsOf(without.run);
    expect((await without.backfill(...many)).told).toEqual([]);
    expect((await without.backfill("--late", without.rule("many"))).told).toEqual([]);

    const few = ["--from", from, "--page", without.rule("few")];
    const { told } = await backfillSettled(without, ...few);
    expect(told.length).toBeGreaterThan(3);
    const paged = await until(
      async () => hook.taken.size,
      (size) => size >= told.length - 1,
    );
    expect(paged).toBeGreaterThan(0);
    const titles = [...hook.taken.values()].map(({ body }) => body);
    expect(titles.filter((body) => !body.includes("Few"))).toEqual([]);

    await without.run.stop();
    const four = ["--from", from, without.rule("four")];
    const { told: toldAlone } = await without.backfill(...four);
    await without.run.start();
    const all = await until(
      () => incidentsOf(without.run),
      (incidents) => incidents.some(({ title }) => title === "Four: a"),
    );
    expect(all.map(({ title }) => title)).toContain("Four: a");
    const hasAll = (found: readonly Finding[]) =>
      toldAlone.every(({ finding }) => found.some(({ id }) => id === finding));
    const after = await until(() => findingsOf(without.run), hasAll);
    expect(hasAll(after)).toBe(true);
    expect(after).toEqual(expect.arrayContaining(before));

    expect(await outcomeLike(delayed.run.data, whole)).toEqual(whole);
    const late = await everything<EcsEvent>(delayed.run.data, "/api/events?q=wache.late:true");
    expect(late).toHaveLength(LATE.length);
    const settled = await findingsOf(delayed.run);
    expect((await delayed.backfill("--late", "--from", from)).told).toEqual([]);
    expect(await findingsOf(delayed.run)).toEqual(settled);
  });
}

describe("backfill, embedded", () => tests(() => ({ bus: { partitions: 3 } })));

const kafka = await startKafka();
const openSearch = await startOpenSearch();
afterAll(async () => {
  if (!("skip" in kafka)) await kafka.stop();
  if (!("skip" in openSearch)) await openSearch.stop();
});
describe("backfill, Kafka and OpenSearch", () => {
  if ("skip" in kafka || "skip" in openSearch) {
    test.skip(`needs both: ${"skip" in kafka ? kafka.skip : ""} ${"skip" in openSearch ? openSearch.skip : ""}`, () => {});
    return;
  }
  tests((name) => ({
    bus: { kind: "kafka", partitions: 3, kafka: { brokers: kafka.brokers, prefix: name } },
    store: { kind: "opensearch", opensearch: { node: openSearch.node, prefix: name } },
  }));
});

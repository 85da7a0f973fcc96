import { afterAll, beforeAll, expect, test } from "vitest";
import type { OutRecord } from "../../core/bus/bus.ts";
import { type DeadLetter, TOPIC, type TopicName } from "../../core/records.ts";
import { type ApiUnderTest, START_MS, startApi } from "../api-under-test.ts";
import { createToken } from "../auth/tokens.ts";

let api: ApiUnderTest;
const tokens: Record<string, string> = {};

const LETTERS: readonly DeadLetter[] = [
  { ...letter(1), code: "json.too-deep", raw: '{"password":"\u001b[31m"}' },
  { ...letter(2), from: { topic: TOPIC.events, partition: 0, offset: 9 } },
  { ...letter(3), from: { topic: TOPIC.state, partition: 0, offset: 9 } },
];

function letter(number: number): DeadLetter {
  return {
    ...{ kind: "dead-letter", id: `letter-${number}`, source: "s", reason: `why ${number}` },
    ...{ code: "processor.failed", atMs: START_MS + number * 1000 },
    ...{ raw: '{"kind":"event","event":{}}', encoding: "utf8" },
  };
}

beforeAll(async () => {
  api = await startApi();
  for (const role of ["reader", "analyst", "admin"] as const)
    tokens[role] = (await createToken(api.store, { name: role, role, nowMs: START_MS })).token;
  await api.bus.produce(
    LETTERS.map((value): OutRecord => ({ topic: TOPIC.deadLetter, key: value.id, value })),
  );
});
afterAll(() => api.close());

const list = (query: string, role = "reader") =>
  api.call({ url: `/api/dead-letters?${query}`, token: tokens[role] ?? "" });

test.for([
  { name: "all, newest first", query: "", want: [3, 2, 1] },
  { name: "from, inclusive", query: "from=2026-11-23T03:00:02Z", want: [3, 2] },
  { name: "to, inclusive, in ms", query: `to=${START_MS + 2000}`, want: [2, 1] },
  { name: "of a code", query: "code=json.too-deep", want: [1] },
  { name: "by ids", query: "ids=letter-1,letter-3,none", want: [3, 1] },
])("list: $name", async ({ query, want }) => {
  const { status, body } = await list(query);
  expect([status, body.items]).toEqual([200, want.map((number) => LETTERS[number - 1])]);
  expect(body.cursor).toBeUndefined();
});

test("list: page by page", async () => {
  const first = await list("limit=2");
  const second = await list(`limit=2&cursor=${encodeURIComponent(first.body.cursor)}`);
  const pages = [first, second].map(({ body }) => body.items.map(({ id }: DeadLetter) => id));
  expect(pages).toEqual([["letter-3", "letter-2"], ["letter-1"]]);
  expect(second.body.cursor).toBeUndefined();
});

test.for([
  { query: "from=yesterday", code: "api.bad-request" },
  { query: "from=2026-02-30", code: "api.bad-time" },
  { query: "cursor=ours", code: "dead-letter.cursor" },
  { query: "limit=501", code: "api.bad-request" },
  { query: "q=x", code: "api.bad-request" },
])("list: $query is refused", async ({ query, code }) => {
  const { status, body } = await list(query);
  expect([status, body.error.code]).toEqual([400, code]);
});

const replay = (ids: readonly string[], role: string) =>
  api.call({
    ...{ method: "POST", url: "/api/dead-letters/replay", token: tokens[role] ?? "" },
    body: { ids },
  });

async function recordsOf(topic: TopicName): Promise<unknown[]> {
  const values: unknown[] = [];
  for (let partition = 0; partition < api.bus.partitions(topic); partition++)
    for await (const { value } of api.bus.read(topic, partition, 0)) values.push(value);
  return values;
}

test("replay: an administrator puts records back, and the log says who did", async () => {
  for (const role of ["reader", "analyst"])
    expect((await replay(["letter-2"], role)).body.error.code).toBe("auth.not-allowed");
  expect(await recordsOf(TOPIC.events)).toEqual([]);
  const { status, body } = await replay(["letter-2", "letter-3", "letter-1", "none"], "admin");
  expect([status, body.items]).toEqual([
    200,
    [
      { id: "letter-2", replayed: true },
      { id: "letter-3", replayed: false, reason: expect.stringContaining("latest state") },
      { id: "letter-1", replayed: false, reason: expect.stringContaining("a collector") },
      { id: "none", replayed: false, reason: expect.stringContaining("no such") },
    ],
  ]);
  expect(await recordsOf(TOPIC.events)).toEqual([{ kind: "event", event: {} }]);
  const line = api.logged.find((one) => one.includes("dead letters were replayed")) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({ by: "token admin", replayed: ["letter-2"], refused: 3 });
});

test("replay: none, and too many at once, are refused", async () => {
  for (const ids of [[], Array.from({ length: 101 }, (_, at) => `id${at}`)])
    expect((await replay(ids, "admin")).status).toBe(400);
});
